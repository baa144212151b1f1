/** The monitors of a peer beside a plain list of them, in the order in which they were set. */
import { expect, test } from "vitest";
import { atom, Pid, Reference } from "../../../etf/index.ts";
import { IncomingMonitors } from "../../../src/node/peers/incoming-monitors.ts";
import type { Process } from "../../../src/node/process/process.ts";
import type { IncomingMonitor } from "../../../src/node/process/ties.ts";
import { random } from "../../support/mutate.ts";

const TARGETS = [{}, {}, {}] as Process[];
const NAMES = [undefined, undefined, atom("one"), atom("two")];
const watcher = new Pid("peer@host", 1, 0, 1);
/** Equal, and not the same object, each time. */
const reference = (number: number) => new Reference("peer@host", 1, [number, 0, 0]);

test("each DEMONITOR_P takes the oldest monitor that it may mean", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const next = random(seed);
    const monitors = new IncomingMonitors();
    const plain: IncomingMonitor[] = [];
    const forget = (monitor: IncomingMonitor | undefined) => {
      if (monitor !== undefined) plain.splice(plain.indexOf(monitor), 1);
    };
    for (let step = 0; step < 200; step++) {
      const ref = reference(next(3));
      const target = TARGETS[next(TARGETS.length)]!;
      switch (next(4)) {
        case 0:
        case 1: {
          const monitor = { ref, watcher, target, name: NAMES[next(NAMES.length)] };
          monitors.add(monitor);
          plain.push(monitor);
          break;
        }
        case 2: {
          const byName = next(2) === 0;
          const meant = plain.find(
            (one) =>
              one.ref.equals(ref) && (byName ? one.name !== undefined : one.target === target),
          );
          expect(monitors.takeBack(ref, byName ? undefined : target)).toBe(meant);
          forget(meant);
          break;
        }
        default: {
          const monitor = plain[next(plain.length + 1)];
          if (monitor === undefined) {
            const unknown = { ref, watcher, target, name: atom("one") };
            expect(monitors.delete(unknown)).toBe(false);
          } else {
            expect(monitors.delete(monitor)).toBe(true);
            expect(monitors.delete(monitor)).toBe(false);
            forget(monitor);
          }
        }
      }
      expect(monitors.size).toBe(plain.length);
    }
    expect(new Set(monitors.takeAll())).toEqual(new Set(plain));
    expect(monitors.size).toBe(0);
    expect(monitors.takeAll()).toEqual([]);
  }
});
