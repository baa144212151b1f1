/**
 * The benchmark's server on a node of ours; what it serves is listed in wire_server.erl. It is also a
 * load: `rpc:call(_, wire_load, calls | flood_in, Args)` has it call others, as wire_load.erl does.
 *
 *     node --expose-gc our-node.js NAME COOKIE    prints `ready TCPPORT`, ends on SIGTERM
 */

import {
  atom,
  isPid,
  isTuple,
  Node,
  type Pid,
  type Process,
  type Reference,
  serveKvs,
  type Term,
  type Tuple,
  tuple,
} from "../../../src/index.ts";
// Serving gen calls has no public name yet.
import { genCallIn, genReply } from "../../../src/otp/gen/gen.ts";
import { exposeLoad } from "./our-load.ts";

const COUNT = atom("count");
const FLOOD = atom("flood");
const BINARIES = atom("binaries");
const BINARY = atom("binary");
const MEMORY = atom("memory");

const [name = "", cookie = ""] = process.argv.slice(2);
const node = await Node.start({ name, cookie });
exposeLoad(node);
serveKvs(node).store(atom("weather"), atom("fine"));

node
  .spawn({
    message(message, self) {
      if (!isTuple(message, 3)) return;
      const [from, ref, term] = message as Tuple<[Pid, Reference, Term]>;
      void self.send(from, tuple(ref, term));
    },
  })
  .register("echo");

node
  .spawn({
    message(message, self) {
      const call = genCallIn(message);
      if (call !== undefined) genReply(self, call.from, call.request);
    },
  })
  .register("gen_echo");

let counted = 0;

node
  .spawn({
    message(message, self) {
      if (!isTuple(message, 2) || !isPid(message[0])) {
        counted++;
        return;
      }
      const [from, request] = message;
      void answer(self, from, request);
    },
  })
  .register("sink");

async function answer(self: Process, from: Pid, request: Term): Promise<void> {
  if (request === COUNT) {
    await self.send(from, tuple(COUNT, counted));
  } else if (request === MEMORY) {
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    await self.send(from, tuple(MEMORY, heapUsed + external));
  } else if (isTuple(request, 2) && request[0] === FLOOD) {
    for (let n = request[1] as number; n > 0; n--) await self.send(from, tuple(FLOOD, n));
  } else if (isTuple(request, 3) && request[0] === BINARIES) {
    const [, size, times] = request as Tuple<[Term, number, number]>;
    const binary = new Uint8Array(size).fill(0x62);
    for (let n = times; n > 0; n--) await self.send(from, tuple(BINARY, binary));
  }
}

process.once("SIGTERM", () => void node.stop().then(() => process.exit(0)));
process.stdout.write(`ready ${node.tcpPort}\n`);
