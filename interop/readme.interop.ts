/** What the README shows runs on every release; the pages of docs/ have documents.interop.ts. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { interopRun, type OtpShell, startOtpNode, startOtpShell } from "./index.ts";
import { block, compileExamples, type ExamplePrograms } from "./support/documents.ts";
import { runCommand, startKvsCommand, startProgram } from "./support/our-node.ts";
import { runSession } from "./support/sessions.ts";
import { eachOtp } from "./support/vitest.ts";

let programs: ExamplePrograms;
beforeAll(() => {
  programs = compileExamples(["README.md"]);
});
afterAll(() => programs[Symbol.dispose]());

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

    const lines = [
      ...block("README.md", "session", "erl -sname bilbo").matchAll(/\)\d+> (.*?)\s+% (.*)/g),
    ];
    it("has more than eight lines", () => {
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
    it("the commands print what their comments say", async () => {
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
      const commands = [...block("README.md", "commands").matchAll(/npx erldist (.*?)\s+# (.*)/g)];
      const outputs = await Promise.all(commands.map(([, args = ""]) => run(args)));
      expect(outputs.slice(0, 3)).toEqual(["pong\n", "{ok,fine}\n", "hello 1\nok\n"]);
      expect(outputs[3]).toMatch(
        /^epmd: up and running on port \d+ with data:\nname \w+ at port \d+\n/,
      );
    });
  });

  describe("the program", () => {
    it("has no type error, runs, and can be called", async () => {
      expect(programs.typeErrors("frodo.ts")).toEqual([]);
      const { shortHost } = await interopRun();
      await using bilbo = await startOtpNode({ otp, name: "bilbo", cookie: "secret" });
      await using shell = bilbo.session();
      await shell.eval("register(shell, self())");
      await using frodo = await startProgram(programs.file("frodo.ts"));
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
});

describe("the server", () => {
  it("has no type error", () => {
    expect(programs.typeErrors("sam.ts")).toEqual([]);
  });

  it("is called from iex", () => runSession(block("README.md", "session"), { programs }));
});
