/** README.md, the pages of docs/ and examples/: their marked blocks, and the examples as programs that run. */

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** The folder of the repository, with a slash at its end. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** README.md and the pages of docs/ and examples/, as paths from the root of the repository. */
export const PAGES: readonly string[] = [
  "README.md",
  "examples/README.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((file) => file.endsWith(".md"))
    .sort()
    .map((file) => `docs/${file}`),
];

/** The text of a page. */
export function pageText(page: string): string {
  return readFileSync(join(ROOT, page), "utf8");
}

/** A fenced block of a page, after a comment such as `<!-- example: sam.ts -->`. */
export interface MarkedBlock {
  readonly page: string;
  /** `example`, `session` or `commands`. */
  readonly kind: string;
  /** The text after the colon of the comment; "" if it has none. */
  readonly name: string;
  readonly text: string;
}

/** The marked blocks of a page, in order. */
export function blocks(page: string, kind?: string): MarkedBlock[] {
  const marked = /<!-- (\w+)(?:: (.*?))? -->\n```\w*\n([\s\S]*?)```/g;
  return [...pageText(page).matchAll(marked)]
    .map(([, found = "", name = "", text = ""]) => ({ page, kind: found, name, text }))
    .filter((block) => kind === undefined || block.kind === kind);
}

/** The text of the only block of a page with that kind and name. */
export function block(page: string, kind: string, name = ""): string {
  const found = blocks(page, kind).filter((block) => block.name === name);
  if (found.length !== 1) {
    throw new Error(`${page} has ${found.length} blocks marked "${kind}: ${name}", not one.`);
  }
  return found[0]!.text;
}

/** An example of a page: a program in TypeScript. */
export interface Example {
  /** The name of its file. */
  readonly name: string;
  readonly text: string;
}

/** The examples of a page: its blocks marked `example: FILE`; of examples/README.md, the files beside it. */
export function examples(page: string): readonly Example[] {
  if (page !== "examples/README.md") return blocks(page, "example");
  return readdirSync(join(ROOT, "examples"))
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(ROOT, "examples", name), "utf8") }));
}

/** The examples of some pages as programs, in a folder where they find this package. */
export interface ExamplePrograms extends Disposable {
  /** The type errors of an example, which is compiled all the same. */
  typeErrors(example: string): readonly string[];
  /** The compiled program of an example. */
  file(example: string): string;
}

/** Compiles the examples of these pages. */
export function compileExamples(pages: readonly string[]): ExamplePrograms {
  const folder = mkdtempSync(join(tmpdir(), "erldist-examples-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(ROOT, join(folder, "node_modules", "erldist"));
  symlinkSync(join(ROOT, "node_modules", "@types"), join(folder, "node_modules", "@types"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const files = pages.flatMap(examples).map(({ name, text }) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  });
  const errors = compile(files);
  return {
    typeErrors: (example) => errors.get(example) ?? [],
    file: (example) => join(folder, example.replace(/\.ts$/, ".js")),
    [Symbol.dispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Compiles files beside themselves, as a reader with TypeScript would; returns the errors of each. */
function compile(files: readonly string[]): Map<string, string[]> {
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2023,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ["node"],
    strict: true,
    skipLibCheck: true,
  });
  program.emit();
  const errors = new Map<string, string[]>();
  for (const { file, messageText } of ts.getPreEmitDiagnostics(program)) {
    const example = basename(file?.fileName ?? "");
    const text = ts.flattenDiagnosticMessageText(messageText, "\n");
    errors.set(example, [...(errors.get(example) ?? []), text]);
  }
  return errors;
}
