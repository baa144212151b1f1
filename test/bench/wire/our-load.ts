/** What wire_load.erl does, by a node of ours: it calls and floods another. Times in nanoseconds. */

import {
  type Atom,
  atom,
  isTuple,
  type Node,
  type Process,
  type Term,
  type TermInput,
  type Tuple,
  tuple,
} from "../../../src/index.ts";

const COUNT = atom("count");
const FLOOD = atom("flood");
const WEATHER = atom("weather");

/** As wire_load:calls/4 and wire_load:flood_in/2. */
export function exposeLoad(node: Node): void {
  node.expose("wire_load", {
    calls: (kind: Atom, peer: Atom, callers: number, milliseconds: number) =>
      calls(callOf(node, kind.name, peer.name), callers, milliseconds),
    flood_in: (peer: Atom, messages: number) => floodIn(node, peer.name, messages),
  });
}

/** One call of a kind: rpc, erpc or gen. */
function callOf(node: Node, kind: string, peer: string): () => Promise<Term> {
  const unlimited = { timeoutMs: Number.POSITIVE_INFINITY };
  switch (kind) {
    case "rpc":
      return () => node.rpc.call(peer, "kvs", "lookup", [WEATHER]);
    case "erpc":
      return () => node.erpc.call(peer, "kvs", "lookup", [WEATHER]);
    case "gen":
      return () => node.gen.call(["gen_echo", peer], WEATHER, unlimited);
    default:
      throw new Error(`There are calls by rpc, erpc and gen, not by ${kind}.`);
  }
}

async function calls(
  call: () => Promise<Term>,
  callers: number,
  milliseconds: number,
): Promise<TermInput> {
  await call();
  const latencies: number[] = [];
  const start = performance.now();
  const deadline = start + milliseconds;
  const caller = async (): Promise<void> => {
    let before = performance.now();
    while (before < deadline) {
      await call();
      const after = performance.now();
      latencies.push(after - before);
      before = after;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const time = performance.now() - start;
  latencies.sort((a, b) => a - b);
  const percentile = (p: number): number =>
    latencies[Math.ceil((latencies.length * p) / 100) - 1] ?? 0;
  return tuple(latencies.length, inNs(time), inNs(percentile(50)), inNs(percentile(99)));
}

/** From one process, whose messages stay in order: so the count is of all of them. */
function floodIn(node: Node, peer: string, messages: number): Promise<TermInput> {
  return new Promise((resolve, reject) => {
    node.spawn((self) =>
      floodFrom(self, peer, messages).then((time) => resolve(tuple(messages, inNs(time))), reject),
    );
  });
}

async function floodFrom(self: Process, peer: string, messages: number): Promise<number> {
  const sink = [atom("sink"), atom(peer)] as const;
  const count = async (): Promise<number> => {
    await self.send(sink, tuple(self.pid, COUNT));
    const answer = await self.receive((message) => isTuple(message, 2) && message[0] === COUNT);
    return (answer as Tuple<[Atom, number]>)[1];
  };
  const before = await count();
  const start = performance.now();
  for (let n = messages; n > 0; n--) await self.send(sink, tuple(FLOOD, n));
  const counted = (await count()) - before;
  if (counted !== messages) throw new Error(`${counted} of ${messages} messages were counted.`);
  return performance.now() - start;
}

function inNs(milliseconds: number): number {
  return Math.round(milliseconds * 1e6);
}
