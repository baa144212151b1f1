/** The command against real things: what it prints, how it ends, and what it says when it fails. */

import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  epmdNames,
  interopRun,
  type OtpNode,
  otpReleases,
  startOtpNode,
  waitUntil,
} from "./index.ts";
import { type CommandEnd, runCommand, startCommand, startKvsCommand } from "./support/our-node.ts";
import "./support/vitest.ts";

/** The newest release stands for all; the handshake tests cover what differs by release. */
const otp = otpReleases().at(-1)!;

const run = (...args: string[]): Promise<CommandEnd> => runCommand(args);

describe("erldist", () => {
  let erl: OtpNode;
  beforeAll(async () => {
    erl = await startOtpNode({ otp });
    await erl.loadModule("erldist_echo");
  });
  afterAll(() => erl.kill());

  describe("call", () => {
    it("prints a badrpc and ends with 1", async () => {
      expect(await run("call", erl.name, "erldist_echo", "fail", "[exit, why]")).toMatchObject({
        code: 1,
        stdout: "{badrpc,{'EXIT',why}}\n",
      });
    });

    it("takes true and false for names", async () => {
      expect(await run("call", erl.name, "true", "false", "[]")).toMatchObject({
        code: 1,
        stdout: "{badrpc,{'EXIT',{undef,[{true,false,[],[]}]}}}\n",
      });
    });

    it("prints JSON with Erlang's types marked", async () => {
      const text = '[{ok, <<"x">>, [1, 2.0], #{<<"k">> => null}}]';
      expect(await run("call", erl.name, "erldist_echo", "echo", text, "--json")).toMatchObject({
        code: 0,
        stdout: '{"$t":[{"$a":"ok"},"x",[1,{"$f":2}],{"k":{"$a":"null"}}]}\n',
      });
    });

    it("prints JSON of terms as deep as they come", async () => {
      const nested = "lists:foldl(fun(_, T) -> [T] end, [], lists:seq(1, 20000))";
      await erl.eval(`persistent_term:put(nested, ${nested})`);
      expect(
        await run("call", erl.name, "persistent_term", "get", "[nested]", "--json"),
      ).toMatchObject({ code: 0, stdout: `${"[".repeat(20_001)}${"]".repeat(20_001)}\n` });
    });

    it("ends with 6 when the answer takes too long", async () => {
      const end = await run(
        "call",
        erl.name,
        "erldist_echo",
        "sleep",
        "[60000]",
        "--timeout",
        "0.2",
      );
      expect(end).toMatchObject({ code: 6, stdout: "" });
      expect(end.stderr).toMatch(/within 200 ms.*\[CALL_TIMEOUT\]/);
    });

    it("ends with 2 and a caret when the arguments are not a term", async () => {
      const end = await run("call", erl.name, "erldist_echo", "echo", "[{a, b]");
      expect(end).toMatchObject({ code: 2, stdout: "" });
      expect(end.stderr).toMatch(/\[\{a, b\]\n\s+\^/);
      expect(await run("call", erl.name, "erldist_echo", "echo", "weather")).toMatchObject({
        code: 2,
      });
    });

    it("takes Erlang's spellings of options", async () => {
      const me = (await interopRun()).uniqueName("me");
      const end = await run("call", "-sname", me, erl.name, "erlang", "nodes", "[hidden]");
      expect(end).toMatchObject({ code: 0, stdout: expect.stringContaining(`${me}@`) });
    });
  });

  describe("without success", () => {
    it("ends with 2 for an invalid command line", async () => {
      for (const args of [[], ["kv"], ["ping"], ["call", erl.name], ["ping", erl.name, "--frob"]]) {
        const end = await run(...args);
        expect(end).toMatchObject({ code: 2, stdout: "" });
        expect(end.stderr).toMatch(/\S/);
      }
    });

    it("ends with 2 for a short name against a long one", async () => {
      const end = await run("call", "--sname", "me", "gandalf@192.0.2.1", "a", "b");
      expect(end.code).toBe(2);
      expect(end.stderr).toMatch(/short name.*long one.*--sname.*--name.*NODE_NAME_KIND\]/);
    });

    it("ends with 3 when the node is not known to EPMD", async () => {
      const end = await run("call", "nobody_there", "a", "b");
      expect(end.code).toBe(3);
      expect(end.stderr).toMatch(/"nobody_there".*EPMD_NAME_UNKNOWN\]/);
    });

    it("ends with 3 when no EPMD answers", async () => {
      const port = String(await (await interopRun()).freeTcpPort());
      for (const args of [["names"], ["call", "gandalf", "a", "b"]]) {
        const end = await run(...args, "--epmd-port", port);
        expect(end.code).toBe(3);
        expect(end.stderr).toMatch(/EPMD_UNREACHABLE/);
      }
    });

    it("ends with 3 when the host is not known", async () => {
      const end = await run("call", "gandalf@no-such-host-here", "a", "b");
      expect(end.code).toBe(3);
      expect(end.stderr).toMatch(/no-such-host-here.*EPMD_HOST_UNKNOWN/);
    });

    it("ends with 3 when nobody listens on the node's port", async () => {
      const port = String(await (await interopRun()).freeTcpPort());
      const end = await run("call", "gandalf", "a", "b", "--erl-epmd-port", port);
      expect(end.code).toBe(3);
      expect(end.stderr).toMatch(/CALL_NO_CONNECTION: TRANSPORT_REFUSED\]/);
    });

    it("ends with 4 when the cookie is refused", async () => {
      const end = await run("call", erl.name, "a", "b", "--setcookie", "wrong");
      expect(end.code).toBe(4);
      expect(end.stderr).toMatch(/cookie/i);
      expect(end.stderr).not.toContain("wrong");
      const pang = await run("ping", erl.name, "--setcookie", "wrong");
      expect(pang).toMatchObject({ code: 1, stdout: "pang\n" });
      expect(pang.stderr).toMatch(/cookie/i);
    });

    it("ends with 5 when the name is taken", async () => {
      const alive = erl.name.split("@")[0]!;
      const end = await run("kvs", "--sname", alive);
      expect(end).toMatchObject({ code: 5, stdout: "" });
      expect(end.stderr).toMatch(new RegExp(`"${alive}" is taken.*\\[EPMD_NAME_TAKEN\\]`));
    });

    it("ends with 6 when the node is frozen", async () => {
      await using frozen = await startOtpNode({ otp });
      frozen.freeze();
      const end = await run("call", frozen.name, "a", "b");
      frozen.thaw();
      expect(end.code).toBe(6);
      expect(end.stderr).toMatch(/CALL_NO_CONNECTION: HS_TIMEOUT\]/);
    });

    it("ends with 7 when a server that is not an Erlang node answers", async () => {
      const server = await babbler();
      const { port } = server.address() as { port: number };
      const end = await run("call", "gandalf", "a", "b", "--erl-epmd-port", String(port));
      server.close();
      expect(end.code).toBe(7);
      expect(end.stderr).toMatch(/\[CALL_NO_CONNECTION: HS_MALFORMED\]/);
    });

    it("says why in words and with a code, never with the cookie", async () => {
      const end = await run("call", erl.name, "a", "b", "--setcookie", "s3cret");
      expect(end.stderr).toMatch(/^erldist: .*\. .*\[[A-Z_]+(: [A-Z_]+)*\]\n$/s);
      expect(end.stderr).not.toContain("s3cret");
    });
  });

  it("names prints what epmd -names prints", async () => {
    const { epmdPort } = await interopRun();
    const genuine = await epmdNames({ otp, tcpPort: epmdPort });
    const { code, stdout } = await run("names");
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toBe(`epmd: up and running on port ${epmdPort} with data:`);
    const nameLines = genuine.map(({ name, tcpPort }) => `name ${name} at port ${tcpPort}`);
    expect(lines.slice(1).sort()).toEqual(nameLines.sort());
  });

  it("epmd serves Erlang nodes until it is interrupted", async () => {
    const port = await (await interopRun()).freeTcpPort();
    await using epmd = await startCommand(["epmd", "--epmd-port", String(port)]);
    await waitUntil(() => epmd.stdout() === `epmd ready, port ${port}\n`);
    await using a = await startOtpNode({ otp, epmdPort: port });
    await using b = await startOtpNode({ otp, epmdPort: port });
    expect(await a.eval(`net_adm:ping('${b.name}')`)).toBe("pong");
    epmd.signal("SIGINT");
    expect(await epmd.ended).toMatchObject({ code: 0, stderr: "" });
  });

  describe("kvs", () => {
    it("creates the cookie file for its owner alone, and lets in who has it", async () => {
      const { home, uniqueName } = await interopRun();
      const fresh = join(home, uniqueName("home"));
      mkdirSync(fresh);
      await using kvs = await startKvsCommand(["--sname", uniqueName("kvs")], {
        env: { HOME: fresh },
      });
      const file = join(fresh, ".erlang.cookie");
      expect(statSync(file).mode & 0o777).toBe(0o400);
      const cookie = readFileSync(file, "utf8");
      expect(cookie).toMatch(/^[A-Z]{20}$/);
      await using theirs = await startOtpNode({ otp, cookie });
      expect(await theirs.eval(`net_adm:ping('${kvs.name}')`)).toBe("pong");
      expect(await erl.eval(`net_adm:ping('${kvs.name}')`)).toBe("pang");
    });

    it("refuses a cookie file that others can read", async () => {
      const { home, uniqueName } = await interopRun();
      const open = join(home, uniqueName("home"));
      mkdirSync(open);
      writeFileSync(join(open, ".erlang.cookie"), "OPEN", { mode: 0o644 });
      const end = await runCommand(["kvs", "--sname", uniqueName("kvs")], { env: { HOME: open } });
      expect(end.code).toBe(2);
      expect(end.stderr).toMatch(/chmod 400 .*\[NODE_COOKIE_FILE\]/);
    });

    it("says on standard error whom it did not let in", async () => {
      const { uniqueName } = await interopRun();
      await using kvs = await startKvsCommand(["--sname", uniqueName("kvs")]);
      await runCommand(["ping", kvs.name, "--setcookie", "wrong"]);
      kvs.signal("SIGTERM");
      const end = await kvs.ended;
      expect(end).toMatchObject({ code: 0 });
      expect(end.stderr).toMatch(/cookie.*\[HS_BAD_DIGEST\]/);
    });
  });
});

/** Accepts connections and answers anything with what no node says. */
async function babbler(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  return server;
}
