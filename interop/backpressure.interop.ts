/**
 * Floods between an erldist node and an Erlang node: nothing is lost or out of order, memory has a bound,
 * and a full mailbox holds up nobody else; a peer that is given up is reported to those who wait for it.
 */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  atom,
  type Destination,
  format,
  GenServer,
  type Node,
  type Process,
  type Term,
  type TermInput,
  tuple,
} from "../src/index.ts";
import { type OtpNode, type OtpSession, startOtpNode, waitUntil } from "./index.ts";
import { startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

const KIB = 1024;
const MARK_BYTES = 256 * KIB;
/** What the system's TCP buffers and ours may hold beyond the mark. */
const MESSAGE_BYTES = 4 * KIB;

/** A process that takes what comes only while it is told to, and checks that numbers come in order. */
class Sluice {
  count = 0;
  inOrder = true;
  mostWaiting = 0;
  #open: () => void = () => {};
  #gate: Promise<void> = Promise.resolve();
  readonly process: Process;

  constructor(node: Node) {
    this.process = node.spawn({
      message: async (message, self) => {
        this.mostWaiting = Math.max(this.mostWaiting, self.messageQueueLength);
        await this.#gate;
        this.#take(message);
      },
    });
  }

  close(): void {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open();
  }

  #take(message: Term): void {
    const parts = message as unknown as Term[];
    // Of an exit signal, the number is in its reason.
    const number = parts[0] === atom("EXIT") ? (parts[2] as unknown as Term[])[0] : parts[0];
    if (number !== this.count) this.inOrder = false;
    this.count++;
  }
}

