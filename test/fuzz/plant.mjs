/**
 * node test/fuzz/plant.mjs [NAME ...]
 *
 * Shows that the fuzzing finds what it is there for: plants one bug at a time, in a copy, and lets the
 * area it belongs to search for a moment. Ends with code 1 when one was not found. A plant whose piece
 * of code is no longer there fails too: it wants another one.
 */
import { buildTarget } from "./build.mjs";
import { runArea } from "./campaign.mjs";

const INPUTS = 60_000;
const SECONDS = 40;
const SEED = 1;

/** What is found is another kind than without the plant, and says `expect`. */
const PLANTS = [
  {
    name: "terms: a tuple of 3 is written as one of 2",
    area: "terms",
    file: "etf/encode.ts",
    from: "this.buffer[this.at + 1] = arity;",
    to: "this.buffer[this.at + 1] = arity === 3 ? 2 : arity;",
    expect: /round trip|follow the term/,
  },
  {
    name: "equality: 0.0 =:= -0.0",
    area: "equality",
    file: "etf/exact.ts",
    from: "return b instanceof Float && Object.is(a.value, b.value);",
    to: "return b instanceof Float && a.value === b.value;",
    expect: /=:= is false/,
  },
  {
    name: "text: a column counted from 0",
    area: "text",
    file: "etf/text/lex.ts",
    from: "const column = [...before.slice(lineStart)].length + 1;",
    to: "const column = [...before.slice(lineStart)].length;",
    expect: /a place/,
  },
  {
    name: "inflate: what is referred to is odd",
    area: "inflate",
    file: "etf/inflate.web.ts",
    from: "output[this.written] = output[this.written - distance]!;",
    to: "output[this.written] = output[this.written - distance]! | 1;",
    expect: /as zlib does|is taken/,
  },
  {
    name: "frames: a length that is cut counts no more",
    area: "frames",
    file: "src/distribution/frame.ts",
    from: "if (this.#wanted === 0 && this.#heldBytes >= LENGTH_BYTES) {",
    to: "if (this.#wanted === 0 && this.#heldBytes > LENGTH_BYTES) {",
    expect: /./,
  },
  {
    name: "header: segments 4 to 7 are those from 0 on",
    area: "header",
    file: "src/distribution/header.ts",
    from: "const cacheIndex = ((flags & 7) << 8) | bytes[next++]!;",
    to: "const cacheIndex = ((flags & 1) << 8) | bytes[next++]!;",
    expect: /./,
  },
  {
    name: "fragments: of a large piece only a part counts",
    area: "fragments",
    file: "src/distribution/fragment-assembler.ts",
    from: "sequence.bytes += end - at;",
    to: "sequence.bytes += Math.min(end - at, 2_000);",
    expect: /arrive|as it was sent|payload|end within|outside|wanted|claimed/,
  },
  {
    name: "control: EXIT2 is EXIT",
    area: "control",
    file: "src/distribution/control.ts",
    from: 'EXIT2_TT: { op: 18, fields: ["fromPid", "toPid", "traceToken", "reason"], payload: false }',
    to: 'EXIT2_TT: { op: 18, fields: ["fromPid", "toPid", "traceToken"], payload: false }',
    expect: /EXIT2_TT/,
  },
  {
    name: "initiator: any proof of the cookie does",
    area: "initiator",
    file: "src/handshake/initiator.ts",
    from: "if (!sameDigest(message.digest, state.expected)) {",
    to: "if (message.digest.length !== state.expected.length) {",
    expect: /does not prove/,
  },
  {
    name: "acceptor: any proof of the cookie does",
    area: "acceptor",
    file: "src/handshake/acceptor.ts",
    from: "if (!sameDigest(message.digest, cookieDigest(cookie, state.challenge))) {",
    to: "if (message.digest.length !== 16) {",
    expect: /does not prove/,
  },
  {
    name: "epmd-client: extra bytes are taken for the name's",
    area: "epmd-client",
    file: "src/epmd/messages.ts",
    from: "    name: body.subarray(11, 11 + nameLength),",
    to: "    name: body.subarray(11, 11 + Math.min(nameLength, 200)),",
    expect: /name is/,
  },
  {
    name: "epmd-server: a name can be taken over",
    area: "epmd-server",
    file: "src/epmd/registry.ts",
    from: "if (this.#active.has(node.name)) return undefined;",
    to: "",
    expect: /given once|names end/,
  },
  {
    name: "services: rex does not answer any more after odd requests",
    area: "services",
    file: "src/otp/rpc/rex.ts",
    from: "if (!isTuple(request)) return;",
    to: "if (!isTuple(request)) {\n      (this as { message: unknown }).message = () => {};\n      return;\n    }",
    expect: /rex answers/,
  },
  {
    name: "services: work that grows with the square of the size",
    area: "services",
    file: "src/otp/kernel/net-kernel.ts",
    from: "const call = genCallIn(message);",
    to: "const call = genCallIn(message);\n        for (const until = performance.now() + 300; call === undefined && performance.now() < until; );",
    expect: /take no more than/,
  },
];

const names = process.argv.slice(2);
const chosen = PLANTS.filter(
  ({ name }) => names.length === 0 || names.some((each) => name.includes(each)),
);
let missed = 0;
for (const plant of chosen) {
  const { area, expect } = plant;
  const started = performance.now();
  const bundle = await buildTarget("planted", plant);
  const stop = ({ stack }) => expect.test(stack);
  const { done, findings } = await runArea({
    bundle,
    area,
    seed: SEED,
    inputs: INPUTS,
    seconds: SECONDS,
    stop,
  });
  const found = findings.find(stop);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (found === undefined) missed++;
  const outcome = found === undefined ? "NOT FOUND" : `found: ${found.kind}`;
  console.error(`${plant.name}\n  ${outcome}, ${done} inputs, ${seconds} s`);
}
console.error(`${chosen.length - missed} of ${chosen.length} found`);
process.exitCode = missed > 0 ? 1 : 0;
