/**
 * EPMD: erldist's serves Erlang nodes and answers OTP's tools, OTP's serves erldist nodes, and an erldist node
 * stays registered whatever happens to the EPMD that it registered with.
 */

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EpmdClient, EpmdServer, tcpNetwork } from "../src/epmd/index.ts";
import { atom } from "../src/index.ts";
import {
  type Epmd,
  epmdNames,
  interopRun,
  type OtpNode,
  type OtpRelease,
  runOtp,
  startEpmd,
  startOtpNode,
  waitUntil,
} from "./index.ts";
import { otpCommand, otpPath } from "./releases.ts";
import { startKvsCommand, startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

const network = tcpNetwork();

const aliveOf = (node: { readonly name: string }): string => node.name.split("@")[0]!;

/** The names that the release's `epmd -names` reads there, sorted; undefined when nobody answers. */
async function namesAt(otp: OtpRelease, tcpPort: number): Promise<string[] | undefined> {
  try {
    return (await epmdNames({ otp, tcpPort })).map(({ name }) => name).sort();
  } catch {
    return undefined;
  }
}

async function untilNames(otp: OtpRelease, tcpPort: number, expected: string[]): Promise<void> {
  const wanted = JSON.stringify([...expected].sort());
  let seen: string[] | undefined;
  await waitUntil(
    async () => {
      seen = await namesAt(otp, tcpPort);
      return JSON.stringify(seen) === wanted;
    },
    { description: `EPMD on port ${tcpPort} to know ${wanted}` },
  );
  expect(seen).toEqual(JSON.parse(wanted));
}

/** A folder for PATH, with a program `epmd` of this text in it. */
async function folderWithEpmd(name: string, script: string): Promise<string> {
  const folder = join((await interopRun()).home, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "epmd"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, "epmd"), 0o755);
  return folder;
}

/** An environment whose `epmd` is the release's. */
async function withEpmdOf(otp: OtpRelease): Promise<{ PATH: string }> {
  const command = otpCommand(otp, ["epmd"]).map((word) => `'${word}'`);
  const script = `export PATH='${otpPath(otp)}'\nexec ${command.join(" ")} "$@"`;
  return { PATH: `${await folderWithEpmd(`epmd-${otp.release}`, script)}:${process.env.PATH}` };
}

/** An environment whose `epmd`, the first to be found, does not start. */
async function withoutEpmd(): Promise<{ PATH: string }> {
  return { PATH: `${await folderWithEpmd("no-epmd", "exit 1")}:${process.env.PATH}` };
}

