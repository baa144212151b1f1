/** ALTACT_SIG_SEND, which Erlang nodes send from OTP 28 on, and the older messages that they sent before. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  atom,
  format,
  type Node,
  type Process,
  type Reference,
  type Term,
  tuple,
} from "../src/index.ts";
import { type OtpNode, startOtpNode, waitUntil } from "./index.ts";
import { startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

eachOtp((otp) => {
  describe("signals to a pid, a name and an alias", () => {
    let erl: OtpNode;
    let ours: Node;
    let box: Process;
    let alias: Reference;
    let heard: Term[] = [];

    beforeAll(async () => {
      erl = await startOtpNode({ otp });
      ours = await startOurNode();
      box = ours.spawn({ message: (message: Term) => void heard.push(message) });
      box.trapExit = true;
      box.register("box");
      alias = ours.runtime.alias(box, false);
      await erl.eval(
        "register(keeper, spawn(fun F() -> receive {put, X} -> persistent_term:put(ours, X), F() end end))",
      );
      await box.send(["keeper", erl.name], tuple(atom("put"), tuple(box.pid, alias)));
      await waitUntil(async () => (await erl.eval("persistent_term:get(ours, none)")) !== "none", {
        description: "our pid and alias to arrive",
      });
    });
    afterAll(async () => {
      await ours.stop();
      await erl.kill();
    });

    const said = async (text: string, count: number): Promise<string[]> => {
      heard = [];
      await erl.eval(`{P, A} = persistent_term:get(ours), N = {box, '${ours.name}'}, ${text}`);
      await waitUntil(() => heard.length >= count, { description: `${count} signals` });
      return heard.map((each) => format(each).replace(/<[^<>]*>/, "<>"));
    };

    it("messages to a pid and a name arrive in order", async () => {
      expect(await said("P ! 1, N ! 2, P ! 3", 3)).toEqual(["1", "2", "3"]);
    });

    // OTP 23 has no aliases, and refuses to send to what is a reference to it.
    if (Number(otp.release) < 24) {
      it("it has no aliases", async () => {
        await expect(said("A ! 1", 1)).rejects.toMatchObject({ reason: "badarg" });
      });
      return;
    }

    it("messages arrive in order", async () => {
      expect(await said("A ! 1, P ! 2, N ! 3, A ! 4", 4)).toEqual(["1", "2", "3", "4"]);
    });

    it("a large one to an alias too", async () => {
      await said("A ! {large, binary:copy(<<7>>, 300000)}, A ! done", 2);
      expect(((heard[0] as unknown as Term[])[1] as Uint8Array).length).toBe(300_000);
    });

    // Before OTP 28 nothing can be sent with priority.
    if (Number(otp.release) >= 28)
      it("with priority", async () => {
        const send = (to: string, what: number) => `erlang:send(${to}, ${what}, [priority])`;
        const text = [send("A", 1), send("P", 2), send("N", 3)].join(", ");
        expect(await said(text, 3)).toEqual(["1", "2", "3"]);
        const exits =
          "exit(P, one), exit(P, two, [priority]), exit(A, three), exit(A, four, [priority])";
        expect(await said(exits, 4)).toEqual(
          ["one", "two", "three", "four"].map((reason) => `{'EXIT',<>,${reason}}`),
        );
      });

    it("our messages to an alias of theirs arrive", async () => {
      await using session = erl.session();
      await session.eval("A = alias(), register(asker, self())");
      await session.eval(`N = {box, '${ours.name}'}, N ! A`);
      await waitUntil(() => heard.at(-1)?.constructor.name === "Reference", {
        description: "the alias",
      });
      const theirs = heard.at(-1) as Reference;
      await box.send(theirs, atom("to_the_alias"));
      expect(await session.eval("receive X -> X after 60000 -> none end")).toBe("to_the_alias");
    });
  });
});
