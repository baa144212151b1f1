/** Large messages travel in fragments from and to an Erlang node, and small ones do not wait for them. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { atom, type Node, type Pid, type Process, type Term, tuple } from "../src/index.ts";
import { type OtpNode, type OtpSession, startOtpNode } from "./index.ts";
import { startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

const MIB = 1 << 20;

eachOtp((otp) => {
  describe("large messages", () => {
    let erl: OtpNode;
    let ours: Node;
    let session: OtpSession;
    beforeAll(async () => {
      erl = await startOtpNode({ otp });
      ours = await startOurNode();
      const echo = ours.spawn({
        message: (message: Term, self: Process) => {
          const [from, what] = message as unknown as [Pid, Term];
          return self.send(from, tuple(atom("echo"), what));
        },
      });
      echo.register("echo");
      session = erl.session();
      await session.eval(`N = '${ours.name}', pong = net_adm:ping(N)`);
    });
    afterAll(async () => {
      session.close();
      await ours.stop();
      await erl.kill();
    });

    it.each([65_535, 65_536, 65_537, 131_072, MIB, 20 * MIB])(
      "a binary of %i bytes comes back as it went",
      async (bytes) => {
        const text = `(fun() -> B = binary:copy(<<"0123456789abcdef!">>, ${bytes} div 17 + 1),
          C = binary:part(B, 0, ${bytes}), {echo, N} ! {self(), C}, receive {echo, X} -> X =:= C end end)()`;
        expect(await session.eval(text)).toBe("true");
      },
    );

    it("terms with many atoms, large and small, from many processes at once, come back as they went", async () => {
      const text = `(fun() -> Self = self(),
        Make = fun(I) -> [{list_to_atom("atom_" ++ integer_to_list((I * 37 + J) rem 5000)), J, self(), make_ref()}
          || J <- lists:seq(1, (I rem 7) * 400 + 1)] end,
        [spawn_link(fun() -> [begin T = Make(I * 100 + K), {echo, N} ! {self(), T}, receive {echo, T} -> ok end end
          || K <- lists:seq(1, 10)], Self ! done end) || I <- lists:seq(1, 20)],
        [receive done -> ok end || _ <- lists:seq(1, 20)], ok end)()`;
      expect(await session.eval(text.replace(/\s+/g, " "))).toBe("ok");
    });

    it("a small message overtakes 100 MB of another process", async () => {
      await session.eval("register(collector, self())");
      const large = ours.spawn({ message: () => {} });
      const small = ours.spawn({ message: () => {} });
      const sent = large.send(
        ["collector", erl.name],
        tuple(atom("large"), new Uint8Array(100 * MIB)),
      );
      await small.send(["collector", erl.name], atom("small"));
      const text =
        "receive First -> receive Second -> {element(1, {First}), element(1, Second)} end end";
      expect(await session.eval(text)).toBe("{small,large}");
      await sent;
    });

    it("messages of one process keep their order, large or small", async () => {
      await session.eval("catch register(collector, self())");
      const sender = ours.spawn({ message: () => {} });
      for (let index = 0; index < 20; index++) {
        const payload = new Uint8Array(index % 3 === 0 ? 300_000 : 10);
        await sender.send(["collector", erl.name], tuple(index, payload));
      }
      const text = "[receive {I, _} -> I end || _ <- lists:seq(1, 20)] =:= lists:seq(0, 19)";
      expect(await session.eval(text)).toBe("true");
    });
  });
});
