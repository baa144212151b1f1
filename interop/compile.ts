/**
 * Compiles Erlang modules of the harness and of tests with the release that loads them.
 *
 * A release may not load a beam file of another one, and compiling takes most of a second: so beam files
 * are kept in a folder per release and content, for the next run too.
 */

import { createHash, randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { InteropError } from "./errors.ts";
import { runOtp } from "./program.ts";
import { hostPath, type OtpRelease, temporaryFolder } from "./releases.ts";

/**
 * Returns the source file of a module: a path as it is, a bare name (`kvs`, `erldist_echo`) in `interop/erlang/`.
 * @throws InteropError INTEROP_COMPILE if no such module exists
 */
export function erlangSource(module: string): string {
  if (module.endsWith(".erl")) return module;
  // From dist/, where this file is bundled, the modules are in the folder beside it.
  for (const folder of ["./erlang/", "../interop/erlang/"]) {
    const file = fileURLToPath(new URL(`${folder}${module}.erl`, import.meta.url));
    if (existsSync(file)) return file;
  }
  throw new InteropError("INTEROP_COMPILE", `interop/erlang has no Erlang module ${module}`);
}

/** A beam file. */
export interface CompiledModule {
  /** The module's name. */
  name: string;
  /** The folder of the beam file, as the release's programs see it. */
  folder: string;
}

const compiled = new Map<string, Promise<CompiledModule>>();

/**
 * Compiles a module, a path or a bare name as for `erlangSource`, unless that was done before.
 * @throws InteropError INTEROP_COMPILE with the output of `erlc`
 */
export async function compileErlang(otp: OtpRelease, module: string): Promise<CompiledModule> {
  const source = erlangSource(module);
  const name = basename(source, ".erl");
  const hash = createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 16);
  // Of one user: nobody else may put a beam file there.
  const folder = join(
    temporaryFolder(otp),
    `erldist-beams-${process.getuid?.() ?? "user"}`,
    `${otp.release}-${hash}`,
  );
  const key = `${otp.root ?? ""}:${folder}/${name}`;
  let compilation = compiled.get(key);
  if (compilation === undefined) {
    compilation = compile(otp, source, name, folder);
    compiled.set(key, compilation);
  }
  return compilation;
}

async function compile(
  otp: OtpRelease,
  source: string,
  name: string,
  folder: string,
): Promise<CompiledModule> {
  const finished = join(hostPath(otp, folder), `${name}.beam`);
  if (!existsSync(finished)) {
    // Several test processes may come here at once; each compiles aside, and a rename is atomic.
    const aside = `${folder}.${process.pid}.${randomBytes(3).toString("hex")}`;
    const asideHere = hostPath(otp, aside);
    mkdirSync(dirname(asideHere), { recursive: true, mode: 0o700 });
    mkdirSync(asideHere, { mode: 0o700 });
    try {
      copyFileSync(source, join(asideHere, `${name}.erl`));
      const { code, output } = await runOtp({
        otp,
        command: ["erlc", "-o", aside, join(aside, `${name}.erl`)],
      });
      if (code !== 0) {
        throw new InteropError(
          "INTEROP_COMPILE",
          `erlc of OTP ${otp.release} refuses ${source}:\n${output}`,
        );
      }
      mkdirSync(hostPath(otp, folder), { recursive: true, mode: 0o700 });
      renameSync(join(asideHere, `${name}.beam`), finished);
    } finally {
      rmSync(asideHere, { recursive: true, force: true });
    }
  }
  return { name, folder };
}
