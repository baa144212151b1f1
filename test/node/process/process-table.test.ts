import { describe, expect, test } from "vitest";
import { atom, namedAtom, Pid } from "../../../etf/index.ts";
import type { Process } from "../../../src/node/process/process.ts";
import { ProcessTable } from "../../../src/node/process/process-table.ts";

const NODE = atom("gandalf@vm");
const process = (id: number, serial = 0) =>
  ({ pid: new Pid(NODE, id, serial, 9), registeredName: undefined }) as Process;

function filled(...processes: Process[]) {
  const table = new ProcessTable({ node: NODE, creation: 9 });
  for (const each of processes) table.add(each);
  return table;
}

describe("by pid", () => {
  test("finds its own processes and no others", () => {
    const [a, b] = [process(1), process(1, 1)];
    const table = filled(a, b);
    expect(table.get(new Pid(NODE, 1, 0, 9))).toBe(a);
    expect(table.get(new Pid(NODE, 1, 1, 9))).toBe(b);
    expect(table.get(new Pid(NODE, 2, 0, 9))).toBeUndefined();
    expect([table.size, table.all()]).toEqual([2, [a, b]]);
    table.remove(a);
    expect([table.get(a.pid), table.size]).toEqual([undefined, 1]);
  });

  test("finds nothing for a pid of another node or another creation", () => {
    const table = filled(process(1));
    expect(table.get(new Pid(NODE, 1, 0, 8))).toBeUndefined();
    expect(table.get(new Pid("bilbo@vm", 1, 0, 9))).toBeUndefined();
    expect(table.isLocal(new Pid(NODE, 77, 0, 9))).toBe(true);
    expect(table.isLocal(new Pid(NODE, 1, 0, 8))).toBe(false);
  });

  test("finds nothing for a pid with more bits, even if its key is in use", () => {
    const owner = process(5, 1);
    const table = filled(owner);
    expect(table.get(new Pid(NODE, 2 ** 15 + 5, 0, 9))).toBeUndefined();
    expect(table.get(owner.pid)).toBe(owner);
  });
});

describe("by name", () => {
  test("registers once, in order, until it is unregistered or removed", () => {
    const [a, b] = [process(1), process(2)];
    const table = filled(a, b);
    table.register(b, atom("second"));
    table.register(a, atom("first"));
    expect(table.registered()).toEqual([atom("second"), atom("first")]);
    expect(table.whereis(atom("first"))).toBe(a);
    expect(table.unregister(atom("first"))).toBe(true);
    expect(table.unregister(atom("first"))).toBe(false);
    table.register(a, atom("again"));
    table.remove(a);
    expect(table.whereis(atom("again"))).toBeUndefined();
    expect(table.registered()).toEqual([atom("second")]);
  });

  test("accepts true and false as names, but not undefined", () => {
    const [a, b] = [process(1), process(2)];
    const table = filled(a, b);
    table.register(a, namedAtom("true"));
    expect(table.whereis(namedAtom("true"))).toBe(a);
    expect(table.whereis(namedAtom("false"))).toBeUndefined();
    const invalid = expect.objectContaining({ code: "PROCESS_NAME_INVALID" });
    expect(() => table.register(b, atom("undefined"))).toThrow(invalid);
  });

  test("accepts any name but undefined", () => {
    const [a, b] = [process(1), process(2)];
    const table = filled(a, b);
    expect(() => table.register(a, atom("undefined"))).toThrow(
      expect.objectContaining({ name: "NodeError", code: "PROCESS_NAME_INVALID" }),
    );
    table.register(a, atom(""));
    table.register(b, atom("é".repeat(255)));
    expect(table.whereis(atom(""))).toBe(a);
  });

  test("names the conflicting registration", () => {
    const [a, b] = [process(1), process(2)];
    const table = filled(a, b);
    table.register(a, atom("taken"));
    for (const [who, name, said] of [
      [b, "taken", "The name taken is already registered."],
      [a, "other", "is already registered as taken."],
    ] as const) {
      expect(() => table.register(who, atom(name))).toThrow(
        expect.objectContaining({
          code: "PROCESS_NAME_TAKEN",
          message: expect.stringContaining(said),
        }),
      );
    }
  });
});
