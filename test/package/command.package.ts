/** The published command, however it was installed. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { installPacked, ROOT } from "./packed.ts";

const packed = installPacked();
afterAll(() => packed[Symbol.dispose]());

const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  version: string;
  bin: { erldist: string };
};
const command = join(packed.installed, manifest.bin.erldist);

/** A link to the command in a folder such as npm's for commands, whose parent is another package. */
function linked(folder: string, target: string): string {
  mkdirSync(join(packed.folder, folder), { recursive: true });
  const link = join(packed.folder, folder, "erldist");
  symlinkSync(target, link);
  return link;
}

/** The package linked by `npm link`: a link to a folder elsewhere, which has no node_modules. */
function elsewhere(): string {
  const project = join(packed.folder, "other", "node_modules");
  mkdirSync(project, { recursive: true });
  writeFileSync(join(packed.folder, "other", "package.json"), '{ "version": "8.8.8" }');
  symlinkSync(packed.installed, join(project, "erldist"));
  return join(project, "erldist", manifest.bin.erldist);
}

it.each([
  ["started by its file", [command, "--version"]],
  ["started by a link, as npx and npm install --global do", [linked("bin", command), "--version"]],
  ["linked by npm link", [elsewhere(), "--version"]],
  ["started without resolving links", ["--preserve-symlinks-main", command, "--version"]],
  ["asked with a command", [command, "kvs", "--version"]],
])("%s, it prints erldist's own version", (_how, args) => {
  for (const cwd of ["/", packed.folder]) {
    const printed = execFileSync(process.execPath, args, { cwd, encoding: "utf8" });
    expect(printed).toBe(`${manifest.version}\n`);
  }
});

it("--version loads neither yargs nor the node", () => {
  const text = readFileSync(command, "utf8");
  const imports = [...text.matchAll(/^import .*? from "([^"]+)";/gm)].map(([, name]) => name);
  expect(imports.sort()).toEqual(["./version.js", "node:module"]);
});

it.each([
  [
    "the command",
    true,
    `process.argv.push("epmd", "--help"); await import(${JSON.stringify(command)});`,
  ],
  ["an import of the library", false, 'await import("erldist");'],
])("of Node.js's compile cache, %s makes use: %s", (_what, expected, program) => {
  const file = join(packed.folder, "caching.js");
  const source = `import module from "node:module";
    let enabled = false;
    module.enableCompileCache = () => {
      enabled = true;
    };
    ${program}
    process.stderr.write(String(enabled));`;
  writeFileSync(file, source);
  const { stderr } = spawnSync(process.execPath, [file], { encoding: "utf8" });
  expect(stderr).toBe(String(expected));
});
