import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { interopRun, type OtpShell, startOtpNode, startOtpShell, waitUntil } from "./index.ts";
import { runCommand, startKvsCommand, startProgram } from "./support/our-node.ts";
import { block, readmeProgram } from "./support/readme.ts";
import { eachOtp } from "./support/vitest.ts";

eachOtp((otp) => {
  describe("the session", () => {
    let gandalf: Awaited<ReturnType<typeof startKvsCommand>>;
    let bilbo: OtpShell;
    beforeAll(async () => {
      gandalf = await startKvsCommand(["--sname", "gandalf"]);
      bilbo = await startOtpShell({ otp, name: "bilbo" });
    });
    afterAll(async () => {
      await bilbo.stop();
      gandalf.signal("SIGINT");
      expect(await gandalf.ended).toMatchObject({ code: 0 });
    });

    const lines = [...block("session: erl -sname bilbo").matchAll(/\)\d+> (.*?)\s+% (.*)/g)];
    it("is there", () => {
      expect(lines.length).toBeGreaterThan(8);
    });
    it.each(lines.map(([, line = "", shown = ""]) => [line, shown]))(
      "%s %s",
      async (line, shown) => {
        const { shortHost } = await interopRun();
        expect(await bilbo.type(line.replaceAll("HOST", shortHost))).toBe(shown);
      },
    );
  });

  describe("the other way round", () => {
    it("the commands print what stands behind them", async () => {
      const { shortHost } = await interopRun();
      await using gandalf = await startOtpNode({ otp, name: "gandalf" });
      await using _bilbo = await startOtpNode({ otp, name: "bilbo" });
      await gandalf.loadModule("kvs");
      await gandalf.eval("kvs:start(), kvs:store(weather, fine)");
      const run = async (text: string): Promise<string> => {
        const args = [...text.replaceAll("HOST", shortHost).matchAll(/'([^']*)'|(\S+)/g)].map(
          ([, quoted, bare]) => quoted ?? bare ?? "",
        );
        const end = await runCommand(args);
        expect(end).toMatchObject({ code: 0, stderr: "" });
        return end.stdout;
      };
      const commands = [...block("commands").matchAll(/npx erldist (.*?)\s+# (.*)/g)];
      const outputs = await Promise.all(commands.map(([, args = ""]) => run(args)));
      expect(outputs.slice(0, 3)).toEqual(["pong\n", "{ok,fine}\n", "hello 1\nok\n"]);
      expect(outputs[3]).toMatch(
        /^epmd: up and running on port \d+ with data:\nname \w+ at port \d+\n/,
      );
    });
  });

  describe("the program", () => {
    it("has no type error, runs, and can be called", async () => {
      await using program = readmeProgram("frodo.ts");
      expect(program.typeErrors).toEqual([]);
      const { shortHost } = await interopRun();
      await using bilbo = await startOtpNode({ otp, name: "bilbo", cookie: "secret" });
      await using shell = bilbo.session();
      await shell.eval("register(shell, self())");
      await using frodo = await startProgram(program.file);
      const hello = await shell.eval(
        "receive {hello, Text, Echo} -> Echo ! {self(), 42}, receive {echo, What} -> {Text, What} end end",
      );
      expect(hello).toBe('{<<"a string is a binary">>,42}');
      expect(await bilbo.eval(`rpc:call(frodo@${shortHost}, sums, add, [1, 2])`)).toBe("3");
      expect(await bilbo.eval(`rpc:call(frodo@${shortHost}, sums, later, [1, 2])`)).toBe("3");
      await bilbo.kill();
      expect(await frodo.ended).toMatchObject({
        code: 0,
        stdout: "[ 1, 2, 3 ]\nyes\n",
        stderr: "",
      });
    });
  });

  it("a supervised worker is started again, and obeys module supervisor", async () => {
    await using program = readmeProgram("shire.ts");
    expect(program.typeErrors).toEqual([]);
    const { shortHost } = await interopRun();
    await using bilbo = await startOtpNode({ otp, name: "bilbo", cookie: "secret" });
    await using shire = await startProgram(program.file);
    const up = `net_adm:ping('shire@${shortHost}') =:= pong andalso rpc:call('shire@${shortHost}', erlang, whereis, [shire_sup]) =/= undefined`;
    await waitUntil(async () => (await bilbo.eval(up)) === "true");
    const lines = [...block("session: a supervised worker").matchAll(/\)\d+> (.*?)\.\s+% (.*)/g)];
    expect(lines).toHaveLength(8);
    for (const [, line = "", shown] of lines) {
      expect(await bilbo.eval(line.replaceAll("HOST", shortHost))).toBe(shown);
    }
    await bilbo.kill();
    const end = await shire.ended;
    expect(end).toMatchObject({ code: 0, stderr: "" });
    expect(end.stdout.trim().split("\n")).toEqual([
      "error {gen_server,terminate}",
      "error {proc_lib,crash}",
      "error {supervisor,child_terminated}",
      "info {supervisor,progress}",
    ]);
  });

  it("the door lets in who knocked, once its code is given", async () => {
    await using program = readmeProgram("merry.ts");
    expect(program.typeErrors).toEqual([]);
    const { shortHost } = await interopRun();
    const door = `{door, merry@${shortHost}}`;
    await using merry = await startProgram(program.file);
    await using bilbo = await startOtpNode({ otp, name: "bilbo", cookie: "secret" });
    await waitUntil(async () => {
      const registered = await bilbo.eval(`catch sys:get_state(${door})`);
      return registered.startsWith("{locked,");
    });
    const knock = bilbo.eval(`gen_statem:call(${door}, knock)`);
    await bilbo.eval(`gen_statem:cast(${door}, 1), gen_statem:cast(${door}, 1234)`);
    expect(await knock).toBe("come_in");
    expect(await bilbo.eval(`element(1, sys:get_state(${door}))`)).toBe("open");
    merry.signal("SIGKILL");
  });

  it("a process linked to an Erlang one hears of its end", async () => {
    await using program = readmeProgram("pippin.ts");
    expect(program.typeErrors).toEqual([]);
    await using bilbo = await startOtpNode({ otp, name: "bilbo", cookie: "secret" });
    await using shell = bilbo.session();
    await shell.eval("register(shell, self())");
    await using pippin = await startProgram(program.file);
    const linked = await shell.eval(
      "receive {linked, Pid, To} -> {links, L} = process_info(Pid, links), exit(Pid, bored), lists:member(To, L) end",
    );
    expect(linked).toBe("true");
    expect(await pippin.ended).toMatchObject({ code: 0, stdout: "bored\n", stderr: "" });
  });
});
