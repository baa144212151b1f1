/**
 * Two hosts across a firewall, the last stage of the chapter: EPMD's port and a range are open, and nothing
 * else. An Erlang node on one host, an erldist node on the other: calls work in both directions, whichever
 * connects first.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  createNetworkHosts,
  interopRun,
  type NetworkHosts,
  type OtpNode,
  startOtpNode,
  waitUntil,
} from "./index.ts";
import { runCommand, startKvsCommand, startNodeProgram } from "./support/our-node.ts";
import { eachOtp, withNamespaces } from "./support/vitest.ts";

const MIN = 9100;
const MAX = 9105;
const EPMD_PORT = 4369;

it("where namespaces cannot be made, says what it takes and how to leave such tests out", async () => {
  const folder = mkdtempSync(join(tmpdir(), "erldist-ip-"));
  writeFileSync(join(folder, "ip"), "#!/bin/sh\necho not permitted >&2\nexit 1\n", { mode: 0o755 });
  vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  try {
    const failure = await createNetworkHosts().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "INTEROP_NO_NAMESPACES" });
    expect((failure as Error).message).toMatch(/iproute2.*ERLDIST_WITHOUT=namespaces/);
  } finally {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  }
});

withNamespaces("two hosts", () => {
  let hosts: NetworkHosts;
  beforeAll(async () => {
    hosts = await createNetworkHosts({ open: { min: MIN, max: MAX } });
  });
  afterAll(() => hosts.remove());

  const range = ["--dist-listen-min", String(MIN), "--dist-listen-max", String(MAX)];
  const epmd = { ERL_EPMD_PORT: String(EPMD_PORT) };

  /** `erldist kvs` on the first host. */
  const startOurs = (ports: readonly string[]) =>
    startKvsCommand(["-name", `gandalf@${hosts.a.address}`, ...ports], {
      env: epmd,
      within: (argv) => hosts.a.command(argv),
    });

  eachOtp((otp) => {
    /** An Erlang node on the second host. */
    const startTheirs = (...kernel: string[]): Promise<OtpNode> =>
      startOtpNode({
        otp,
        name: "bilbo",
        longNames: true,
        host: hosts.b.address,
        epmdPort: EPMD_PORT,
        namespace: hosts.b,
        args: [
          ...["-kernel", "inet_dist_listen_min", String(MIN), "inet_dist_listen_max", String(MAX)],
          ...kernel,
        ],
      });

    describe("with the range open", () => {
      it("the Erlang node connects and calls", async () => {
        await using gandalf = await startOurs(range);
        await using bilbo = await startTheirs();
        expect(gandalf.tcpPort).toBeGreaterThanOrEqual(MIN);
        expect(gandalf.tcpPort).toBeLessThanOrEqual(MAX);
        const call = (text: string) => bilbo.eval(text.replaceAll("GANDALF", `'${gandalf.name}'`));
        expect(await call("net_adm:ping(GANDALF)")).toBe("pong");
        expect(await call("rpc:call(GANDALF, kvs, store, [weather, fine])")).toBe("true");
        expect(await call("erpc:call(GANDALF, kvs, lookup, [weather])")).toBe("{ok,fine}");
        expect(await call(`net_adm:names("${hosts.a.address}")`)).toBe(
          `{ok,[{"gandalf",${gandalf.tcpPort}}]}`,
        );
      });

      it("the erldist node connects and calls", async () => {
        await using bilbo = await startTheirs();
        await bilbo.loadModule("kvs");
        await bilbo.eval("kvs:start(), kvs:store(weather, fine)");
        const run = (args: readonly string[]) =>
          runCommand(args, { env: epmd, within: (argv) => hosts.a.command(argv) });
        expect(await run(["ping", bilbo.name])).toMatchObject({ code: 0, stdout: "pong\n" });
        expect(await run(["call", bilbo.name, "kvs", "lookup", "[weather]"])).toMatchObject({
          code: 0,
          stdout: "{ok,fine}\n",
        });
        expect(await run(["names", hosts.b.address])).toMatchObject({
          code: 0,
          stdout: expect.stringMatching(
            /^epmd: up and running on port 4369 with data:\nname bilbo at port 910[0-5]\n$/,
          ),
        });
      });
    });

    it("a connection serves both directions, whichever node made it", async () => {
      await using bilbo = await startTheirs();
      const startOurProgram = (connectTo: { connectTo?: string }, portMin: number) =>
        startNodeProgram(
          { name: `gandalf@${hosts.a.address}`, listen: { portMin, portMax: MAX }, ...connectTo },
          { env: epmd, within: (argv) => hosts.a.command(argv) },
        );
      const bothWays = async (name: string) => {
        expect(await bilbo.eval(`rpc:call('${name}', ts, echo, [weather])`)).toBe("weather");
        // It calls back over the connection that the call came on.
        expect(
          await bilbo.eval(
            `rpc:call('${name}', ts, call, [node(), erlang, nodes, [hidden]]) =:= ['${name}']`,
          ),
        ).toBe("true");
      };
      {
        await using theyConnect = await startOurProgram({}, MIN);
        await bothWays(theyConnect.name);
      }
      await waitUntil(async () => (await bilbo.eval("nodes(hidden)")) === "[]");
      // Ours listens where nobody gets through: it is its own connection that they use.
      const outside = await (await interopRun()).freeTcpPort();
      await using weConnect = await startOurProgram({ connectTo: bilbo.name }, outside);
      await bothWays(weConnect.name);
    });

    it("a node on a port outside the range is found but cannot be reached", async () => {
      const run = await interopRun();
      const outside = String(await run.freeTcpPort());
      await using gandalf = await startOurs(["--dist-listen-min", outside]);
      // How long it tries, in seconds.
      await using bilbo = await startTheirs("net_setuptime", "1");
      const refused = hosts.a.refusedPackets();
      expect(await bilbo.eval(`net_adm:names("${hosts.a.address}")`)).toBe(
        `{ok,[{"gandalf",${gandalf.tcpPort}}]}`,
      );
      const text = `net_kernel:connect_node('${gandalf.name}')`;
      expect(await bilbo.eval(text)).toBe("false");
      expect(hosts.a.refusedPackets()).toBeGreaterThan(refused);
    });
  });

  it("erldist names the firewall as a likely cause", async () => {
    const run = await interopRun();
    const outside = String(await run.freeTcpPort());
    await using gandalf = await startOurs(["--dist-listen-min", outside]);
    const end = await runCommand(["ping", gandalf.name], {
      env: epmd,
      within: (argv) => hosts.b.command(argv),
    });
    expect(end).toMatchObject({ code: 1, stdout: "pang\n" });
    expect(end.stderr).toMatch(/firewall/);
  });
});
