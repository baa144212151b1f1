/**
 * The node's own servers: no exit signal from a peer puts them out of service, and one that ends for another
 * reason starts again under its name.
 */
import { describe, expect, it } from "vitest";
import { atom, type Node, serveKvs } from "../src/index.ts";
import { startOtpNode } from "./index.ts";
import { startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

const NAMES = ["rex", "net_kernel", "global_name_server", "user", "kvs"];

/** Asks each server for what it does; `true` when all of them do it. */
const WORKS = `Works = fun() ->
    Ref = make_ref(),
    {user, N} ! {io_request, self(), Ref, {put_chars, unicode, <<"printed">>}},
    {kvs, N} ! {self(), {store, key, value}},
    {net_adm:ping(N), rpc:call(N, erlang, node, []) =:= N, rpc:block_call(N, erlang, node, []) =:= N,
     gen_server:call({rex, N}, {call, erlang, node, [], user}) =:= N,
     gen_server:call({global_name_server, N}, get_known),
     receive {io_reply, Ref, R} -> R after 60000 -> none end,
     receive {kvs, K} -> K after 60000 -> none end,
     rpc:call(N, kvs, lookup, [kept])}
  end`;
const ALL_WORK = "{pong,true,true,true,[],ok,true,{ok,since_the_start}}";

eachOtp((otp) => {
  describe("servers that a peer tries to end", () => {
    it("are up again at once, with their data", async () => {
      await using erl = await startOtpNode({ otp });
      await using ours = await startOurNode();
      serveKvs(ours);
      await using session = erl.session();
      await session.eval(`N = '${ours.name}', ${WORKS}`);
      await session.eval("true = rpc:call(N, kvs, store, [kept, since_the_start])");
      await session.eval(
        `Lock = fun(Id) -> gen_server:call({global_name_server, N}, {set_lock, Id}) end`,
      );
      expect(await session.eval("Lock({resource, me})")).toBe("true");
      for (const name of NAMES) {
        for (const reason of ["kill", "why", "normal"]) {
          await session.eval(`exit(rpc:call(N, erlang, whereis, [${name}]), ${reason})`);
          await session.eval(`true = is_pid(rpc:call(N, erlang, whereis, [${name}]))`);
          expect([name, reason, await session.eval("Works()")]).toEqual([name, reason, ALL_WORK]);
        }
        // As its memory limit would end it, or a bug.
        ended(ours, name);
        expect([name, await session.eval("Works()")]).toEqual([name, ALL_WORK]);
      }
      expect(await session.eval("Lock({resource, another})")).toBe("false");
    });

    it("can be monitored: the end of kvs is reported, and its successor is another process", async () => {
      await using erl = await startOtpNode({ otp });
      await using ours = await startOurNode();
      serveKvs(ours);
      await using session = erl.session();
      await session.eval(`N = '${ours.name}', P1 = rpc:call(N, erlang, whereis, [kvs])`);
      expect(
        await session.eval(
          "M = monitor(process, P1), exit(P1, kill), receive {'DOWN', M, _, _, R} -> R after 60000 -> none end",
        ),
      ).toBe("killed");
      expect(await session.eval("P1 =:= rpc:call(N, erlang, whereis, [kvs])")).toBe("false");
    });
  });
});

function ended(node: Node, name: string): void {
  node.whereis(name)!.terminate(atom("why"));
}
