/**
 * npm run test:bun, npm run test:deno
 *
 * What a program in another runtime relies on: erldist loads, codes terms, serves a node of Node.js
 * and calls one. The nodes meet over TCP, through an EPMD in this program. Prints `ok` and a line for
 * each step; exit code 1 if a step fails.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { EpmdServer, tcpNetwork } from "../../dist/epmd.js";
import { decode, encode } from "../../dist/etf.js";
import { atom, Node, Pid, tuple } from "../../dist/index.js";

const COMMAND = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const COOKIE = "runtimes";
const HERE = "here@127.0.0.1";
const THERE = "there@127.0.0.1";
const LIMIT_MS = 60_000;

/** Runs the command in Node.js; `ready` is settled once it has printed a line. */
function command(...args) {
  const child = spawn("node", [COMMAND, ...args, "--setcookie", COOKIE, "--epmd-port", epmdPort], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  const ready = new Promise((resolve, reject) => {
    child.stdout.on("data", (text) => {
      printed += text;
      if (printed.includes("\n")) resolve();
    });
    child.on("exit", (code) => reject(new Error(`the command ended with ${code}`)));
  });
  ready.catch(() => {});
  return { child, ready, ended: once(child, "close").then(([code]) => ({ code, printed })) };
}

const limit = setTimeout(() => {
  console.error(`not done after ${LIMIT_MS} ms`);
  process.exit(1);
}, LIMIT_MS);

const epmd = await EpmdServer.start({
  network: tcpNetwork(),
  tcpPort: 0,
  addresses: ["127.0.0.1"],
});
const epmdPort = String(epmd.tcpPort);
const node = await Node.start({
  name: HERE,
  cookie: COOKIE,
  listen: { host: "127.0.0.1" },
  epmd: { mode: "system", port: epmd.tcpPort },
});

const terms = [-1n, 2n ** 4000n, 1.5, "text", tuple(atom("ok"), [1, 2]), new Map([["key", 1]])];
for (const term of terms) {
  const bytes = encode(term);
  assert.deepEqual(encode(decode(bytes)), bytes);
}
const { pid } = node.spawn(async () => {});
assert.ok(decode(encode(pid)) instanceof Pid);
assert.ok(decode(encode("x".repeat(10_000), { compressed: true })).length === 10_000);
console.log("ok loads, and codes terms");

node.expose("sums", { add: (a, b) => a + b });
const call = await command("call", HERE, "sums", "add", "[1, 2]").ended;
assert.deepEqual(call, { code: 0, printed: "3\n" });
console.log("ok serves a node of Node.js");

const kvs = command("kvs", "--name", THERE, "--epmd", "system", "--listen-address", "127.0.0.1");
await kvs.ready;
await node.rpc.call(THERE, "kvs", "store", [atom("weather"), atom("fine")]);
const found = await node.rpc.call(THERE, "kvs", "lookup", [atom("weather")]);
assert.deepEqual(encode(found), encode(tuple(atom("ok"), atom("fine"))));
kvs.child.kill("SIGTERM");
await kvs.ended;
console.log("ok calls a node of Node.js");

await node.stop();
await epmd.close();
clearTimeout(limit);
