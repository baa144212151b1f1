/**
 * Erlang nodes among themselves: shows that the harness does what it says, without an erldist node.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  compileErlang,
  createNetworkHosts,
  endInteropRun,
  epmdNames,
  InteropError,
  interopLogs,
  interopRun,
  type NetworkHosts,
  OtpEvalError,
  type OtpNode,
  type OtpRelease,
  otpRelease,
  otpReleases,
  runOtp,
  startEpmd,
  startOtpNode,
  startOtpShell,
  waitUntil,
} from "./index.ts";
import { isAlive } from "./run.ts";
import { eachOtp, withNamespaces } from "./support/vitest.ts";

eachOtp((otp) => {
  describe("a node", () => {
    let node: OtpNode;
    beforeAll(async () => {
      node = await startOtpNode({ otp });
    });
    afterAll(async () => {
      await node.stop();
      expect(await node.exited).toEqual({ code: 0, signal: null });
    });

    it("is of the release, with the run's cookie and its short host", async () => {
      const run = await interopRun();
      expect(await node.eval("erlang:system_info(otp_release)")).toBe(`"${otp.release}"`);
      expect(await node.eval("erlang:get_cookie()")).toBe(run.cookie);
      expect(node.name).toMatch(new RegExp(`^otp${otp.release}_\\d+_\\d+@${run.shortHost}$`));
      expect(await node.eval("list_to_integer(os:getpid())")).toBe(String(node.osPid));
    });

    it("evaluates, and prints the value as ~0tp", async () => {
      expect(await node.eval("X = 20, X * 2 + 2")).toBe("42");
      expect(await node.eval('{"text", [a|b], #{k => <<"v">>}}.')).toBe(
        '{"text",[a|b],#{k => <<"v">>}}',
      );
      expect(await node.eval("[{N, lists:seq(1, 60)} || N <- [1]] % a comment")).not.toContain(
        "\n",
      );
      expect(await node.eval("'ж' % no full stop, and not Latin-1")).toBe("'ж'");
    });

    it("binds variables to bytes, and answers the external form", async () => {
      const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index & 255);
      const answer = await node.evalBytes("<<Bytes/binary, Other/binary>>", {
        bindings: { Bytes: bytes, Other: Uint8Array.of(1) },
      });
      expect(Buffer.from(answer).subarray(0, 6)).toEqual(Buffer.from([131, 109, 0, 1, 0x86, 0xa1]));
      expect(Buffer.from(answer).subarray(6)).toEqual(Buffer.from([...bytes, 1]));
    });

    it.each([
      ["error", "error({my, reason})", "{my,reason}"],
      ["exit", "exit(normal)", "normal"],
      ["throw", 'throw("text")', '"text"'],
      ["error", "1 + a", "badarith"],
      ["exit", "exit(self(), kill), receive never -> ok end", "killed"],
      ["syntax", "1 +", "syntax error before: "],
      ["syntax", '"abc', "unterminated string"],
    ])("reports an exception of class %s from %s", async (exceptionClass, text, reason) => {
      const error = await node.eval(text).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(OtpEvalError);
      expect(error).toMatchObject({ code: "INTEROP_EVAL", class: exceptionClass });
      if (exceptionClass !== "syntax") expect(error).toMatchObject({ reason });
      expect((error as Error).message).toContain(text);
    });

    it("gives up an evaluation after its time, and ends its process", async () => {
      await expect(
        node.eval("register(sleeper, self()), timer:sleep(infinity)", { timeoutMs: 300 }),
      ).rejects.toMatchObject({ code: "INTEROP_TIMEOUT" });
      await waitUntil(async () => (await node.eval("whereis(sleeper)")) === "undefined");
    });

    it("evaluates at the same time, each in a process of its own", async () => {
      const slow = node.eval("receive go -> self() end").catch(() => "gone");
      const pids = await Promise.all(Array.from({ length: 20 }, () => node.eval("self()")));
      expect(new Set(pids).size).toBe(20);
      expect(await node.eval("[P ! go || P <- processes()], ok")).toBe("ok");
      expect(await slow).toMatch(/^<\d+\.\d+\.\d+>$/);
    });

    it("keeps variables and mailbox in a session, exceptions or not", async () => {
      await using session = node.session();
      expect(await session.eval("Me = self(), Me ! hello, X = 1")).toBe("1");
      await expect(session.eval("Y = 2, error(no)")).rejects.toMatchObject({ reason: "no" });
      expect(await session.eval("Y = 3, {X, Y, self() =:= Me, receive M -> M end}")).toBe(
        "{1,3,true,hello}",
      );
      await expect(session.eval("exit(self(), kill), timer:sleep(infinity)")).rejects.toMatchObject(
        { class: "exit", reason: "killed" },
      );
      await expect(session.eval("Me")).rejects.toMatchObject({ reason: "{unbound_var,'Me'}" });
    });

    it("keeps what is printed apart from what is answered", async () => {
      expect(await node.eval('io:format("to the log: ~ts~n", [[1078]])')).toBe("ok");
      await node.printed(/to the log: ж\n/);
      await node.eval('io:put_chars(standard_error, "an error line\\n")');
      await node.printed(/^an error line$/m);
      expect(interopLogs()).toContain("to the log: ж");
    });

    it("loads modules, and reports what the compiler prints", async () => {
      await node.loadModule("erldist_echo");
      expect(await node.eval("erldist_echo:echo({1, two})")).toBe("{1,two}");
      await expect(compileErlang(otp, "no_such_module")).rejects.toMatchObject({
        code: "INTEROP_COMPILE",
      });
    });
  });

  describe("two nodes", () => {
    it("ping, and see each other go", async () => {
      await using bilbo = await startOtpNode({ otp });
      await using gandalf = await startOtpNode({ otp });
      expect(await bilbo.eval(`net_adm:ping('${gandalf.name}')`)).toBe("pong");
      expect(await bilbo.eval(`nodes() =:= ['${gandalf.name}']`)).toBe("true");
      await using session = bilbo.session();
      await session.eval(`monitor_node('${gandalf.name}', true)`);
      await gandalf.kill();
      expect(await session.eval("receive {nodedown, N} -> N end")).toContain(gandalf.name);
    });

    it("with other cookies do not", async () => {
      await using bilbo = await startOtpNode({ otp, cookie: "one" });
      await using gandalf = await startOtpNode({ otp, cookie: "another" });
      expect(await bilbo.eval(`net_adm:ping('${gandalf.name}')`)).toBe("pang");
    });

    it("hidden, long names, arguments and environment arrive", async () => {
      await using node = await startOtpNode({
        otp,
        hidden: true,
        longNames: true,
        name: "saruman",
        args: ["-kernel", "net_ticktime", "4"],
        env: { ORTHANC: "tower" },
      });
      expect(node.name).toBe("saruman@127.0.0.1");
      expect(await node.eval('{net_kernel:get_net_ticktime(), os:getenv("ORTHANC")}')).toBe(
        '{4,"tower"}',
      );
      expect(await node.eval("init:get_argument(hidden)")).toBe("{ok,[[]]}");
    });

    it("a frozen node does not answer, and continues when it is thawed", async () => {
      await using node = await startOtpNode({ otp, distribution: false });
      expect(node.name).toBe("nonode@nohost");
      node.freeze();
      await expect(node.eval("1", { timeoutMs: 300 })).rejects.toMatchObject({
        code: "INTEROP_TIMEOUT",
      });
      node.thaw();
      expect(await node.eval("2")).toBe("2");
    });

    it("a node that ends rejects pending evaluations, and leaves nothing behind", async () => {
      const node = await startOtpNode({ otp });
      const home = JSON.parse(await node.eval('os:getenv("HOME")')) as string;
      const waiting = node.eval("timer:sleep(infinity)");
      const failure = expect(waiting).rejects.toMatchObject({ code: "INTEROP_NODE_ENDED" });
      await node.kill();
      await failure;
      expect(await node.exited).toEqual({ code: null, signal: "SIGKILL" });
      expect(existsSync(`${otp.root ?? ""}${home}`)).toBe(false);
    });

    it("a node whose name is taken does not start, and the error says why", async () => {
      await using node = await startOtpNode({ otp });
      const name = node.name.split("@")[0]!;
      const failure = await startOtpNode({ otp, name }).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(InteropError);
      expect(failure).toMatchObject({ code: "INTEROP_START_FAILED" });
      expect((failure as Error).message).toMatch(/in use|duplicate_name/);
    });
  });

  describe("epmd", () => {
    it("is started by the first node, and answers the release's own tools", async () => {
      const run = await interopRun();
      const tcpPort = await run.freeTcpPort();
      await using node = await startOtpNode({ otp, epmdPort: tcpPort });
      expect((await epmdNames({ otp, tcpPort })).map(({ name }) => name)).toEqual([
        node.name.split("@")[0],
      ]);
    });

    it("started alone, logs who connects", async () => {
      const run = await interopRun();
      const tcpPort = await run.freeTcpPort();
      await using epmd = await startEpmd({ otp, tcpPort });
      expect(await epmdNames({ otp, tcpPort })).toEqual([]);
      await using node = await startOtpNode({ otp, epmdPort: tcpPort });
      await waitUntil(() => epmd.log.includes(node.name.split("@")[0]!));
      await expect(startEpmd({ otp, tcpPort })).rejects.toMatchObject({
        code: "INTEROP_START_FAILED",
      });
    });
  });

  // Debian puts erl_call on the PATH; a release installed otherwise keeps it in a folder of its own.
  if (otp.root !== undefined) {
    it("runs the release's other programs, erl_call for one", async () => {
      await using node = await startOtpNode({ otp });
      const command = ["erl_call", "-sname", node.name, "-c", node.cookie, "-a", "erlang abs [-5]"];
      expect(await runOtp({ otp, command })).toEqual({ code: 0, output: "5" });
    });
  }

  it("a shell takes typed lines", async () => {
    await using gandalf = await startOtpNode({ otp, name: "gandalf" });
    await gandalf.loadModule("kvs");
    await gandalf.eval("kvs:start()");
    await using shell = await startOtpShell({ otp, name: "bilbo" });
    expect(shell.name).toBe(gandalf.name.replace("gandalf", "bilbo"));
    // Unquoted, unless the machine's name is one that an atom needs quotes for.
    const at = /^[a-z][\w@]*$/.test(gandalf.name) ? gandalf.name : `'${gandalf.name}'`;
    const session = [
      [`net_adm:ping(${at}).`, "pong"],
      [`rpc:call(${at}, kvs, store, [{location,joe},"Stockholm"]).`, "true"],
      [`rpc:call(${at}, kvs, store, [weather, fine]).`, "true"],
      [`rpc:call(${at}, kvs, lookup, [weather]).`, "{ok,fine}"],
      [`rpc:call(${at}, kvs, lookup, [{location,joe}]).`, '{ok,"Stockholm"}'],
      [`rpc:call(${at}, kvs, lookup, [{location,jane}]).`, "undefined"],
      [
        `{kvs, ${at}} ! {self(), {lookup, weather}}, receive M -> M after 60000 -> none end.`,
        "{kvs,{ok,fine}}",
      ],
      [`rpc:call(${at}, kvs, nothing, []).`, "{badrpc,{'EXIT',{undef,[{kvs,nothing,[],[]}|"],
      [`erpc:call(${at}, kvs, lookup, [weather]).`, "{ok,fine}"],
      ['io:format("one~ntwo~n").', "one\ntwo\nok"],
    ] as const;
    for (const [line, expected] of session) {
      const shown = await shell.type(line);
      if (expected.endsWith("|")) {
        expect(shown.replaceAll(/\s/g, "")).toContain(expected.slice(0, -2));
      } else {
        expect(shown).toBe(expected);
      }
    }
    await shell.stop();
  });
});

/** The chapter's ways to the name server: its own process, a call from afar, a message to it. */
async function useKvs(client: OtpNode, server: OtpNode): Promise<void> {
  await server.loadModule("kvs");
  const at = `'${server.name}'`;
  // Stage 1: no distribution at all.
  expect(await server.eval("{kvs:start(), kvs:start()}")).toBe("{true,true}");
  expect(await server.eval('kvs:store({location, joe}, "Stockholm")')).toBe("true");
  expect(await server.eval("kvs:lookup({location, joe})")).toBe('{ok,"Stockholm"}');
  // Stage 2 and 3: another node, by rpc and by erpc.
  expect(await client.eval(`rpc:call(${at}, kvs, store, [weather, fine])`)).toBe("true");
  expect(await client.eval(`rpc:call(${at}, kvs, lookup, [weather])`)).toBe("{ok,fine}");
  expect(await client.eval(`erpc:call(${at}, kvs, lookup, [{location, jane}])`)).toBe("undefined");
  // By message to the registered process; what cannot be answered does no harm.
  expect(
    await client.eval(
      `{kvs, ${at}} ! {nobody, {lookup, weather}}, {kvs, ${at}} ! rubbish,
       {kvs, ${at}} ! {self(), {lookup, weather}},
       receive Message -> Message after 60000 -> none end`,
    ),
  ).toBe("{kvs,{ok,fine}}");
  // Keys are compared with =:=.
  expect(
    await client.eval(
      `[rpc:call(${at}, kvs, store, [K, K]) || K <- [1, 1.0, {1, 2}, #{a => 1}, <<"a">>, self()]],
       [V =:= K || K <- [1, 1.0, {1, 2}, #{a => 1}, <<"a">>, self()],
                   {ok, V} <- [rpc:call(${at}, kvs, lookup, [K])]]`,
    ),
  ).toBe("[true,true,true,true,true,true]");
}