eachOtp((otp) => {
  let erl: OtpNode;
  let ours: Node;
  let session: OtpSession;
  const downs: string[] = [];

  const start = async (options: Parameters<typeof startOurNode>[0]): Promise<void> => {
    ours = await startOurNode({ highWaterMarkBytes: MARK_BYTES, ...options });
    ours.on("nodedown", ({ error }) => downs.push(String((error as { code?: string }).code)));
    expect(await ours.ping(erl.name)).toBe("pong");
    // Counts, and reports whether each sender's numbers arrived in order.
    await session.eval(`N = '${ours.name}', register(tester, self()), register(sink, spawn(fun() ->
      (fun Loop(Count, Next, Order) -> receive
        {count, From} -> From ! {counted, Count, Order}, Loop(Count, Next, Order);
        {Sender, I, _} -> Right = maps:get(Sender, Next, 0) =:= I,
          Loop(Count + 1, Next#{Sender => I + 1}, Order andalso Right) end end)(0, #{}, true) end))`);
  };
  const counted = async (): Promise<{ count: number; inOrder: boolean }> => {
    const text = await session.eval(
      "(fun() -> sink ! {count, self()}, receive {counted, C, O} -> [C, O] end end)()",
    );
    const [count, inOrder] = JSON.parse(text) as [number, boolean];
    return { count, inOrder };
  };
  const queued = (): number => ours.stats().connections[erl.name]?.queuedBytes ?? 0;

  beforeEach(async () => {
    downs.length = 0;
    erl = await startOtpNode({ otp });
    session = erl.session();
  });
  afterEach(async () => {
    erl.thaw();
    await ours.stop();
    await erl.kill();
  });

  describe("an Erlang node that is frozen", () => {
    it("holds up senders; the queue has a bound, and all arrives in order when the node continues", async () => {
      await start({});
      const senders = 4;
      const each = 4000;
      let sent = 0;
      erl.freeze();
      const payload = new Uint8Array(MESSAGE_BYTES);
      const flood = Array.from({ length: senders }, async (_, sender) => {
        const { process } = new Sluice(ours);
        for (let index = 0; index < each; index++) {
          sent++;
          await process.send(["sink", erl.name], tuple(sender, index, payload));
        }
      });
      const all = Promise.all(flood);
      all.catch(() => {});
      let last = -1;
      let looks = 0;
      await waitUntil(
        () => {
          expect(queued()).toBeLessThan(MARK_BYTES + senders * (MESSAGE_BYTES + 200));
          looks = sent === last ? looks + 1 : 0;
          last = sent;
          return queued() > MARK_BYTES && looks > 20;
        },
        { description: "the senders to be held up" },
      );
      expect(sent).toBeLessThan(senders * each);
      erl.thaw();
      await all;
      const wanted = { count: senders * each, inOrder: true };
      await waitUntil(async () => (await counted()).count === wanted.count, {
        description: "all to arrive",
      });
      expect(await counted()).toEqual(wanted);
      expect(downs).toEqual([]);
    });

    it("and given up: waiting senders get the error, and a later send connects again", async () => {
      await start({ netTickTimeMs: 4000 });
      erl.freeze();
      const payload = new Uint8Array(MESSAGE_BYTES);
      const { process } = new Sluice(ours);
      const flood = async (sender: number): Promise<never> => {
        for (let index = 0; ; index++) {
          await process.send(["sink", erl.name], tuple(sender, index, payload));
        }
      };
      for (const end of await Promise.allSettled([flood(0), flood(1), flood(2)])) {
        expect(end).toMatchObject({
          status: "rejected",
          reason: { name: "ConnectionClosedError", code: "CONN_NET_TICK_TIMEOUT" },
        });
      }
      expect(downs).toEqual(["CONN_NET_TICK_TIMEOUT"]);
      expect(process.alive).toBe(true);
      erl.thaw();
      await waitUntil(async () => (await ours.ping(erl.name)) === "pong");
      const before = await counted();
      // Of those on their way some were lost, and none was out of order.
      expect(before.inOrder).toBe(true);
      for (let index = 0; index < 100; index++) {
        await process.send(["sink", erl.name], tuple(3, index, payload));
      }
      await waitUntil(async () => (await counted()).count === before.count + 100, {
        description: "what was sent on the new connection",
      });
      expect((await counted()).inOrder).toBe(true);
    });
  });

  describe("an erldist process that is slow", () => {
    const ways: [string, number, (sluice: Sluice) => TermInput, string][] = [
      ["by pid", 0, ({ process }) => process.pid, "P ! {I, B}"],
      [
        "by name",
        0,
        ({ process }) => {
          process.register("sluice");
          return tuple(atom("sluice"), atom(ours.name));
        },
        "P ! {I, B}",
      ],
      ["by an alias", 24, ({ process }) => ours.runtime.alias(process, false), "P ! {I, B}"],
      [
        "by exit signals",
        0,
        ({ process }) => {
          process.trapExit = true;
          return process.pid;
        },
        "exit(P, {I, B})",
      ],
    ];
    it.each(ways.filter(([, since]) => Number(otp.release) >= since))(
      "with a flood sent %s holds up no other process, and receives all of it in order",
      async (_, __, destination, text) => {
        await start({});
        const sluice = new Sluice(ours);
        sluice.close();
        const messages = 60_000;
        const bytes = 512;
        await ours.send(["tester", erl.name], destination(sluice) as Destination as TermInput);
        await session.eval(`P = receive X -> X end,
          B = binary:copy(<<7>>, ${bytes}),
          F = spawn(fun() -> (fun L(${messages}) -> ok; L(I) -> ${text}, L(I + 1) end)(0) end)`);
        await waitUntil(() => sluice.process.messageQueueLength >= messages - 1, {
          description: "all of it to wait in the mailbox",
        });
        // The same connection carries calls in both directions meanwhile.
        expect(format(await ours.rpc.call(erl.name, "lists", "seq", [1, 3]))).toBe("[1,2,3]");
        expect(await session.eval(`net_adm:ping('${ours.name}')`)).toBe("pong");
        expect(ours.stats().mailboxBytes).toBeGreaterThan(messages * bytes);
        sluice.open();
        await waitUntil(() => sluice.count === messages, {
          description: "all of it to be taken",
        });
        expect(sluice.inOrder).toBe(true);
        expect(ours.stats().mailboxBytes).toBe(0);
        expect(downs).toEqual([]);
      },
    );

    it("that receives nothing is killed, and the connection stays", async () => {
      await start({ maxMailboxBytes: 4 * 1024 * KIB });
      const logged: Term[] = [];
      ours.on("log", ({ report }) => logged.push(report.get(atom("registered_name"))!));
      const sink = ours.spawn((self) => self.receive(() => false));
      sink.register("sink");
      const other = ours.spawn((self) => self.receive(() => false));
      await session.eval(`Ref = monitor(process, {sink, '${ours.name}'}),
        B = binary:copy(<<7>>, 10000),
        spawn(fun() -> [{sink, '${ours.name}'} ! {I, B} || I <- lists:seq(1, 1000)] end)`);
      const why = await session.eval(
        "receive {'DOWN', Ref, process, _, Why} -> Why after 60000 -> nothing end",
      );
      expect(why).toBe("killed");
      expect([sink.alive, other.alive, logged, downs]).toEqual([false, true, [atom("sink")], []]);
      expect(await session.eval(`net_adm:ping('${ours.name}')`)).toBe("pong");
    });

    it("and whose mailbox is full gets the answer when it calls its caller back", async () => {
      await start({});
      let handled = 0;
      class Busy extends GenServer<number> {
        override state = 0;
        override async handleCast(): Promise<void> {
          await ours.gen.call(["back", erl.name], atom("hello"), { timeoutMs: 60_000 });
          handled++;
        }
      }
      await new Busy().start(ours, { name: "busy" });
      await session.eval(`spawn(fun() -> register(back, self()),
        (fun L() -> receive {'$gen_call', F, _} -> gen_server:reply(F, ok), L() end end)() end)`);
      await session.eval(`B = binary:copy(<<"x">>, 1000000),
        [gen_server:cast({busy, '${ours.name}'}, {I, B}) || I <- lists:seq(1, 90)], ok`);
      await waitUntil(() => handled === 90, {
        description: "all casts to be handled",
      });
      expect(downs).toEqual([]);
    });
  });
});
