/**
 * An Erlang node with Elixir: Debian's package, which `interop/elixir-install` puts into the cache, on a
 * node of OTP 25 (or of 27 where the package is newer than 1.14).
 */

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decode } from "../../etf/index.ts";
import {
  hostPath,
  type OtpNode,
  type OtpNodeOptions,
  otpReleases,
  startOtpNode,
} from "../index.ts";
import { temporaryFolder } from "../releases.ts";

const INSTALL = fileURLToPath(new URL("../elixir-install", import.meta.url));

export interface ElixirNode {
  readonly node: OtpNode;
  /** Of the version 1.minor. */
  readonly minor: number;
  /** Evaluates code, as one line of a shell after another, and returns what `inspect` shows. */
  elixir(code: string): Promise<string>;
}

/** Starts a node, as `iex --sname NAME` does, without its shell. */
export async function startElixirNode(options: Partial<OtpNodeOptions> = {}): Promise<ElixirNode> {
  execFileSync(INSTALL, { stdio: ["ignore", "inherit", "inherit"] });
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "erldist/elixir");
  const app = readFileSync(join(cache, "lib/elixir/ebin/elixir.app"), "utf8");
  const minor = Number(/\{vsn,\s*"1\.(\d+)/.exec(app)?.[1]);
  const wanted = minor < 15 ? "25" : "27";
  const releases = otpReleases();
  const otp = releases.find(({ release }) => release === wanted) ?? releases.at(-1)!;
  const folder = join(temporaryFolder(otp), `erldist-elixir-1.${minor}`);
  if (!existsSync(hostPath(otp, folder))) {
    cpSync(join(cache, "lib/elixir/ebin"), hostPath(otp, folder), { recursive: true });
  }
  const node = await startOtpNode({ ...options, otp, args: ["-pa", folder, "+fnu"] });
  await node.eval("{ok, _} = application:ensure_all_started(elixir)");
  const session = node.session();
  return {
    node,
    minor,
    async elixir(code) {
      const shown = await session.evalBytes(
        `(fun() ->
            {Value, Variables} = 'Elixir.Code':eval_string(Given, case get(vars) of undefined -> []; V -> V end),
            put(vars, Variables),
            'Elixir.Kernel':inspect(Value)
          end)()`,
        { bindings: { Given: Buffer.from(code) } },
      );
      return Buffer.from(decode(shown) as Uint8Array).toString();
    },
  };
}
