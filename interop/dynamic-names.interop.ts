/**
 * Dynamic node names, in both roles: an Erlang node gets its name from an erldist node, and an erldist node from
 * an Erlang node or from another erldist node.
 */

import { describe, expect, it } from "vitest";
import { format, type Pid, type Term, type TermInput } from "../src/index.ts";
import {
  epmdNames,
  interopRun,
  type OtpNode,
  type OtpRelease,
  startOtpNode,
  waitUntil,
} from "./index.ts";
import { runCommand, startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

type OurNode = Awaited<ReturnType<typeof startOurNode>>;

const NAMELESS = "nonode@nohost";

async function namePattern(): Promise<RegExp> {
  return new RegExp(`^[0-9A-Z]{1,13}@${(await interopRun()).shortHost}$`);
}

const nameOf = async (erl: OtpNode): Promise<string> =>
  (await erl.eval("node()")).replaceAll("'", "");

async function startEcho(otp: OtpRelease, name?: string): Promise<OtpNode> {
  const erl = await startOtpNode({ otp, ...(name === undefined ? {} : { name }) });
  await erl.loadModule("erldist_echo");
  return erl;
}

const echoPid = (ours: OurNode, peer: string): Promise<Pid> =>
  ours.rpc.call(peer, "erldist_echo", "start", []) as Promise<Pid>;

function withEcho(node: OurNode): OurNode {
  node.expose("ts", { "echo/1": (term: Term) => term as TermInput });
  return node;
}

/** A process, and what it receives. */
function listener(node: OurNode) {
  const heard: string[] = [];
  const process = node.spawn({
    message: (message) => {
      heard.push(format(message, { mode: "~0tp" }));
    },
  });
  return { process, heard };
}

eachOtp((otp) => {
  describe("an Erlang node without a name", () => {
    it("gets one from an erldist node, loses it, and gets it again with another creation", async () => {
      await using ours = withEcho(await startOurNode());
      await using erl = await startEcho(otp, "undefined");
      expect(await nameOf(erl)).toBe(NAMELESS);
      expect(await erl.eval(`net_adm:ping('${ours.name}')`)).toBe("pang");
      expect(await erl.eval(`net_kernel:connect_node('${ours.name}')`)).toBe("true");
      const name = await nameOf(erl);
      expect(name).toMatch(await namePattern());
      expect([ours.nodes("hidden"), await erl.eval("nodes(hidden)")]).toEqual([
        [name],
        await erl.eval(`['${ours.name}']`),
      ]);
      expect(
        await erl.eval(
          `rpc:call('${ours.name}', ts, echo, [{node(), self()}]) =:= {node(), self()}`,
        ),
      ).toBe("true");
      expect(await ours.rpc.call(name, "erlang", "abs", [-1])).toBe(1);
      const first = await echoPid(ours, name);
      const { process, heard } = listener(ours);

      ours.disconnect(name);
      await waitUntil(async () => (await nameOf(erl)) === NAMELESS);
      expect(await erl.eval(`net_kernel:connect_node('${ours.name}')`)).toBe("true");
      expect(await nameOf(erl)).toBe(name);
      // The process lives on; its old pid has an old creation.
      const second = await echoPid(ours, name);
      expect([second.id, second.serial, second.equals(first)]).toEqual([
        first.id,
        first.serial,
        false,
      ]);
      await process.send(first, "to nobody");
      process.monitor(first);
      await waitUntil(() => heard.length === 1);
      expect(heard[0]).toMatch(/^\{'DOWN',.*,noproc\}$/);
      expect(
        await erl.eval(
          "erldist_echo ! {self(), count}, receive {erldist_echo, {count, N}} -> N end",
        ),
      ).toBe("0");
    });

    it("and another one get two names", async () => {
      await using ours = await startOurNode();
      await using one = await startOtpNode({ otp, name: "undefined" });
      await using two = await startOtpNode({ otp, name: "undefined" });
      for (const erl of [one, two]) {
        expect(await erl.eval(`net_kernel:connect_node('${ours.name}')`)).toBe("true");
      }
      const names = [await nameOf(one), await nameOf(two)];
      expect(names[0]).not.toBe(names[1]);
      expect(ours.nodes()).toEqual(names);
    });
  });

  describe("an erldist node without a name", () => {
    it("gets one from an Erlang node, and loses it and all connections when that connection ends", async () => {
      await using erl = await startEcho(otp);
      await using other = await startOtpNode({ otp });
      await using ours = withEcho(await startOurNode({ name: "undefined" }));
      const { process, heard } = listener(ours);
      expect([ours.name, ours.tcpPort]).toEqual([NAMELESS, 0]);
      expect(await ours.ping(erl.name)).toBe("pang");
      await ours.connect(erl.name);
      const { name, creation } = ours;
      expect(name).toMatch(await namePattern());
      // The acceptor is up a moment after the initiator, which has its last message already.
      await expect.poll(() => erl.eval("nodes(hidden)")).toBe(await erl.eval(`['${name}']`));
      const registered = await epmdNames({ otp });
      expect(registered.map((entry) => entry.name)).not.toContain(name.split("@")[0]);

      // Both ways, with a process from before that it had a name.
      expect(await erl.eval(`rpc:call('${name}', ts, echo, [hello])`)).toBe("hello");
      const alive = await ours.rpc.call(erl.name, "erlang", "node", [process.pid]);
      expect(String(alive)).toBe(name);
      await ours.rpc.call(erl.name, "erlang", "send", [process.pid, 1]);
      await waitUntil(() => heard.length === 1);
      expect(heard).toEqual(["1"]);
      // To others it goes under that name.
      expect(await ours.ping(other.name)).toBe("pang");
      await ours.connect(other.name);
      expect(await other.eval(`net_adm:ping('${name}')`)).toBe("pong");
      await erl.eval(`erlang:disconnect_node('${name}')`);
      await waitUntil(() => ours.nodes().length === 0);
      expect(ours.name).toBe(NAMELESS);
      await waitUntil(async () => (await other.eval("nodes(hidden)")) === "[]");

      await ours.connect(other.name);
      expect(ours.name).toMatch(await namePattern());
      expect([ours.name, ours.creation]).not.toEqual([name, creation]);
      expect(await other.eval(`rpc:call('${ours.name}', ts, echo, [again])`)).toBe("again");
    });

    it("may be on a host with a long name", async () => {
      await using erl = await startOtpNode({ otp, longNames: true });
      await using ours = await startOurNode({ name: "undefined@127.0.0.1", longNames: true });
      await ours.connect(erl.name);
      expect(ours.name).toMatch(/^[0-9A-Z]{1,13}@127\.0\.0\.1$/);
      expect(await erl.eval(`net_adm:ping('${ours.name}')`)).toBe("pong");
    });

    it("is what --sname undefined makes of the command", async () => {
      await using erl = await startOtpNode({ otp });
      const called = await runCommand([
        "call",
        "--sname",
        "undefined",
        erl.name,
        "erlang",
        "nodes",
        "[hidden]",
      ]);
      expect(called).toMatchObject({ code: 0, stderr: "" });
      const [name] = /[0-9A-Z]{1,13}@[^']*/.exec(called.stdout) ?? [];
      expect(name).toMatch(await namePattern());
      expect(await runCommand(["ping", "--sname", "undefined", erl.name])).toMatchObject({
        code: 0,
        stdout: "pong\n",
      });
    });
  });
});

describe("two erldist nodes", () => {
  it("one names the other", async () => {
    await using named = withEcho(await startOurNode());
    await using ours = await startOurNode({ name: "undefined" });
    await ours.connect(named.name);
    expect(ours.name).toMatch(await namePattern());
    expect(await ours.rpc.call(named.name, "ts", "echo", [1])).toBe(1);
    expect(await named.ping(ours.name)).toBe("pong");
  });
});