eachOtp((otp) => {
  // OTP 23 registers once: when EPMD ends, its name is lost.
  const registersAgain = Number(otp.release) >= 24;

  describe("Erlang nodes with erldist's EPMD", () => {
    let tcpPort: number;
    let epmd: EpmdServer;
    let bilbo: OtpNode;
    const serve = () => EpmdServer.start({ network, tcpPort });
    const node = (name?: string) =>
      startOtpNode({ otp, epmdPort: tcpPort, ...(name === undefined ? {} : { name }) });

    beforeAll(async () => {
      tcpPort = await (await interopRun()).freeTcpPort();
      epmd = await serve();
      bilbo = await node();
    });
    afterAll(async () => {
      await bilbo.kill();
      await epmd.close();
    });

    it("register, take the creation they are given, and find each other", async () => {
      await using gandalf = await node();
      expect(await bilbo.eval(`net_adm:ping('${gandalf.name}')`)).toBe("pong");
      const [newest, oldest] = epmd.nodes();
      expect([newest?.name, oldest?.name]).toEqual([aliveOf(gandalf), aliveOf(bilbo)]);
      expect(await gandalf.eval("erlang:system_info(creation)")).toBe(String(newest?.creation));
      expect(await bilbo.eval("lists:sort(element(2, net_adm:names()))")).toBe(
        `[{"${oldest?.name}",${oldest?.tcpPort}},{"${newest?.name}",${newest?.tcpPort}}]`,
      );
      expect(await bilbo.eval(`erl_epmd:port_please("${newest?.name}", "localhost")`)).toBe(
        `{port,${newest?.tcpPort},${newest?.highestVersion}}`,
      );
      expect(await bilbo.eval('erl_epmd:port_please("nobody", "localhost")')).toBe("noport");
    });

    it("lose their name when they are killed, and come back with another creation", async () => {
      const gandalf = await node();
      const alive = aliveOf(gandalf);
      const before = epmd.nodes()[0]!.creation;
      await gandalf.kill();
      await waitUntil(() => epmd.nodes().every(({ name }) => name !== alive));
      expect(await bilbo.eval(`erl_epmd:port_please("${alive}", "localhost")`)).toBe("noport");
      await using again = await node(alive);
      expect(await bilbo.eval(`net_adm:ping('${again.name}')`)).toBe("pong");
      const { creation } = epmd.nodes()[0]!;
      expect(creation).not.toBe(before);
      expect(await again.eval("erlang:system_info(creation)")).toBe(String(creation));
    });

    it("cannot have a name that is taken, and neither can an erldist node", async () => {
      const alive = aliveOf(bilbo);
      await expect(node(alive)).rejects.toMatchObject({
        code: "INTEROP_START_FAILED",
        message: expect.stringMatching(/in use|duplicate_name/),
      });
      const ours = startOurNode({ name: alive, epmd: { port: tcpPort, mode: "system" } });
      await expect(ours).rejects.toMatchObject({
        code: "EPMD_NAME_TAKEN",
        message: expect.stringContaining(alive),
      });
      expect(epmd.nodes().map(({ name }) => name)).toEqual([alive]);
    });

    // Debian puts erl_call on the PATH; a release installed otherwise keeps it in a folder of its own.
    if (otp.root !== undefined) {
      it("are found by erl_call, and so is an erldist node", async () => {
        await using ours = await startOurNode({ epmd: { port: tcpPort } });
        ours.expose("ts", { half: (number: number) => number / 2 });
        const call = (name: string, what: string) => {
          const command = ["erl_call", "-sname", name, "-c", bilbo.cookie, "-a", what];
          return runOtp({ otp, command, env: { ERL_EPMD_PORT: String(tcpPort) } });
        };
        expect(await call(bilbo.name, "erlang abs [-5]")).toEqual({ code: 0, output: "5" });
        expect(await call(ours.name, "ts half [84]")).toEqual({ code: 0, output: "42" });
      });
    }

    if (registersAgain) {
      it("register again with one that was restarted", async () => {
        await using gandalf = await node();
        const { creation } = epmd.nodes()[0]!;
        await epmd.close();
        expect(await bilbo.eval("net_adm:names()")).toMatch(/^\{error,/);
        epmd = await serve();
        await waitUntil(() => epmd.nodes().length === 2, { description: "both to be back" });
        expect(await bilbo.eval(`net_adm:ping('${gandalf.name}')`)).toBe("pong");
        // As they ignore the new creation, so do we.
        expect(await gandalf.eval("erlang:system_info(creation)")).toBe(String(creation));
      });
    }
  });

  describe.each([
    { relaxed: false, named: "as it is" },
    { relaxed: true, named: "relaxed" },
  ])("the epmd command asks an EPMD $named", ({ relaxed }) => {
    /** What each command prints, ports and names replaced, and its exit code. */
    async function answers(tcpPort: number): Promise<string[]> {
      const seen: string[] = [];
      const ask = async (...args: string[]) => {
        const command = ["epmd", "-port", String(tcpPort), ...args];
        const { code, output } = await runOtp({ otp, command });
        seen.push(`${args.join(" ")}: ${output.trim()} (${code})`);
      };
      const bilbo = await startOtpNode({ otp, epmdPort: tcpPort });
      const tidy = (text: string) =>
        text
          .replaceAll(String(tcpPort), "EPMD")
          .replaceAll(aliveOf(bilbo), "bilbo")
          .replaceAll(/at port \d+/g, "at port N");
      await ask("-names");
      await ask("-stop", "nobody");
      await ask("-kill");
      if (!relaxed) await ask("-names");
      await ask("-stop", aliveOf(bilbo));
      await ask("-names");
      await bilbo.kill();
      await waitUntil(async () => ((await namesAt(otp, tcpPort)) ?? []).length === 0);
      await ask("-kill");
      await ask("-names");
      return seen.map(tidy);
    }

    it("and gets the same answers from erldist's as from its own", async () => {
      const run = await interopRun();
      await using ours = await EpmdServer.start({
        network,
        tcpPort: await run.freeTcpPort(),
        relaxedCommandCheck: relaxed,
      });
      await using theirs = await startEpmd({
        otp,
        tcpPort: await run.freeTcpPort(),
        args: relaxed ? ["-relaxed_command_check"] : [],
      });
      const [fromOurs, fromTheirs] = [await answers(ours.tcpPort), await answers(theirs.tcpPort)];
      expect(fromOurs).toEqual(fromTheirs);
      const kill = relaxed ? "Killed (0)" : "Killing not allowed - living nodes in database. (1)";
      expect(fromOurs).toContain(`-kill: ${kill}`);
      await ours.closed;
    });
  });

  describe("erldist's client with OTP's epmd", () => {
    let epmd: Epmd;
    let client: EpmdClient;
    beforeEach(async () => {
      const tcpPort = await (await interopRun()).freeTcpPort();
      epmd = await startEpmd({ otp, tcpPort });
      client = new EpmdClient({ network, tcpPort });
    });
    afterEach(() => epmd.stop());

    it("registers a name, and finds it with everything registered", async () => {
      const extra = Buffer.from("more");
      await using gandalf = await client.register("gandalf", 41_234, { hidden: true, extra });
      expect(gandalf.creation).toBeGreaterThan(3);
      expect(await client.portPlease("gandalf", "localhost")).toEqual({
        name: "gandalf",
        tcpPort: 41_234,
        nodeType: 72,
        protocol: 0,
        highestVersion: 6,
        lowestVersion: 5,
        extra,
      });
      await expect(client.portPlease("bilbo", "localhost")).rejects.toMatchObject({
        code: "EPMD_NAME_UNKNOWN",
      });
      expect(await client.names()).toEqual(await epmdNames({ otp, tcpPort: epmd.tcpPort }));
      expect(await client.names()).toEqual([{ name: "gandalf", tcpPort: 41_234 }]);
    });

    it("gets an error while a name is taken, and another creation once it is free", async () => {
      const first = await client.register("gandalf", 41_234);
      await expect(client.register("gandalf", 41_235)).rejects.toMatchObject({
        code: "EPMD_NAME_TAKEN",
      });
      await first.close();
      await waitUntil(async () => (await client.names()).length === 0);
      await using second = await client.register("gandalf", 41_235);
      expect(second.creation).not.toBe(first.creation);
    });

    it("notices the end of EPMD", async () => {
      const registration = await client.register("gandalf", 41_234);
      await epmd.stop();
      expect(await registration.lost).toMatchObject({ code: "EPMD_CLOSED" });
      await expect(client.names()).rejects.toMatchObject({ code: "EPMD_UNREACHABLE" });
    });
  });

  describe("an erldist node", () => {
    let tcpPort: number;
    beforeEach(async () => {
      tcpPort = await (await interopRun()).freeTcpPort();
    });

    it("--epmd auto starts the system's epmd, which outlives it", async () => {
      const env = await withEpmdOf(otp);
      const port = String(tcpPort);
      const run = await interopRun();
      const name = run.uniqueName("gandalf");
      await using gandalf = await startKvsCommand(["--sname", name, "--epmd-port", port], { env });
      await using bilbo = await startOtpNode({ otp, epmdPort: tcpPort });
      expect(await bilbo.eval(`net_adm:ping('${gandalf.name}')`)).toBe("pong");
      gandalf.signal("SIGTERM");
      expect(await gandalf.ended).toMatchObject({ code: 0, stderr: "" });
      await untilNames(otp, tcpPort, [aliveOf(bilbo)]);
      await bilbo.kill();
      await untilNames(otp, tcpPort, []);
      const kill = await runOtp({ otp, command: ["epmd", "-port", port, "-kill"] });
      expect(kill).toEqual({ code: 0, output: "Killed\n" });
    });

    it("--epmd auto takes the epmd that runs, and starts the system's when that is gone", async () => {
      await using epmd = await startEpmd({ otp, tcpPort });
      await using gandalf = await startKvsCommand(
        ["--sname", (await interopRun()).uniqueName("gandalf"), "--epmd-port", String(tcpPort)],
        { env: await withEpmdOf(otp) },
      );
      await untilNames(otp, tcpPort, [aliveOf(gandalf)]);
      await epmd.stop();
      await untilNames(otp, tcpPort, [aliveOf(gandalf)]);
      gandalf.signal("SIGTERM");
      expect(await gandalf.ended).toMatchObject({ code: 0 });
      await untilNames(otp, tcpPort, []);
      await runOtp({ otp, command: ["epmd", "-port", String(tcpPort), "-kill"] });
    });

    it("--epmd auto serves EPMD itself where the system's does not start", async () => {
      await using gandalf = await startKvsCommand(
        ["--sname", (await interopRun()).uniqueName("gandalf"), "--epmd-port", String(tcpPort)],
        { env: await withoutEpmd() },
      );
      await using bilbo = await startOtpNode({ otp, epmdPort: tcpPort });
      expect(await bilbo.eval(`net_adm:ping('${gandalf.name}')`)).toBe("pong");
      await untilNames(otp, tcpPort, [aliveOf(gandalf), aliveOf(bilbo)]);
      gandalf.signal("SIGTERM");
      expect(await gandalf.ended).toMatchObject({ code: 0, stderr: "" });
      expect(await namesAt(otp, tcpPort)).toBe(undefined);
    });

    it("goes on working without EPMD, and registers again when one is back", async () => {
      const epmd = await startEpmd({ otp, tcpPort });
      await using bilbo = await startOtpNode({ otp, epmdPort: tcpPort });
      await using ours = await startOurNode({ epmd: { port: tcpPort, mode: "system" } });
      ours.expose("ts", { add: (a: number, b: number) => a + b });
      const downs: string[] = [];
      ours.on("nodedown", ({ name }) => downs.push(name));
      const bothWays = async () => {
        expect(await ours.rpc.call(bilbo.name, "erlang", "abs", [-5])).toBe(5);
        expect(await bilbo.eval(`rpc:call('${ours.name}', ts, add, [1, 2])`)).toBe("3");
      };
      await bothWays();
      await epmd.stop();
      await bothWays();
      await expect(ours.connect(`nobody@${bilbo.name.split("@")[1]}`)).rejects.toMatchObject({
        code: "EPMD_UNREACHABLE",
      });
      await using _again = await startEpmd({ otp, tcpPort });
      await untilNames(otp, tcpPort, [ours, ...(registersAgain ? [bilbo] : [])].map(aliveOf));
      await bothWays();
      expect(downs).toEqual([]);
      // And it is found through the new one, and finds.
      ours.disconnect(bilbo.name);
      if (registersAgain) {
        expect(await ours.rpc.call(bilbo.name, "erlang", "nodes", [atom("hidden")])).toEqual([
          atom(ours.name),
        ]);
        ours.disconnect(bilbo.name);
      }
      await waitUntil(async () => (await bilbo.eval("nodes(hidden)")) === "[]");
      expect(await bilbo.eval(`net_adm:ping('${ours.name}')`)).toBe("pong");
    });

    it("takes over when the program that served EPMD is killed", async () => {
      const run = await interopRun();
      const start = () =>
        startKvsCommand([
          ...["--sname", run.uniqueName("gandalf")],
          ...["--epmd", "embedded", "--epmd-port", String(tcpPort)],
        ]);
      await using first = await start();
      await using second = await start();
      await using third = await start();
      await using bilbo = await startOtpNode({ otp, epmdPort: tcpPort });
      await untilNames(otp, tcpPort, [first, second, third, bilbo].map(aliveOf));
      await using session = bilbo.session();
      await session.eval(`net_kernel:monitor_nodes(true, [{node_type, all}]),
        pong = net_adm:ping('${second.name}'), receive {nodeup, _, _} -> ok end`);

      first.signal("SIGKILL");
      await first.ended;
      const left = [second, third, ...(registersAgain ? [bilbo] : [])];
      await untilNames(otp, tcpPort, left.map(aliveOf));
      // What was connected stayed so; what was not connects through the new EPMD.
      expect(await session.eval("receive M -> M after 0 -> quiet end")).toBe("quiet");
      const lookup = (name: string) => `rpc:call('${name}', kvs, lookup, [a])`;
      expect(await session.eval(lookup(second.name))).toBe("undefined");
      expect(await session.eval(lookup(third.name))).toBe("undefined");
      await using late = await startOtpNode({ otp, epmdPort: tcpPort });
      for (const { name } of left) {
        expect(await late.eval(`net_adm:ping('${name}')`)).toBe("pong");
      }
    });

    it("--epmd off does not register, and finds others", async () => {
      await using epmd = await startEpmd({ otp, tcpPort });
      await using bilbo = await startOtpNode({ otp, epmdPort: tcpPort });
      await using ours = await startOurNode({ epmd: { port: tcpPort, mode: "off" } });
      expect(await ours.ping(bilbo.name)).toBe("pong");
      expect(await namesAt(otp, epmd.tcpPort)).toEqual([aliveOf(bilbo)]);
      ours.disconnect(bilbo.name);
      await waitUntil(async () => (await bilbo.eval("nodes(hidden)")) === "[]");
      expect(await bilbo.eval(`net_adm:ping('${ours.name}')`)).toBe("pang");
    });
  });
});
