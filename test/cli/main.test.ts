/** The commands from start to exit code, with a node in this process as their peer. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { atom, tuple } from "../../etf/index.ts";
import { EpmdClient, EpmdServer, tcpNetwork } from "../../src/epmd/index.ts";
import { type CallContext, Node } from "../../src/index.ts";
import { readCapture } from "../support/capture.ts";
import { runCommand, startCommand } from "../support/command.ts";

const COOKIE = "FOR_THE_COMMAND";
const PEER = "bilbo@127.0.0.1";

let epmd: EpmdServer;
let peer: Node;
let common: string[];
/** The nodes that connected to the peer. */
const callers: { name: string; type: string }[] = [];

beforeAll(async () => {
  epmd = await EpmdServer.start({ network: tcpNetwork(), tcpPort: 0, addresses: ["127.0.0.1"] });
  peer = await startPeer();
  peer.on("nodeup", ({ name, nodeType }) => callers.push({ name, type: nodeType }));
  common = ["--setcookie", COOKIE, "--epmd-port", String(epmd.tcpPort)];
});
afterAll(async () => {
  await peer.stop();
  await epmd.close();
});
afterEach(() => {
  vi.unstubAllEnvs();
});

async function startPeer(): Promise<Node> {
  const node = await Node.start({
    name: PEER,
    cookie: COOKIE,
    hidden: false,
    listen: { host: "127.0.0.1" },
    epmd: { mode: "system", port: epmd.tcpPort },
  });
  node.expose("box", {
    echo: (term: unknown) => tuple(atom("ok"), term as string),
    never: () => new Promise(() => {}),
    fail: () => {
      throw new Error("of the peer");
    },
    async greet(this: CallContext) {
      const name = await node.io.getLine(this.groupLeader, "who? ");
      await node.io.putChars(this.groupLeader, `hello ${String(name).trim()}\n`);
      return atom("done");
    },
  });
  return node;
}

const run = (...args: string[]) => runCommand([...args, ...common]);

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const listener = await tcpNetwork().listen({ host: "127.0.0.1", tcpPort: 0 }, () => {});
  await listener.close();
  return listener.tcpPort;
}

