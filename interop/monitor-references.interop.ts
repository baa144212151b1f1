/**
 * Monitors with references that the peer did not create, or used before: two bare peers monitor processes of
 * an Erlang node and of an erldist node, and receive the same.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decode } from "../etf/index.ts";
import { CONTROL } from "../src/distribution/control.ts";
import { atom, format, Pid, Reference, type Term, type Tuple, tuple } from "../src/index.ts";
import type { RawNode } from "../test/support/raw-node.ts";
import { type OtpNode, startOtpNode, waitUntil } from "./index.ts";
import { connectRaw } from "./support/bare-peer.ts";
import { startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

type Peer = RawNode & { readonly name: string };

/** Two processes of the node that is asked, named `first` and `second`, which end when told `stop`. */
type Targets = readonly [Pid, Pid];

const { MONITOR_P, DEMONITOR_P, SEND_SENDER } = CONTROL;
const STOP = atom("stop");

/** What a peer says in a scenario; each reference has the same words, whoever says it. */
interface Steps {
  /** `watcher` is one of the peer's processes. Default the first. */
  monitor(target: Term, ref: Reference, watcher?: number): void;
  demonitor(target: Term, ref: Reference, watcher?: number): void;
}

type Scenario = (one: Steps, two: Steps, targets: Targets) => void;

const R = new Reference("somebody@else", 5, [1, 2, 3]);

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "twice on one process": (one, _, [p]) => {
    one.monitor(p, R);
    one.monitor(p, R);
  },
  "on two processes": (one, _, [p, q]) => {
    one.monitor(p, R);
    one.monitor(q, R);
  },
  "on two processes, one taken back": (one, _, [p, q]) => {
    one.monitor(p, R);
    one.monitor(q, R);
    one.demonitor(p, R);
  },
  "twice on one process, one taken back": (one, _, [p]) => {
    one.monitor(p, R);
    one.monitor(p, R);
    one.demonitor(p, R);
  },
  "twice on one process, both taken back": (one, _, [p]) => {
    one.monitor(p, R);
    one.monitor(p, R);
    one.demonitor(p, R);
    one.demonitor(p, R);
  },
  "twice on one name": (one) => {
    one.monitor(atom("first"), R);
    one.monitor(atom("first"), R);
  },
  "twice on one name, one taken back": (one) => {
    one.monitor(atom("first"), R);
    one.monitor(atom("first"), R);
    one.demonitor(atom("first"), R);
  },
  "on two names": (one) => {
    one.monitor(atom("first"), R);
    one.monitor(atom("second"), R);
  },
  "on two names, one taken back": (one) => {
    one.monitor(atom("first"), R);
    one.monitor(atom("second"), R);
    one.demonitor(atom("second"), R);
  },
  "on a pid and its name": (one, _, [p]) => {
    one.monitor(p, R);
    one.monitor(atom("first"), R);
  },
  "on a pid and its name, the pid taken back": (one, _, [p]) => {
    one.monitor(p, R);
    one.monitor(atom("first"), R);
    one.demonitor(p, R);
  },
  "on a pid and its name, the name taken back": (one, _, [p]) => {
    one.monitor(p, R);
    one.monitor(atom("first"), R);
    one.demonitor(atom("first"), R);
  },
  "on a name, taken back by the pid": (one, _, [p]) => {
    one.monitor(atom("first"), R);
    one.demonitor(p, R);
  },
  "on a pid, taken back by the name": (one, _, [p]) => {
    one.monitor(p, R);
    one.demonitor(atom("first"), R);
  },
  "on a pid, taken back by another pid": (one, _, [p, q]) => {
    one.monitor(p, R);
    one.demonitor(q, R);
  },
  "on a name, taken back by another name": (one) => {
    one.monitor(atom("first"), R);
    one.demonitor(atom("second"), R);
  },
  "by two watchers": (one, _, [p]) => {
    one.monitor(p, R, 1);
    one.monitor(p, R, 2);
  },
  "by two watchers, one taken back": (one, _, [p]) => {
    one.monitor(p, R, 1);
    one.monitor(p, R, 2);
    one.demonitor(p, R, 1);
  },
  "by two watchers, the other taken back": (one, _, [p]) => {
    one.monitor(p, R, 1);
    one.monitor(p, R, 2);
    one.demonitor(p, R, 2);
  },
  "taken back by another watcher": (one, _, [p]) => {
    one.monitor(p, R, 1);
    one.demonitor(p, R, 2);
  },
  "on a name, taken back by another watcher": (one) => {
    one.monitor(atom("first"), R, 1);
    one.demonitor(atom("first"), R, 2);
  },
  "by two peers": (one, two, [p]) => {
    one.monitor(p, R);
    two.monitor(p, R);
  },
  "by two peers, one taken back": (one, two, [p]) => {
    one.monitor(p, R);
    two.monitor(p, R);
    one.demonitor(p, R);
  },
  "by two peers, each on its own process, one taken back": (one, two, [p, q]) => {
    one.monitor(p, R);
    two.monitor(q, R);
    one.demonitor(p, R);
  },
  "on a name and its pid, the pid taken back": (one, _, [p]) => {
    one.monitor(atom("first"), R);
    one.monitor(p, R);
    one.demonitor(p, R);
  },
  "by two peers on a name, one taken back": (one, two) => {
    one.monitor(atom("first"), R);
    two.monitor(atom("first"), R);
    two.demonitor(atom("first"), R);
  },
  "on nobody": (one) => {
    one.monitor(atom("nobody"), R);
    one.monitor(atom("nobody"), R);
    one.demonitor(atom("nobody"), R);
  },
};

