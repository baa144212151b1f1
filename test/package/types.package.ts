/**
 * The published declarations, checked themselves (`skipLibCheck: false`) with a program that uses
 * every entry: by the project's TypeScript, or by the version that ERLDIST_TYPESCRIPT names.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { installPacked, ROOT } from "./packed.ts";

const packed = installPacked();
afterAll(() => packed[Symbol.dispose]());

const PROGRAM = `
import { atom, isTuple, Node, type NodeOptions, Pid, type Term, TermMap, tuple } from "erldist";
import { EpmdClient, EpmdServer } from "erldist/epmd";
import { compare, decode, encode, TermSet } from "erldist/etf";
import { eachOtp, startOtpNode } from "erldist/interop";

export async function main(options: NodeOptions): Promise<Term> {
  await using node = await Node.start(options);
  const entries: [Term, Term][] = [...new TermMap([[atom("a"), 1]]).entries()];
  for (const key of new TermMap().keys()) entries.push([key, key]);
  entries.sort(([a], [b]) => compare(a, b));
  const elements: Term[] = [...new TermSet([1, 2])];
  const back = decode(encode(tuple(atom("ok"), elements)));
  if (back instanceof Pid || isTuple(back, 2)) return back;
  return node.rpc.call("bilbo@localhost", "erlang", "node", []);
}
export { EpmdClient, EpmdServer, eachOtp, startOtpNode };
`;
const OPTIONS = {
  target: "es2022",
  lib: ["es2022", "esnext.disposable"],
  module: "nodenext",
  types: ["node"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: false,
};

const version = process.env.ERLDIST_TYPESCRIPT;

it(`compile for a user of TypeScript ${version ?? "as installed"}`, () => {
  writeFileSync(join(packed.folder, "program.ts"), PROGRAM);
  const config = { compilerOptions: OPTIONS, files: ["program.ts"] };
  writeFileSync(join(packed.folder, "tsconfig.json"), JSON.stringify(config));
  const [command, ...args] =
    version === undefined
      ? [process.execPath, join(ROOT, "node_modules/typescript/bin/tsc")]
      : ["npx", "--yes", `--package=typescript@${version}`, "tsc"];
  const { stdout, status } = spawnSync(command, args, { cwd: packed.folder, encoding: "utf8" });
  expect(stdout).toBe("");
  expect(status).toBe(0);
});
