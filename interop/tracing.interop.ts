/** Sequential tracing between nodes: tokens of an Erlang node arrive here, and its system tracer sees ours. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  atom,
  format,
  type Node,
  type Pid,
  type Process,
  type Reference,
  type Term,
  type Traced,
  traceToken,
  tuple,
} from "../src/index.ts";
import { type OtpNode, type OtpSession, startOtpNode, waitUntil } from "./index.ts";
import { startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

eachOtp((otp) => {
  const release = Number(otp.release);

  describe("seq_trace", () => {
    let erl: OtpNode;
    let ours: Node;
    let session: OtpSession;
    let box: Process;
    const heard: Term[] = [];
    const told: Traced[] = [];
    const listen = (event: unknown): void => void told.push(event as Traced);

    beforeAll(async () => {
      erl = await startOtpNode({ otp });
      ours = await startOurNode();
      ours.expose("ts", { add: (a: number, b: number) => a + b });
      box = ours.spawn({ message: (message) => void heard.push(message) });
      box.trapExit = true;
      box.register("box");
      session = erl.session();
      await session.eval(`N = '${ours.name}', register(tester, self())`);
      const alias = ours.runtime.alias(box, false);
      await box.send(["tester", erl.name], tuple(box.pid, alias));
      await session.eval("{P, A} = receive X -> X end, Self = self()");
    });
    afterAll(async () => {
      await ours.stop();
      await erl.kill();
    });
    beforeEach(() => {
      heard.length = 0;
      told.length = 0;
      subscribe("erldist:traced", listen);
    });
    afterEach(() => {
      unsubscribe("erldist:traced", listen);
    });

    /** Runs Erlang in a process of its own with a token, and waits for what is told of it. */
    const traced = async (text: string, count: number): Promise<Traced[]> => {
      await session.eval(
        `spawn(fun() -> seq_trace:set_token(label, {our, label}), seq_trace:set_token(send, true), ${text} end)`,
      );
      await waitUntil(() => told.length >= count, { description: `${count} tokens` });
      return told;
    };

    it("messages to a pid and a name carry it, counted on", async () => {
      const events = await traced("P ! one, {box, N} ! two, P ! three", 3);
      const [from] = events.map((event) => event.from);
      expect(events).toStrictEqual(
        [box.pid, atom("box"), box.pid].map((to, index) => ({
          node: ours.name,
          peer: erl.name,
          control: index === 1 ? "REG_SEND_TT" : "SEND_SENDER_TT",
          from,
          to,
          token: tuple(1, tuple(atom("our"), atom("label")), index + 1, from!, 0),
        })),
      );
      await waitUntil(() => heard.length === 3, { description: "the messages" });
      expect(heard.map((message) => format(message))).toEqual(["one", "two", "three"]);
    });

    // OTP 23 has no aliases.
    if (release >= 24) {
      it("a message to an alias too", async () => {
        const [event] = await traced("A ! one", 1);
        const control = release >= 28 ? "ALTACT_SIG_SEND" : "ALIAS_SEND_TT";
        expect(event).toMatchObject({ control });
        expect((event!.to as Reference).node.name).toBe(ours.name);
        await waitUntil(() => heard.length > 0, { description: "the message" });
        expect(heard).toStrictEqual([atom("one")]);
      });
    }

    // The runtime gives the token to the signal of a link, and none to that of exit/2.
    it("the end of a linked process too", async () => {
      await traced("link(P), exit(P, one), exit(two)", 1);
      await waitUntil(() => heard.length === 2, { description: "both exit signals" });
      expect(told.map((event) => event.control)).toEqual(["PAYLOAD_EXIT_TT"]);
      expect(heard.map((message) => format((message as unknown as Term[])[2]!))).toEqual([
        "one",
        "two",
      ]);
    });

    it("a remote call too, which is answered", async () => {
      await traced("Self ! {sum, rpc:call(N, ts, add, [1, 2])}", 1);
      const control = release >= 23 ? "SPAWN_REQUEST_TT" : "SEND_SENDER_TT";
      expect(told[0]).toMatchObject({ control, peer: erl.name });
      expect(await session.eval("receive {sum, Sum} -> Sum after 60000 -> none end")).toBe("3");
    });

    it("the Erlang process takes over our token, and its system tracer reports it", async () => {
      await session.eval(`Tracer = spawn(fun() -> (fun L(Seen) -> receive
          {give, To} -> To ! {seen, lists:reverse(Seen)}, L(Seen);
          Event -> L([Event | Seen]) end end)([]) end),
        seq_trace:set_system_tracer(Tracer),
        Receiver = spawn(fun() -> (fun L() -> receive
          {hello, From} -> Self ! {token, seq_trace:get_token()}, From ! {back, hello}, L();
          _ -> L() end end)() end),
        register(receiver, Receiver)`);
      const label = tuple(atom("from"), Buffer.from("here"));
      const mine = traceToken(box.pid, { label, send: true, receive: true });
      const receiver = (await ours.rpc.call(erl.name, "erlang", "whereis", [
        atom("receiver"),
      ])) as Pid;
      told.length = 0;
      await box.send(receiver, tuple(atom("hello"), box.pid), { traceToken: mine as Term });
      // It took the token over: what it answers carries it, from it, behind ours.
      await waitUntil(() => told.length === 1, { description: "the token of the answer" });
      const [answer] = told;
      const [flags, itsLabel, serial, sender] = answer!.token as unknown as Term[];
      expect(answer).toMatchObject({ control: "SEND_SENDER_TT", from: receiver, to: box.pid });
      expect([flags, itsLabel, sender]).toStrictEqual([3, label, receiver]);
      expect(serial).toBeGreaterThan(1);
      // And that one may be gone on with.
      await box.send(["receiver", erl.name], atom("again"), { traceToken: answer!.token });
      const text = `(fun() -> Tracer ! {give, self()}, receive {seen, Seen} ->
        [{Label, Event} || {seq_trace, Label, Event} <- Seen, element(4, Event) =:= Receiver, node(element(3, Event)) =:= N] end end)()`;
      const again = Number(serial) + 1;
      const pid = String.raw`<\d+\.\d+\.\d+>`;
      const wanted = [
        String.raw`\{'receive',\{0,1\},${pid},${pid},\{hello,${pid}\}\}`,
        String.raw`\{'receive',\{${serial},${again}\},${pid},${pid},again\}`,
      ];
      const from = String.raw`\{from,<<"here">>\}`;
      const right = new RegExp(
        `^\\[${wanted.map((each) => `\\{${from},${each}\\}`).join(",")}\\]$`,
      );
      await waitUntil(
        async () => {
          expect(await session.eval(text)).toMatch(right);
          return true;
        },
        { description: "the events of the system tracer" },
      );
      expect(
        await session.eval("receive {token, T} -> element(2, T) after 60000 -> none end"),
      ).toBe('{from,<<"here">>}');
      // The session took it over with that message.
      await session.eval("seq_trace:set_token([]), seq_trace:set_system_tracer(false)");
    });

    it("our exit signals and messages to a name and an alias carry ours too", async () => {
      await session.eval(`Tracer2 = spawn(fun() -> (fun L(Seen) -> receive
          {give, To} -> To ! {seen, lists:reverse(Seen)}, L(Seen);
          {seq_trace, 17, {'receive', Serial, _, _, Message}} -> L([{17, Serial, Message} | Seen]);
          _ -> L(Seen) end end)([]) end),
        seq_trace:set_system_tracer(Tracer2)`);
      const give =
        "(fun() -> Tracer2 ! {give, self()}, receive {seen, Seen} -> [{Label, Serial, case Message of {'EXIT', _, Why} -> {'EXIT', Why}; _ -> Message end} || {Label, Serial, Message} <- Seen] end end)()";
      const makeAlias = release >= 24 ? "alias()" : "make_ref()";
      await session.eval(`Other = spawn(fun() -> process_flag(trap_exit, true), {box, N} ! {me, self(), ${makeAlias}},
        (fun L() -> receive _ -> L() end end)() end), register(other, Other)`);
      await waitUntil(() => heard.length === 1, { description: "its pid and alias" });
      const [, pid, alias] = heard[0] as unknown as [Term, Pid, Reference];
      const sender = ours.spawn({ message: () => {} });
      const options = { traceToken: traceToken(sender.pid, { label: 17, receive: true }) as Term };
      await sender.send(["other", erl.name], atom("named"), options);
      sender.sendExit(pid, atom("why"), options);
      if (release >= 24) await sender.send(alias, atom("aliased"), options);
      const wanted = ["{17,{0,1},named}", "{17,{0,2},{'EXIT',why}}"];
      if (release >= 24) wanted.push("{17,{0,3},aliased}");
      await waitUntil(
        async () => {
          expect(await session.eval(give)).toBe(`[${wanted.join(",")}]`);
          return true;
        },
        { description: "the events of the system tracer" },
      );
      await session.eval("seq_trace:set_system_tracer(false)");
    });
  });
});
