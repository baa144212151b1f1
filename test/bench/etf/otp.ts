/** Genuine OTP: makes the corpus, and is timed on it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import {
  hostPath,
  type OtpRelease,
  otpCommand,
  temporaryFolder,
} from "../../../interop/releases.ts";

/** A folder that the release's programs and ours both see: its path for them, and for us. */
function sharedFolder(otp: OtpRelease): { theirs: string; ours: string } {
  const tmp = temporaryFolder(otp);
  const ours = mkdtempSync(join(hostPath(otp, tmp), "erldist-bench-"));
  return { theirs: `${tmp}/${basename(ours)}`, ours };
}

/** The corpus as that release writes it: by row, the bytes of a term. */
export function makeCorpus(
  otp: OtpRelease,
  script: string,
  rows: readonly string[],
): Map<string, Uint8Array> {
  const { theirs, ours } = sharedFolder(otp);
  try {
    copyFileSync(script, join(ours, "corpus.escript"));
    const [program, ...args] = otpCommand(otp, ["escript", `${theirs}/corpus.escript`, theirs]);
    execFileSync(program!, args, { stdio: ["ignore", 2, 2] });
    return new Map(rows.map((row) => [row, readFileSync(join(ours, `${row}.etf`))]));
  } finally {
    rmSync(ours, { recursive: true });
  }
}

/** term_to_binary and binary_to_term in a runtime that stays up for the whole run. */
export class OtpTimer {
  readonly release: string;
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private readonly folder: string;

  private constructor(
    release: string,
    child: ChildProcess,
    lines: AsyncIterator<string>,
    folder: string,
  ) {
    this.release = release;
    this.child = child;
    this.lines = lines;
    this.folder = folder;
  }

  static async start(
    otp: OtpRelease,
    script: string,
    corpus: ReadonlyMap<string, Uint8Array>,
  ): Promise<OtpTimer> {
    const { theirs, ours } = sharedFolder(otp);
    copyFileSync(script, join(ours, "otp.escript"));
    for (const [row, bytes] of corpus) writeFileSync(join(ours, `${row}.etf`), bytes);
    const [program, ...args] = otpCommand(otp, ["escript", `${theirs}/otp.escript`, theirs]);
    const child = spawn(program!, args, { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { value } = await lines.next();
    return new OtpTimer(String(value), child, lines, ours);
  }

  /** Nanoseconds a call. */
  async time(op: "encode" | "decode", row: string, milliseconds: number): Promise<number> {
    this.child.stdin!.write(`${op} ${row} ${milliseconds}\n`);
    const { value, done } = await this.lines.next();
    if (done === true) throw new Error(`OTP ${this.release} ended while timing ${op} ${row}`);
    return Number(value);
  }

  end(): void {
    this.child.stdin!.end();
    rmSync(this.folder, { recursive: true });
  }
}
