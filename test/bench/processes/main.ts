/**
 * npm run bench:processes [-- PROCESSES MESSAGES]
 *
 * Bytes for each of a million idle processes, and messages a second between two processes of a node:
 * ours, beside a plain twin of JavaScript's own (an EventEmitter; promises) that is no process at all,
 * and genuine Erlang, in turns. Medians of five rounds; the ratio is how many times as fast ours is.
 */
import { EventEmitter } from "node:events";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { type Pid, type Term, type Tuple, tuple } from "../../../etf/index.ts";
import { endInteropRun, type OtpNode, startOtpNode } from "../../../interop/index.ts";
import type { Process } from "../../../src/node/process/process.ts";
import { Node } from "../../../src/otp/node.ts";

const [processes = 1_000_000, messages = 1_000_000] = process.argv.slice(2).map(Number);
const ROUNDS = 5;
/** Messages sent before the sender lets others run, as a program does that awaits its sends. */
const BATCH = 1000;
const ERL_MODULE = fileURLToPath(
  new URL("../../../../../test/bench/processes/bench_processes.erl", import.meta.url),
);
const gc = (globalThis as { gc?: () => void }).gc;
if (gc === undefined) throw new Error("run it with --expose-gc");

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function heapUsed(): Promise<number> {
  // What is freed by one collection may free more.
  for (let round = 0; round < 3; round++) {
    gc!();
    await nextTurn();
  }
  return process.memoryUsage().heapUsed;
}

/** Bytes for each of what `make` makes. */
async function bytesEach(make: (kept: unknown[]) => void): Promise<number> {
  const kept: unknown[] = [];
  for (let at = 0; at < processes; at++) kept.push(undefined);
  kept.length = 0;
  const before = await heapUsed();
  for (let at = 0; at < processes; at++) make(kept);
  const used = (await heapUsed()) - before;
  // The array of them is the benchmark's own.
  return used / processes - (kept.length === 0 ? 0 : 8);
}

async function perSecond(count: number, run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return (count * 1000) / (performance.now() - start);
}

async function inBatches(send: (message: number) => void): Promise<void> {
  for (let sent = 0; sent < messages; ) {
    for (const end = Math.min(messages, sent + BATCH); sent < end; ) send(++sent);
    await nextTurn();
  }
}

/** A row's value for ours, the twin, and Erlang. */
interface Row {
  readonly name: string;
  readonly ours: (node: Node) => Promise<number>;
  readonly twin: () => Promise<number>;
  readonly erl: string;
}

const idle = { message(): void {} };
const count = new EventEmitter();

const BYTES: Row[] = [
  {
    name: "a behaviour",
    ours: (node) => bytesEach(() => node.spawn(idle)),
    twin: () => bytesEach((kept) => kept.push(new EventEmitter().on("message", idle.message))),
    erl: "bytes",
  },
  {
    name: "a function that receives",
    ours: (node) =>
      bytesEach(() =>
        node.spawn(async (self) => {
          await self.receive();
        }),
      ),
    twin: () =>
      bytesEach((kept) => {
        const wait = async (): Promise<unknown> =>
          new Promise((resolve) => kept.push(new EventEmitter().once("message", resolve)));
        void wait();
      }),
    erl: "bytes",
  },
];

