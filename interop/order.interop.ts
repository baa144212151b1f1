/**
 * Signal order between an erldist node and an Erlang node: while both connect at once, and with small and large
 * messages of many senders, in both directions, through fragments and back-pressure.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { atom, type Node, type Pid, type Process, type Term, tuple } from "../src/index.ts";
import { type OtpNode, type OtpSession, startOtpNode, waitUntil } from "./index.ts";
import { startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

const SENDERS = 6;
const EACH = 40;
/** Bytes of each message's payload, in turn: below, around and far above a fragment. */
const SIZES = [10, 70_000, 300, 3_000_000, 10, 65_536, 10, 1_000_000, 5000, 10];

eachOtp((otp) => {
  describe("order", () => {
    let erl: OtpNode;
    let ours: Node;
    let session: OtpSession;
    const events: string[] = [];
    beforeAll(async () => {
      erl = await startOtpNode({ otp });
      ours = await startOurNode({ highWaterMarkBytes: 512 * 1024 });
      ours.on("nodeup", ({ name }) => events.push(`up ${name}`));
      ours.on("nodedown", ({ name, error }) => {
        events.push(`down ${name} ${(error as { code?: string }).code}`);
      });
      session = erl.session();
      // Counts per sender; out of order is kept.
      await session.eval(`N = '${ours.name}', register(tester, self()),
        Sink = fun() -> spawn(fun() -> (fun Loop(Next, Wrong, Count) -> receive
          {count, From} -> From ! {counted, Count, Wrong}, Loop(Next, Wrong, Count);
          {From, I, _} -> case maps:get(From, Next, 0) of
            I -> Loop(Next#{From => I + 1}, Wrong, Count + 1);
            E -> Loop(Next#{From => I + 1}, [{From, E, I} | Wrong], Count + 1) end end end)(#{}, [], 0) end) end,
        register(sink, Sink()), ok`);
    });
    afterAll(async () => {
      await ours.stop();
      await erl.kill();
    });

    /** A process that records, per sender, the messages out of order. */
    const sink = (name: string): { count: number; wrong: string[]; process: Process } => {
      const next = new Map<Term, number>();
      const seen = {
        count: 0,
        wrong: [] as string[],
        process: ours.spawn({
          message: async (message) => {
            const [sender, index] = message as unknown as [number, number];
            const expected = next.get(sender) ?? 0;
            if (index !== expected) seen.wrong.push(`${sender}: ${expected} ${index}`);
            next.set(sender, index + 1);
            seen.count++;
            // Slower than who fills it.
            await new Promise((resolve) => setImmediate(resolve));
          },
        }),
      };
      seen.process.register(name);
      return seen;
    };
    const counted = (): Promise<string> =>
      session.eval(
        "(fun() -> sink ! {count, self()}, receive {counted, C, W} -> {C, W} end end)()",
      );

    it("both sides connect at once, 50 times: one connection each time, and no message is lost", async () => {
      const here = sink("here");
      const sender = ours.spawn({ message: () => {} });
      for (let round = 0; round < 50; round++) {
        const theirs = session.eval(
          `[{here, N} ! {0, I, <<>>} || I <- lists:seq(${round * 3}, ${round * 3 + 2})], ok`,
        );
        // From at once to some turns later, so that each side is now and then the first.
        for (let turns = round % 5; turns > 0; turns--) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        for (let index = 0; index < 3; index++) {
          await sender.send(["sink", erl.name], tuple(100, round * 3 + index, new Uint8Array()));
        }
        await theirs;
        await waitUntil(() => here.count === (round + 1) * 3, { description: "their messages" });
        await waitUntil(async () => (await counted()) === `{${(round + 1) * 3},[]}`, {
          description: "our messages",
        });
        expect(events).toEqual([`up ${erl.name}`]);
        expect(ours.disconnect(erl.name)).toBe(true);
        events.length = 0;
        await waitUntil(
          async () => (await session.eval("lists:member(N, nodes(connected))")) === "false",
          {
            description: "the Erlang node to notice",
          },
        );
      }
      expect(here.wrong).toEqual([]);
      await session.eval("exit(whereis(sink), kill), ok");
      await waitUntil(async () => (await session.eval("whereis(sink)")) === "undefined");
      await session.eval("register(sink, Sink()), ok");
    });

    it("each sender's messages, from 10 bytes to 3 MB, come in its order, both ways at once", async () => {
      ours.disconnect(erl.name);
      const here = sink("mixed");
      await session.eval(`Sizes = [${SIZES.join(",")}], Send = fun(S) -> spawn(fun() ->
        [{mixed, N} ! {S, I, binary:copy(<<7>>, lists:nth((I + S) rem length(Sizes) + 1, Sizes))}
          || I <- lists:seq(0, ${EACH - 1})] end) end, [Send(S) || S <- lists:seq(1, ${SENDERS})], ok`);
      const sinkPid = (await ours.rpc.call(erl.name, "erlang", "whereis", [atom("sink")])) as Pid;
      const floods = Array.from({ length: SENDERS }, async (_, sender) => {
        const process = ours.spawn({ message: () => {} });
        // By name or by pid, each for itself: the two are different ways only at the receiver's side.
        const to = sender % 2 === 0 ? sinkPid : (["sink", erl.name] as const);
        for (let index = 0; index < EACH; index++) {
          const bytes = SIZES[(index + sender) % SIZES.length]!;
          const sent = process.send(to, tuple(sender, index, new Uint8Array(bytes)));
          // Some wait for room and some do not.
          if (sender % 3 !== 0) await sent;
        }
      });
      await Promise.all(floods);
      await waitUntil(async () => (await counted()) === `{${SENDERS * EACH},[]}`, {
        description: "our messages in order",
      });
      await waitUntil(() => here.count === SENDERS * EACH, {
        description: "their messages",
      });
      expect(here.wrong).toEqual([]);
    });
  });
});
