/** What the README shows, to be run as it stands there. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const README = readFileSync(join(ROOT, "README.md"), "utf8");

/** The fenced block behind a comment such as `<!-- session: erl -sname bilbo -->`. */
export function block(mark: string): string {
  const found = new RegExp(`<!-- ${mark} -->\\n\`\`\`\\w*\\n([^]*?)\`\`\``).exec(README);
  if (found?.[1] === undefined) throw new Error(`README.md has no block marked "${mark}"`);
  return found[1];
}

/** An example of the README as a program, in a folder where it finds this package. */
export interface ReadmeProgram extends AsyncDisposable {
  /** What TypeScript says of it; it is compiled all the same. */
  readonly typeErrors: string[];
  /** The program to run. */
  readonly file: string;
}

/** Makes a program of the block marked `example: FILE`, a TypeScript file. */
export function readmeProgram(file: string): ReadmeProgram {
  const folder = mkdtempSync(join(tmpdir(), "erldist-readme-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(ROOT, join(folder, "node_modules", "erldist"));
  symlinkSync(join(ROOT, "node_modules", "@types"), join(folder, "node_modules", "@types"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, file), block(`example: ${file}`));
  return {
    typeErrors: compile(join(folder, file)),
    file: join(folder, file.replace(/\.ts$/, ".js")),
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

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