const MESSAGES: Row[] = [
  {
    name: "to a behaviour",
    ours: (node) => {
      let got = 0;
      const sink = node.spawn({
        message() {
          got++;
        },
      });
      const sender = node.spawn(idle);
      return perSecond(messages, async () => {
        await inBatches((message) => void sender.send(sink.pid, message));
        if (got !== messages) throw new Error("messages were lost");
      });
    },
    twin: () => {
      let got = 0;
      count.removeAllListeners().on("message", () => {
        got++;
      });
      return perSecond(messages, async () => {
        await inBatches((message) => void count.emit("message", message));
        if (got !== messages) throw new Error("messages were lost");
      });
    },
    erl: "flood",
  },
  {
    name: "to a function that receives",
    ours: (node) => {
      const sender = node.spawn(idle);
      return perSecond(messages, () => {
        let sink!: Process;
        const done = new Promise<void>((resolve) => {
          sink = node.spawn(async (self) => {
            for (let got = 0; got < messages; got++) await self.receive();
            resolve();
          });
        });
        return inBatches((message) => void sender.send(sink.pid, message)).then(() => done);
      });
    },
    twin: () =>
      perSecond(messages, () => {
        const queue: number[] = [];
        let wake: ((message: number) => void) | undefined;
        const receive = (): Promise<number> =>
          queue.length > 0
            ? Promise.resolve(queue.shift()!)
            : new Promise((resolve) => {
                wake = resolve;
              });
        const done = (async () => {
          for (let got = 0; got < messages; got++) await receive();
        })();
        return inBatches((message) => {
          if (wake === undefined) queue.push(message);
          else {
            const resolve = wake;
            wake = undefined;
            resolve(message);
          }
        }).then(() => done);
      }),
    erl: "flood",
  },
  {
    name: "each answered before the next",
    ours: (node) => {
      const echo = node.spawn({
        message(message, self) {
          const [from, what] = message as Tuple<[Pid, Term]>;
          void self.send(from, tuple(self.pid, what));
        },
      });
      return perSecond(
        messages,
        () =>
          new Promise((resolve) => {
            node.spawn(async (self) => {
              for (let asked = 0; asked < messages / 2; asked++) {
                void self.send(echo.pid, tuple(self.pid, asked));
                await self.receive();
              }
              resolve();
            });
          }),
      );
    },
    twin: () => {
      const [ping, pong] = [new EventEmitter(), new EventEmitter()];
      pong.on("message", (message: unknown) => void ping.emit("message", message));
      return perSecond(messages, async () => {
        for (let asked = 0; asked < messages / 2; asked++) {
          const answer = new Promise((resolve) => ping.once("message", resolve));
          pong.emit("message", asked);
          await answer;
        }
      });
    },
    erl: "turns",
  },
];

async function askErl(otp: OtpNode, row: Row): Promise<number> {
  const argument = row.erl === "bytes" ? processes : row.erl === "turns" ? messages / 2 : messages;
  const text = await otp.eval(`bench_processes:${row.erl}(${argument})`, { timeoutMs: 120_000 });
  return Number(text);
}

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function main(): Promise<void> {
  const otp = await startOtpNode({ otp: "25", args: ["+P", "4000000"] });
  await otp.loadModule(ERL_MODULE);
  const freshNode = (): Promise<Node> =>
    Node.start({ name: "bench@127.0.0.1", cookie: "bench", listen: false });
  try {
    for (const [title, rows, rounds, digits] of [
      [`bytes of an idle process, of ${processes}`, BYTES, 1, 0],
      ["million messages a second", MESSAGES, ROUNDS, 2],
    ] as const) {
      console.log(`\n| ${title} | erldist | twin | OTP 25 |\n| --- | ---: | ---: | ---: |`);
      for (const row of rows) {
        const seen: [number[], number[], number[]] = [[], [], []];
        for (let round = 0; round < rounds; round++) {
          // One after the other, so that what else the machine does meets all of them.
          const node = await freshNode();
          seen[0].push(await row.ours(node));
          // A million ends take their time, and the heap they leave is what is measured against.
          if (rows !== BYTES) await node.stop();
          seen[1].push(await row.twin());
          seen[2].push(await askErl(otp, row));
        }
        const unit = digits === 0 ? 1 : 1e6;
        const cells = seen.map((values) => (median(values) / unit).toFixed(digits));
        console.log(`| ${row.name} | ${cells.join(" | ")} |`);
      }
    }
    console.log(`\n${cpus().length} x ${cpus()[0]?.model}, Node.js ${process.version}`);
  } finally {
    await otp.kill();
    await endInteropRun();
  }
}

await main();
