/** Names of nodes and processes: which ones each release, and erldist, starts under, connects to and registers. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { atom, type Node } from "../src/index.ts";
import { interopRun, type OtpNode, runOtp, startOtpNode } from "./index.ts";
import { connectBare } from "./support/bare-peer.ts";
import { runCommand, startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

/** What follows `-name` or `-sname`; NAME is a name that nobody has. And the host that the node gets. */
const OWN_NAMES: [kind: "name" | "sname", name: string, host: string | undefined][] = [
  ["name", "NAME@localhost", "localhost"],
  ["name", "NAME@127.0.0.1", "127.0.0.1"],
  ["name", "NAME@a.b", "a.b"],
  ["name", "NAME@::1", "::1"],
  ["name", "NAME@host.", "host."],
  ["name", "NAME@.", "."],
  ["name", "NAME@å.b", "å.b"],
  ["name", "NAME@a/'#+:b", "a/'#+:b"],
  ["name", "NAME@", undefined],
  ["name", "@a.b", undefined],
  ["name", "a b@c.d", undefined],
  ["name", "NAME@a b", undefined],
  ["name", "NAME@ж.b", undefined],
  ["name", "a@b@c.d", undefined],
  ["name", "å@a.b", undefined],
  ["name", "x.y@a.b", undefined],
  ["name", "x/y@a.b", undefined],
  ["name", "nonode@nohost", undefined],
  ["name", `${"x".repeat(251)}@a.b`, "a.b"],
  ["name", `${"x".repeat(252)}@a.b`, undefined],
  ["sname", "NAME", "OWN"],
  ["sname", "NAME@", "OWN"],
  ["sname", "NAME@localhost", "localhost"],
  ["sname", "NAME@::1", "::1"],
  ["sname", "NAME@1", "1"],
  ["sname", "NAME@a.b", undefined],
  ["sname", "NAME@127.0.0.1", undefined],
  ["sname", "NAME@host.", undefined],
  ["sname", "@host", undefined],
  ["sname", "x+y", undefined],
  ["sname", "nonode@nohost", undefined],
];

/** Names to connect to: whether a node with short names, and one with long names, tries. */
const PEERS: [name: string, short: boolean, long: boolean][] = [
  ["y@localhost", true, false],
  ["y@127.0.0.1", false, true],
  ["y@", false, false],
  ["@localhost", false, false],
  ["y", false, false],
  ["y z@localhost", false, false],
  ["x.y@localhost", false, false],
  ["å@localhost", false, false],
  ["a@b@localhost", false, false],
];

/** Names that connect to us, and whether they may. */
const CALLERS: [name: string, welcome: boolean][] = [
  ["NAME@vm", true],
  ["NAME@a.b", true],
  ["NAME@localhost", true],
  ["NAME@.", true],
  ["NAME@v m", true],
  ["NAME@å", true],
  ["a b@vm", false],
  ["a.b@vm", false],
  ["å@vm", false],
  ["a/b@vm", false],
];