describe("kvs between releases", () => {
  // OTP 26 made flags mandatory that OTP 23 does not know, so those two never connect to each other.
  const speakTogether = (one: OtpRelease, other: OtpRelease) =>
    Math.min(Number(one.release), Number(other.release)) >= 24 ||
    Math.max(Number(one.release), Number(other.release)) <= 25;
  const releases = otpReleases();
  const pairs = releases.flatMap((client) => releases.map((server) => [client, server] as const));
  it.each(
    pairs.map(([client, server]) => [client.release, server.release, client, server] as const),
  )("OTP %s asks OTP %s", async (_client, _server, client: OtpRelease, server: OtpRelease) => {
    await using bilbo = await startOtpNode({ otp: client });
    await using gandalf = await startOtpNode({ otp: server });
    if (speakTogether(client, server)) {
      await useKvs(bilbo, gandalf);
    } else {
      expect(await bilbo.eval(`net_adm:ping('${gandalf.name}')`)).toBe("pang");
    }
  });
});

withNamespaces("two hosts with a firewall", () => {
  let hosts: NetworkHosts;
  beforeAll(async () => {
    hosts = await createNetworkHosts({ open: { min: 9100, max: 9105 } });
  });
  afterAll(() => hosts.remove());

  it("run programs: one port is open, another is not, and the cable can be pulled", async () => {
    const server = hosts.a.spawn(
      [
        process.execPath,
        "-e",
        `const { createServer } = require("node:net");
         for (const port of [9105, 9106]) createServer((socket) => socket.end("hello")).listen(port);`,
      ],
      { stdio: "inherit" },
    );
    const from = async (port: number): Promise<string> => {
      const client = hosts.b.spawn([
        process.execPath,
        "-e",
        `const socket = require("node:net").connect(${port}, "${hosts.a.address}");
         socket.setTimeout(1000, () => socket.destroy(new Error("nothing came")));
         socket.on("error", (error) => console.log(error.code ?? error.message));
         socket.on("data", (text) => process.stdout.write(text));`,
      ]);
      let text = "";
      for await (const chunk of client.stdout!) text += chunk;
      return text.trim();
    };
    try {
      await waitUntil(async () => (await from(9105)) === "hello");
      expect(await from(9106)).toBe("nothing came");
      hosts.disconnect();
      expect(await from(9105)).not.toBe("hello");
      hosts.reconnect();
      await waitUntil(async () => (await from(9105)) === "hello");
    } finally {
      server.kill("SIGKILL");
    }
  });

  eachOtp((otp) => {
    const inRange = ["-kernel", "inet_dist_listen_min", "9100", "inet_dist_listen_max", "9105"];

    it("nodes in the open range reach each other", async () => {
      await using gandalf = await startOtpNode({
        otp,
        name: "gandalf",
        longNames: true,
        host: hosts.a.address,
        epmdPort: 4369,
        args: inRange,
        namespace: hosts.a,
      });
      await using bilbo = await startOtpNode({
        otp,
        name: "bilbo",
        longNames: true,
        host: hosts.b.address,
        epmdPort: 4369,
        args: inRange,
        namespace: hosts.b,
      });
      await useKvs(bilbo, gandalf);
      await useKvs(gandalf, bilbo);
      expect(await epmdNames({ otp, tcpPort: 4369, namespace: hosts.a })).toMatchObject([
        { name: "gandalf" },
      ]);
    });

    it("a node on a port outside it is found in EPMD but not reached", async () => {
      await using gandalf = await startOtpNode({
        otp,
        name: "gandalf",
        longNames: true,
        host: hosts.a.address,
        epmdPort: 4369,
        args: ["-kernel", "inet_dist_listen_min", "9200", "inet_dist_listen_max", "9200"],
        namespace: hosts.a,
      });
      await using bilbo = await startOtpNode({
        otp,
        longNames: true,
        host: hosts.b.address,
        epmdPort: 4369,
        // How long it tries to connect.
        args: ["-kernel", "net_setuptime", "1"],
        namespace: hosts.b,
      });
      const refused = hosts.a.refusedPackets();
      expect(await bilbo.eval(`erl_epmd:port_please("gandalf", "${hosts.a.address}")`)).toMatch(
        /^\{port,9200,/,
      );
      expect(await bilbo.eval(`net_adm:ping('${gandalf.name}')`)).toBe("pang");
      expect(hosts.a.refusedPackets()).toBeGreaterThan(refused);
    });
  });
});

describe("a release that is not installed", () => {
  it("is an error that says what to run", () => {
    expect(() => otpRelease("17")).toThrow(
      expect.objectContaining({
        code: "INTEROP_OTP_MISSING",
        message: expect.stringContaining("interop/otp/install"),
      }),
    );
  });
});

describe("a test runner that crashes", () => {
  const otp = otpReleases().at(-1)!;
  let folder: string;
  let runner: ChildProcess | undefined;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "erldist-harness-"));
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    for (const file of readdirSync(import.meta.dirname)) {
      if (!file.endsWith(".ts") || file.endsWith(".interop.ts")) continue;
      const { outputText } = ts.transpileModule(
        readFileSync(join(import.meta.dirname, file), "utf8"),
        {
          compilerOptions: {
            target: ts.ScriptTarget.ES2023,
            module: ts.ModuleKind.ESNext,
            rewriteRelativeImportExtensions: true,
            verbatimModuleSyntax: true,
          },
        },
      );
      writeFileSync(join(folder, file.replace(/ts$/, "js")), outputText);
    }
    writeFileSync(
      join(folder, "runner.js"),
      `import { interopRun, startOtpNode, startOtpShell } from "./index.js";
       const otp = ${JSON.stringify(otp)};
       const node = await startOtpNode({ otp });
       const frozen = await startOtpNode({ otp });
       await startOtpShell({ otp });
       frozen.freeze();
       console.log(JSON.stringify({ mark: (await interopRun()).mark, home: (await interopRun()).home }));
       process.stdin.on("data", () => process.exit(0));
       setInterval(() => {}, 1000);`,
    );
    // The copies look for their Erlang beside them.
    for (const file of readdirSync(join(import.meta.dirname, "erlang"))) {
      ts.sys.createDirectory(join(folder, "erlang"));
      writeFileSync(
        join(folder, "erlang", file),
        readFileSync(join(import.meta.dirname, "erlang", file)),
      );
    }
  });
  afterAll(() => {
    runner?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  async function startRunner(): Promise<{ mark: string; home: string }> {
    runner = spawn(process.execPath, [join(folder, "runner.js")], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    let text = "";
    runner.stdout!.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    return waitUntil(() => text.endsWith("\n") && JSON.parse(text));
  }

  it.runIf(process.platform === "linux")(
    "that has ended counts as gone before its parent knows",
    async () => {
      const { mark: ours } = await interopRun();
      const child = spawn("true", { stdio: "ignore" });
      const fields = () => {
        const stat = readFileSync(`/proc/${child.pid}/stat`, "latin1");
        return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      };
      const mark = `${child.pid}-${fields()[19]}-0`;
      // Without a turn of the event loop, in which the parent would ask.
      while (fields()[0] !== "Z");
      expect(isAlive(mark)).toBe(false);
      expect(isAlive(ours)).toBe(true);
    },
  );

  it.runIf(process.platform === "linux")("that exits leaves nothing at once", async () => {
    const { mark, home } = await startRunner();
    // Two nodes and a shell with its `script`, and the epmd that the first node started.
    expect(marked(mark).length).toBeGreaterThanOrEqual(5);
    runner!.stdin!.write("exit\n");
    await waitUntil(() => runner!.exitCode !== null);
    await waitUntil(() => marked(mark).length === 0, { description: "its processes to end" });
    expect(existsSync(home)).toBe(false);
  });

  it.runIf(process.platform === "linux")(
    "that is killed leaves epmd, for the next run to end",
    async () => {
      const { mark } = await startRunner();
      runner!.kill("SIGKILL");
      await waitUntil(() => marked(mark).every(({ command }) => command.includes("epmd")), {
        description: "its nodes to end",
      });
      await endInteropRun();
      await interopRun();
      await waitUntil(() => marked(mark).length === 0, { description: "its epmd to end" });
      // The homes of its nodes go when the next node of the release starts.
      const homes = () =>
        [tmpdir(), join(otp.root ?? "", "/tmp")].flatMap((temporary) =>
          readdirSync(temporary).filter((entry) => entry.includes(mark)),
        );
      expect(homes()).not.toEqual([]);
      await using _next = await startOtpNode({ otp });
      expect(homes()).toEqual([]);
    },
  );
});

/** The processes that carry a run's mark. */
function marked(mark: string): { pid: number; command: string }[] {
  const found: { pid: number; command: string }[] = [];
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const environment = readFileSync(`/proc/${entry}/environ`, "latin1").split("\0");
      if (environment.includes(`ERLDIST_INTEROP_RUN=${mark}`)) {
        found.push({
          pid: Number(entry),
          command: readFileSync(`/proc/${entry}/cmdline`, "latin1").split("\0")[0] ?? "",
        });
      }
    } catch {
      // Ended in the meantime.
    }
  }
  return found;
}
