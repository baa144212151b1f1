/** `erldist decode` explains the recorded conversation of two Erlang nodes. */

import { writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { expect, it } from "vitest";
import { interopRun, startOtpNode, waitUntil } from "./index.ts";
import { runCommand } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

/** Passes bytes on between whoever connects and a port, and keeps what each side wrote. */
async function recorder(to: number) {
  const wrote = { initiator: [] as Buffer[], acceptor: [] as Buffer[] };
  const pass = (from: Socket, into: Socket, kept: Buffer[]): void => {
    from.on("data", (chunk) => {
      kept.push(chunk);
      into.write(chunk);
    });
    from.on("error", () => into.destroy());
    from.on("close", () => into.destroy());
  };
  const server = createServer((initiator) => {
    const acceptor = connect(to, "127.0.0.1");
    pass(initiator, acceptor, wrote.initiator);
    pass(acceptor, initiator, wrote.acceptor);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { wrote, server, tcpPort: (server.address() as { port: number }).port };
}

eachOtp((otp) => {
  it("names each message of both sides, handshake first", async () => {
    const { home, uniqueName } = await interopRun();
    await using gandalf = await startOtpNode({ otp });
    await gandalf.eval("register(target, spawn(fun F() -> receive stop -> ok; _ -> F() end end))");
    const port = await gandalf.eval(
      `{port, P, _} = erl_epmd:port_please("${gandalf.name.split("@")[0]}", {127,0,0,1}), P`,
    );
    const tape = await recorder(Number(port));
    await using caller = await startOtpNode({
      otp,
      args: ["-erl_epmd_port", String(tape.tcpPort), "-dist_listen", "false"],
    });
    expect(await caller.eval(`net_adm:ping('${gandalf.name}')`)).toBe("pong");
    expect(
      await caller.eval(
        `{target, '${gandalf.name}'} ! {hello, [1, 2, 3]}, rpc:call('${gandalf.name}', lists, seq, [1, 3])`,
      ),
    ).toBe("[1,2,3]");
    await waitUntil(() => tape.wrote.acceptor.length > 3);
    tape.server.close();
    const files = (["initiator", "acceptor"] as const).map((side) => {
      const file = join(home, `${uniqueName(side)}.bin`);
      writeFileSync(file, Buffer.concat(tape.wrote[side]));
      return [`--${side}`, file];
    });
    const end = await runCommand(["decode", ...files.flat()]);
    expect(end).toMatchObject({ code: 0, stderr: "" });
    for (const word of [
      /send_name/,
      /send_challenge/,
      /challenge_ack/,
      /REG_SEND.*target/,
      /\{hello,\[1,2,3\]\}/,
      /SPAWN_REQUEST.*erpc/,
      /MONITOR_P_EXIT/,
    ]) {
      expect(end.stdout).toMatch(word);
    }
    expect(end.stdout).not.toContain(caller.cookie);
    const damaged = join(home, `${uniqueName("damaged")}.bin`);
    const bytes = Buffer.concat(tape.wrote.initiator);
    writeFileSync(damaged, Buffer.concat([bytes, Buffer.from([0, 0, 0, 2, 131, 99])]));
    const failed = await runCommand(["decode", damaged]);
    expect(failed.code).toBe(7);
    expect(failed.stdout).toMatch(new RegExp(`${bytes.length}.*error`, "i"));
  });
});
