/**
 * The node of `trust.interop.ts`, alone in its program: it serves calls, and has what ordinary programs
 * have that can be sent something unusual. Its one argument is its options as JSON.
 */

import process from "node:process";
import {
  format,
  GenServer,
  Node,
  parse,
  serveKvs,
  TermMap,
  tuple,
  typed,
  types,
} from "../../dist/index.js";

const node = await Node.start({ ...JSON.parse(process.argv[2]), output: () => {} });
serveKvs(node);

/** Asks whoever casts to it before it takes the next message. */
class Busy extends GenServer {
  state = 0;
  async handleCast([from]) {
    await node.gen.call(from, tuple("ask", 1), { timeoutMs: 60_000 });
    this.state++;
  }
  handleCall() {
    return { reply: this.state };
  }
}

await new Busy().start(node, { name: "busy" });
const deafen = () => {
  if (node.whereis("deaf") !== undefined) return;
  node.spawn(() => new Promise(() => {})).register("deaf");
};
deafen();
const kept = new TermMap();

node.expose("ts", {
  echo: (term) => term,
  /** Microseconds of the processor that this program has had. */
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  size: (map) => map.size,
  keep: (key) => kept.set(key, true).size,
  atom: typed([types.atom], types.atom, (name) => name),
  text: typed([types.string], types.string, (text) => text),
  plain: typed([types.plain], types.plain, (value) => value),
  print: (term) => format(term),
  parse: (text) => parse(String(Buffer.from(text))),
  cycle: typed([], types.plain, () => {
    const cycle = {};
    cycle.self = cycle;
    return cycle;
  }),
  changing: (to) => {
    const bytes = Buffer.alloc(1 << 20, "A");
    void node.send(to, bytes);
    bytes.fill("B");
  },
  shared: ([one, other]) => {
    for (const key of one.keys()) key.fill(0);
    return other;
  },
  beyond: () => 2 ** 53 + 2,
  victim: () => node.spawn({ message() {} }).pid,
  ping: (peer) => node.ping(peer.name),
  deaf: deafen,
});
process.stdout.write(`${node.name} ready, port ${node.tcpPort}\n`);
