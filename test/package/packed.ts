/** The package as npm packs it, installed in a project of its own outside of this one. */

import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

/** What a user's project has in node_modules besides erldist: its dependencies, and Node's types. */
const BESIDE = ["bigint-buffer", "yargs", "@types/node", "undici-types"];

export interface PackedFile {
  readonly path: string;
  readonly size: number;
}

export interface Packed extends Disposable {
  /** The project's folder. */
  readonly folder: string;
  /** The package in it. */
  readonly installed: string;
  readonly files: readonly PackedFile[];
  readonly unpackedBytes: number;
}

/** Packs what `npm run build` has made, and installs it in a new folder. */
export function installPacked(): Packed {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "erldist-package-")));
  const modules = join(folder, "node_modules");
  const installed = join(modules, "erldist");
  mkdirSync(join(modules, "@types"), { recursive: true });
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "consumer", version: "9.9.9", type: "module" }),
  );
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const [pack] = JSON.parse(execFileSync("npm", args, { cwd: ROOT, encoding: "utf8" }));
  execFileSync("tar", ["-xzf", join(folder, pack.filename), "-C", modules]);
  renameSync(join(modules, "package"), installed);
  for (const name of BESIDE) symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  return {
    folder,
    installed,
    files: pack.files,
    unpackedBytes: pack.unpackedSize,
    [Symbol.dispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