const pidOf = (peer: Peer, watcher = 1): Pid => new Pid(peer.name, watcher, 0, 7);

function stepsOf(peer: Peer): Steps {
  const say =
    (op: number) =>
    (target: Term, ref: Reference, watcher = 1): void =>
      peer.send(tuple(op, pidOf(peer, watcher), target, ref));
  return { monitor: say(MONITOR_P.op), demonitor: say(DEMONITOR_P.op) };
}

/** References that no scenario uses. */
let made = 0;
const newReference = (peer: Peer): Reference => new Reference(peer.name, 9, [++made, 0, 0]);

async function heardOf(peer: Peer, ref: Reference): Promise<void> {
  await waitUntil(() => peer.heard.some(({ control }) => isAbout(control, ref)), {
    description: "the end of a monitor",
  });
}

/** Waits until the node has handled all that the peer has sent: it answers a monitor of an unknown name at once. */
async function settled(peer: Peer): Promise<void> {
  const ref = newReference(peer);
  stepsOf(peer).monitor(atom("nobody"), ref);
  await heardOf(peer, ref);
}

function isAbout(control: Term, ref: Reference): boolean {
  const found = (control as readonly Term[])[3];
  return found instanceof Reference && found.equals(ref);
}

/** The DOWN messages that a peer has received for R: who ended, for which watcher, and why. */
function told(peer: Peer, [p, q]: Targets): string[] {
  const heard = peer.take().filter(({ control }) => isAbout(control, R));
  const lines = heard.map(({ control, payload }) => {
    const [op, from, to] = control as Tuple<[number, Term, Pid]>;
    const who =
      from instanceof Pid
        ? from.equals(p)
          ? "pid 1"
          : from.equals(q)
            ? "pid 2"
            : "?"
        : format(from);
    return `${op} ${who} to ${to.id}: ${format(payload!)}`;
  });
  return lines.sort();
}

async function outcome(
  start: () => Promise<Targets>,
  turn: () => Promise<unknown>,
  peers: readonly [Peer, Peer],
  scenario: Scenario,
): Promise<string[][]> {
  const targets = await start();
  const [one, two] = peers;
  scenario(stepsOf(one), stepsOf(two), targets);
  const ends = targets.flatMap((target) =>
    peers.map((peer) => {
      const ref = newReference(peer);
      stepsOf(peer).monitor(target, ref);
      return () => heardOf(peer, ref);
    }),
  );
  for (const peer of peers) await settled(peer);
  for (const target of targets) one.send(tuple(SEND_SENDER.op, pidOf(one), target), STOP);
  for (const end of ends) await end();
  // The targets have sent all their signals.
  await turn();
  for (const peer of peers) await settled(peer);
  return peers.map((peer) => told(peer, targets));
}

eachOtp((otp) => {
  let genuine: OtpNode;
  let ours: Awaited<ReturnType<typeof startOurNode>>;
  let toGenuine: [Peer, Peer];
  let toOurs: [Peer, Peer];
  beforeAll(async () => {
    genuine = await startOtpNode({ otp });
    await genuine.loadModule("erldist_settle");
    ours = await startOurNode();
    toGenuine = [await connectRaw(genuine.name), await connectRaw(genuine.name)];
    toOurs = [await connectRaw(ours.name), await connectRaw(ours.name)];
  });
  afterAll(async () => {
    for (const peer of [...toGenuine, ...toOurs]) peer.transport.destroy();
    await ours.stop();
    await genuine.kill();
  });
  const names = ["first", "second"] as const;
  const startGenuine = async (): Promise<Targets> => {
    const pids = names.map(async (name) => {
      const text = `(fun() -> P = spawn(fun() -> receive stop -> ok end end), register(${name}, P), P end)()`;
      return decode(await genuine.evalBytes(text)) as Pid;
    });
    return (await Promise.all(pids)) as unknown as Targets;
  };
  const startOurs = async (): Promise<Targets> => {
    const pids = names.map((name) => {
      const process = ours.spawn(async (self) => void (await self.receive()));
      process.register(name);
      return process.pid;
    });
    return pids as unknown as Targets;
  };

  describe("a monitor with a reference that another one has", () => {
    it.each(Object.entries(SCENARIOS))("%s", async (_, scenario) => {
      const turn = () => genuine.eval("erldist_settle:turn()");
      const theirs = await outcome(startGenuine, turn, toGenuine, scenario);
      const here = async () => {};
      expect(await outcome(startOurs, here, toOurs, scenario)).toStrictEqual(theirs);
    });
  });
});
