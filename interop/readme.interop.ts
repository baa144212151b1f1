/** What the README shows is run as it stands there. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { interopRun, type OtpShell, startOtpNode, startOtpShell } from "./index.ts";
import { runCommand, startKvsCommand, startProgram } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

const ROOT = dirname(fileURLToPath(new URL(".", import.meta.url)));
const README = readFileSync(join(ROOT, "README.md"), "utf8");

/** The fenced block behind a comment such as `<!-- session: erl -sname bilbo -->`. */
function block(mark: string): string {
  const found = new RegExp(`<!-- ${mark} -->\\n\`\`\`\\w*\\n([^]*?)\`\`\``).exec(README);
  if (found?.[1] === undefined) throw new Error(`README.md has no block marked "${mark}"`);
  return found[1];
}

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
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "erldist-readme-"));
      mkdirSync(join(folder, "node_modules"));
      symlinkSync(ROOT, join(folder, "node_modules", "erldist"));
      symlinkSync(join(ROOT, "node_modules", "@types"), join(folder, "node_modules", "@types"));
      writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
      writeFileSync(join(folder, "frodo.ts"), block("example: frodo.ts"));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it("has no type error, runs, and can be called", async () => {
      expect(compile(join(folder, "frodo.ts"))).toEqual([]);
      const { shortHost } = await interopRun();
      await using bilbo = await startOtpNode({ otp, name: "bilbo", cookie: "secret" });
      await using shell = bilbo.session();
      await shell.eval("register(shell, self())");
      await using frodo = await startProgram(join(folder, "frodo.js"));
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

/** Compiles a file beside itself, as a reader with TypeScript would; returns the errors. */
function compile(file: string): string[] {
  const program = ts.createProgram([file], {
    target: ts.ScriptTarget.ES2023,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ["node"],
    strict: true,
    skipLibCheck: true,
  });
  program.emit();
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}