eachOtp((otp) => {
  it("start, or do not start, as with erl", async () => {
    const run = await interopRun();
    for (const [kind, pattern, host] of OWN_NAMES) {
      const name = pattern.replace("NAME", run.uniqueName("named"));
      const { output } = await runOtp({
        otp,
        command: [
          "erl",
          "-noshell",
          `-${kind}`,
          name,
          ...["-setcookie", "secret"],
          ...["-eval", 'io:format("node ~w.~n", [atom_to_list(node())]), halt()'],
        ],
        env: { ERL_CRASH_DUMP_SECONDS: "0", LANG: "C.UTF-8" },
      });
      const full =
        host === undefined
          ? "refused"
          : `${name.split("@")[0]}@${host === "OWN" ? run.shortHost : host}`;
      const codes = /node \[([\d,\s]*)\]\./.exec(output)?.[1];
      const started =
        codes === undefined ? "refused" : String.fromCodePoint(...codes.split(",").map(Number));
      expect(started, `erl -${kind} ${name}`).toBe(full);
      const ours = await startOurNode({ name, longNames: kind === "name" }).then(
        async (node) => {
          await node.stop();
          return node.name as string;
        },
        (error: { code: string }) =>
          /^NODE_NAME_/.test(error.code) ? "refused" : `refused, ${error.code}`,
      );
      expect(ours, `ours, ${kind} ${name}`).toBe(full);
    }
  });

  describe("between nodes with names of each kind", () => {
    const theirs: Record<string, OtpNode> = {};
    const ours: Record<string, Node> = {};
    const kinds = ["short", "long", "undotted"] as const;
    beforeAll(async () => {
      const { uniqueName } = await interopRun();
      theirs.short = await startOtpNode({ otp });
      theirs.long = await startOtpNode({ otp, longNames: true });
      theirs.undotted = await startOtpNode({ otp, longNames: true, host: "localhost" });
      ours.short = await startOurNode();
      ours.long = await startOurNode({ name: `${uniqueName("ours")}@127.0.0.1` });
      const name = `${uniqueName("ours")}@localhost`;
      ours.undotted = await startOurNode({ name, longNames: true });
    });
    afterAll(async () => {
      for (const node of Object.values(ours)) await node.stop();
      for (const node of Object.values(theirs)) await node.kill();
    });

    it("the same connections succeed and fail as between Erlang nodes", async () => {
      for (const from of kinds) {
        for (const to of kinds) {
          // A long-named node connects only to hosts with a dot, others only to hosts without.
          const comes = (from === "short") === (to !== "long");
          const hint = `${from} to ${to}`;
          const [genuine, other] = [theirs[from]!, ours[to]!];
          const connected = await genuine.eval(`net_kernel:connect_node('${other.name}')`);
          expect(connected, `theirs ${hint}`).toBe(String(comes));
          await genuine.eval(`erlang:disconnect_node('${other.name}')`);
          await expect.poll(() => other.nodes("hidden")).not.toContain(genuine.name);
          await expect.poll(() => other.nodes()).not.toContain(genuine.name);
          const attempt = ours[from]!.connect(theirs[to]!.name).then(
            () => true,
            ({ code }: { code: string }) => (code === "NODE_NAME_KIND" ? false : code),
          );
          expect(await attempt, `ours ${hint}`).toBe(comes);
          ours[from]!.disconnect(theirs[to]!.name);
          await expect
            .poll(() => theirs[to]!.eval(`lists:member('${ours[from]!.name}', nodes(connected))`))
            .toBe("false");
        }
      }
    });

    it("names that no node can have are refused", async () => {
      for (const [name, short, long] of PEERS) {
        // Of a name refused before, what is printed may come late.
        const host = name.slice(name.indexOf("@") + 1);
        for (const [kind, tried] of [
          ["short", short],
          ["long", long],
        ] as const) {
          const before = theirs[kind]!.log.length;
          const answer = await theirs[kind]!.eval(
            "net_kernel:connect_node(binary_to_atom(Name, utf8))",
            { bindings: { Name: Buffer.from(name) } },
          );
          expect(answer).toBe("false");
          if (!tried) await theirs[kind]!.printed(/Cannot get connection id|fully qualified/);
          else expect(theirs[kind]!.log.slice(before)).not.toContain(`Hostname ${host} is illegal`);
          const error = await ours[kind]!.connect(name).catch((thrown: unknown) => thrown);
          const refused = /^NODE_NAME_/.test(String((error as { code?: string }).code));
          expect(refused, `${kind} to ${name}: ${error}`).toBe(!tried);
        }
      }
    });

    it("the part before the host alone decides which callers are accepted", async () => {
      const { uniqueName } = await interopRun();
      for (const [pattern, welcome] of CALLERS) {
        const name = pattern.replace("NAME", uniqueName("caller"));
        for (const kind of kinds) {
          for (const node of [theirs[kind]!, ours[kind]!]) {
            const answer = await connectBare(node.name, { name }).then(
              async (peer) => {
                await peer[Symbol.asyncDispose]();
                return "welcome";
              },
              ({ code }: { code: string }) => code,
            );
            expect(answer, `${name} to ${node.name}`).toBe(welcome ? "welcome" : "HS_NOK");
          }
        }
      }
    });
  });

  it("processes are registered under any atom but undefined", async () => {
    await using genuine = await startOtpNode({ otp });
    await using ours = await startOurNode();
    for (const name of ["", "a b", "å", "ж", "nil", "x".repeat(255), "undefined"]) {
      const answer = await genuine.eval(
        "catch begin N = binary_to_atom(Name, utf8), register(N, self()), whereis(N) =:= self() end",
        { bindings: { Name: Buffer.from(name) } },
      );
      const process = ours.spawn(async (self) => void (await self.receive()));
      let registered: unknown;
      try {
        process.register(name);
        registered = ours.whereis(atom(name)) === process;
      } catch (error) {
        registered = (error as { code: string }).code;
      }
      const taken = name !== "undefined";
      expect(answer, name).toMatch(taken ? /^true$/ : /badarg/);
      expect(registered, name).toBe(taken ? true : "PROCESS_NAME_INVALID");
    }
  });
});

it("the command takes a long name whose host has no dot", async () => {
  const { uniqueName } = await interopRun();
  await using node = await startOurNode();
  const end = await runCommand(["ping", node.name, "--name", `${uniqueName("cli")}@localhost`]);
  // Such a node connects to no host without a dot.
  expect(end).toMatchObject({ code: 1, stdout: "pang\n" });
  const name = `${uniqueName("long")}@127.0.0.1`;
  await using long = await startOurNode({ name });
  const answer = await runCommand(["ping", long.name, "--name", `${uniqueName("cli")}@localhost`]);
  expect(answer).toMatchObject({ code: 0, stdout: "pong\n" });
});