describe("call", () => {
  test("prints the result as a term, or as JSON", async () => {
    const call = ["call", PEER, "box", "echo", "[[1, 2.0, a]]"];
    expect(await run(...call)).toEqual({ code: 0, stdout: "{ok,[1,2.0,a]}\n", stderr: "" });
    expect(await run(...call, "--json")).toEqual({
      code: 0,
      stdout: '{"$t":[{"$a":"ok"},[1,{"$f":2},{"$a":"a"}]]}\n',
      stderr: "",
    });
  });

  test("calls without arguments unless some are given", async () => {
    const end = await run("call", PEER, "box", "echo");
    expect(end).toMatchObject({ code: 1, stderr: "" });
    expect(end.stdout).toMatch(/^\{badrpc,\{'EXIT',\{undef,\[\{box,echo,\[\],/);
  });

  test("prints a failure as badrpc, and as JSON too", async () => {
    const call = ["call", PEER, "box", "fail"];
    const plain = await run(...call);
    expect(plain).toMatchObject({ code: 1, stderr: "" });
    expect(plain.stdout).toMatch(/^\{badrpc,.*\n$/s);
    const json = await run(...call, "--json");
    expect(json).toMatchObject({ code: 1, stderr: "" });
    expect(JSON.parse(json.stdout)).toMatchObject({ $t: [{ $a: "badrpc" }, expect.anything()] });
  });

  test("gives the function its standard input and output, and closes the input", async () => {
    const running = startCommand(["call", PEER, "box", "greet", ...common], "frodo\n");
    expect(await running.ended).toEqual({
      code: 0,
      stdout: "who? hello frodo\ndone\n",
      stderr: "",
    });
    expect(running.stdin.destroyed).toBe(true);
  });

  test("ends with 6 after --timeout seconds", async () => {
    const end = await run("call", PEER, "box", "never", "--timeout", "0.2");
    expect(end).toMatchObject({ code: 6, stdout: "" });
    expect(end.stderr).toContain(" 200 ms");
    expect(end.stderr).toContain("[CALL_TIMEOUT]");
  });

  test("ends with 2 when the arguments are not a list", async () => {
    for (const args of ["weather", "[1,", ""]) {
      const end = await run("call", PEER, "box", "echo", args);
      expect(end).toMatchObject({ code: 2, stdout: "" });
      expect(end.stderr).toMatch(/\^.*\[TERM_[A-Z_]+\]\n$/s);
    }
    const end = await run("call", PEER, "box", "echo", "weather");
    expect(end.stderr).toContain("weather\n^ [TERM_BAD_VALUE]");
  });

  test("is a hidden node with a name made up for it, unless options say otherwise", async () => {
    callers.length = 0;
    await run("call", PEER, "box", "echo", "[1]");
    expect(callers.pop()).toEqual({
      name: expect.stringMatching(/^erldist-.*@.*\./),
      type: "hidden",
    });
    await run("call", PEER, "box", "echo", "[1]", "--name", "sam@127.0.0.1", "--no-hidden");
    expect(callers.pop()).toEqual({ name: "sam@127.0.0.1", type: "visible" });
  });

  test("gets a name from the peer when its own is undefined", async () => {
    callers.length = 0;
    const end = await run("call", PEER, "box", "echo", "[1]", "--name", "undefined@127.0.0.1");
    expect(end).toEqual({ code: 0, stdout: "{ok,1}\n", stderr: "" });
    expect(callers.pop()!.name).toMatch(/^[0-9A-Z]+@127\.0\.0\.1$/);
  });

  test("does not ask EPMD when it is given --erl-epmd-port, in either spelling", async () => {
    for (const option of ["--erl-epmd-port", "-erl_epmd_port"]) {
      const args = ["call", PEER, "box", "echo", "[1]", "--setcookie", COOKIE];
      const nobody = ["--epmd-port", String(await freePort())];
      const end = await runCommand([...args, ...nobody, option, String(peer.tcpPort)]);
      expect(end).toEqual({ code: 0, stdout: "{ok,1}\n", stderr: "" });
    }
  });
});

describe("the exit code", () => {
  test("is 3 for a node that EPMD does not know, with the codes of error and cause", async () => {
    const end = await run("call", "nobody@127.0.0.1", "a", "b");
    expect(end).toMatchObject({ code: 3, stdout: "" });
    expect(end.stderr).toMatch(/^erldist: .*\[CALL_NO_CONNECTION: EPMD_NAME_UNKNOWN\]\n$/s);
  });

  test("is 4 for a different cookie, which is not printed", async () => {
    const cookie = ["--setcookie", "SECRET", "--epmd-port", String(epmd.tcpPort)];
    const end = await runCommand(["call", PEER, "a", "b", ...cookie]);
    expect(end).toMatchObject({ code: 4, stdout: "" });
    expect(end.stderr).toContain("[CALL_NO_CONNECTION: HS_COOKIE_REFUSED]");
    expect(end.stderr).not.toContain("SECRET");
  });

  test("is 3 without an EPMD", async () => {
    const port = String(await freePort());
    const end = await runCommand(["names", "127.0.0.1", "--epmd-port", port]);
    expect(end).toMatchObject({ code: 3, stdout: "" });
    expect(end.stderr).toContain("[EPMD_UNREACHABLE: TRANSPORT_REFUSED]");
  });

  test("is 7 for a server that is not a node", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const end = await run("call", PEER, "a", "b", "--erl-epmd-port", String(port));
    server.close();
    expect(end).toMatchObject({ code: 7, stdout: "" });
    expect(end.stderr).toContain("[CALL_NO_CONNECTION: HS_MALFORMED]");
  });
});

describe("ping", () => {
  test("prints pong", async () => {
    expect(await run("ping", PEER)).toEqual({ code: 0, stdout: "pong\n", stderr: "" });
  });

  test("prints pang and why", async () => {
    const end = await run("ping", "nobody@127.0.0.1");
    expect(end).toMatchObject({ code: 1, stdout: "pang\n" });
    expect(end.stderr).toContain("[EPMD_NAME_UNKNOWN]");
  });
});

describe("names", () => {
  test("prints what an EPMD knows", async () => {
    const end = await runCommand(["names", "127.0.0.1", "--epmd-port", String(epmd.tcpPort)]);
    const lines = [
      `epmd: up and running on port ${epmd.tcpPort} with data:`,
      `name bilbo at port ${peer.tcpPort}`,
    ];
    expect(end).toEqual({ code: 0, stdout: `${lines.join("\n")}\n`, stderr: "" });
  });

  test("asks this host, and the port of ERL_EPMD_PORT, by default", async () => {
    vi.stubEnv("ERL_EPMD_PORT", String(epmd.tcpPort));
    expect(await runCommand(["names"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`name bilbo at port ${peer.tcpPort}\n`),
    });
  });
});

describe("epmd", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("serves until %s", async (signal) => {
    const port = await freePort();
    const running = startCommand(["epmd", "--epmd-port", String(port), "--address", "127.0.0.1"]);
    await vi.waitFor(() => expect(running.stdout()).toBe(`epmd ready, port ${port}\n`));
    const client = new EpmdClient({ network: tcpNetwork(), tcpPort: port });
    expect(await client.names("127.0.0.1")).toEqual([]);
    running.signal(signal);
    expect(await running.ended).toMatchObject({ code: 0, stderr: "" });
    await expect(client.names("127.0.0.1")).rejects.toMatchObject({ code: "EPMD_UNREACHABLE" });
  });

  test("takes port, address and permissions from the environment, and ends when a client stops it", async () => {
    const port = await freePort();
    vi.stubEnv("ERL_EPMD_PORT", String(port));
    vi.stubEnv("ERL_EPMD_ADDRESS", "127.0.0.1");
    vi.stubEnv("ERL_EPMD_RELAXED_COMMAND_CHECK", "true");
    const running = startCommand(["epmd"]);
    await vi.waitFor(() => expect(running.stdout()).toBe(`epmd ready, port ${port}\n`));
    const client = new EpmdClient({ network: tcpNetwork(), tcpPort: port });
    const registration = await client.register("frodo", 1);
    expect(await client.kill("127.0.0.1")).toBe(true);
    await registration.lost;
    expect(await running.ended).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("kvs", () => {
  test("serves under its name and port until it is interrupted, and reports refused peers", async () => {
    const tcpPort = await freePort();
    const range = ["--dist-listen-min", String(tcpPort), "--dist-listen-max", String(tcpPort)];
    const where = ["--name", "gandalf@127.0.0.1", "--listen-address", "127.0.0.1", ...range];
    const running = startCommand(["kvs", ...where, ...common, "--epmd", "system"]);
    const ready = `gandalf@127.0.0.1 ready, port ${tcpPort}\n`;
    await vi.waitFor(() => expect(running.stdout()).toBe(ready));
    const kvs = peer.rpc;
    expect(await kvs.call("gandalf@127.0.0.1", "kvs", "store", [atom("weather"), 1])).toBe(true);
    expect(await kvs.call("gandalf@127.0.0.1", "kvs", "lookup", [atom("weather")])).toEqual(
      tuple(atom("ok"), 1),
    );
    // The node reports the peers that it refuses on standard error.
    const stranger = await Node.start({
      name: "stranger@127.0.0.1",
      cookie: "ANOTHER",
      listen: false,
      epmd: { mode: "off", port: epmd.tcpPort },
    });
    await expect(stranger.connect("gandalf@127.0.0.1")).rejects.toThrow();
    await stranger.stop();
    await vi.waitFor(() => expect(running.stderr()).toContain("[HS_BAD_DIGEST]\n"));
    running.signal("SIGTERM");
    expect(await running.ended).toMatchObject({ code: 0, stdout: ready });
  });

  test("ends with 5 when its name is taken", async () => {
    const end = await run("kvs", "--name", PEER, "--epmd", "system");
    expect(end).toMatchObject({ code: 5, stdout: "" });
    expect(end.stderr).toContain("[EPMD_NAME_TAKEN]");
  });
});

describe("decode", () => {
  const folder = mkdtempSync(join(tmpdir(), "erldist-decode-"));
  const file = join(folder, "initiator");
  const bytes = readCapture("29").initiator.subarray(0, 400);
  writeFileSync(file, bytes);
  afterAll(() => rmSync(folder, { recursive: true }));

  test("reads standard input unless it is given a file", async () => {
    const end = await runCommand(["decode", file]);
    expect(end).toMatchObject({ code: 0, stderr: "" });
    expect(end.stdout).toMatch(/^-> +0 +28 {2}send_name a@127/);
    expect(await runCommand(["decode"], bytes)).toEqual(end);
    expect(await runCommand(["decode", "-"], bytes)).toEqual(end);
  });

  test("does not read standard input for a side that was not captured", async () => {
    const end = await runCommand(["decode", file]);
    expect(await runCommand(["decode", "--initiator", file])).toEqual(end);
    const reversed = await runCommand(["decode", "--acceptor", file]);
    expect(reversed.stdout).toMatch(/^<- /);
  });

  test("shows at most --width characters of a term", async () => {
    const { stdout } = await runCommand(["decode", file, "--width", "5"]);
    expect(stdout).toMatch(/fromPid <'a@1\.\.\. \(/);
  });
});

test("a reader may close standard output early, but other errors of it are not ignored", async () => {
  const running = startCommand(["epmd", "--epmd-port", String(await freePort())]);
  await vi.waitFor(() => expect(running.stdout()).toContain("ready"));
  const failure = (code: string) => Object.assign(new Error(code), { code });
  running.failStdout(failure("EPIPE"));
  expect(() => running.failStdout(failure("EIO"))).toThrow("EIO");
  running.signal("SIGINT");
  expect(await running.ended).toMatchObject({ code: 0, stderr: "" });
});
