/**
 * The Erlang/OTP releases that tests run against, and how to run a program of one.
 *
 * `otp/install` unpacks a release into a folder, where its programs run by chroot; those of the release on
 * the PATH (in GitHub's CI, for example) run as they are. `ERLDIST_OTP` chooses: unset, all four; "23,29",
 * those; "path", the one on the PATH.
 */

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { InteropError } from "./errors.ts";

/** What `otp/install` installs by default. */
export const SUPPORTED_RELEASES = ["23", "25", "27", "29"] as const;

/** An installed release. */
export interface OtpRelease {
  /** As `erlang:system_info(otp_release)` says: "25". */
  readonly release: string;
  /** The folder for chroot; undefined for the release on the PATH. */
  readonly root: string | undefined;
}

/**
 * Returns the releases to test with, oldest first.
 * @throws InteropError INTEROP_OTP_MISSING, with what to run, if one is not installed
 */
export function otpReleases(): OtpRelease[] {
  const chosen = chosenReleases();
  if (chosen === "path") return [releaseOnPath()];
  const names = chosen === "" ? [...SUPPORTED_RELEASES] : chosen.split(/[\s,]+/);
  return names.map(unpackedRelease);
}

/**
 * Returns an installed release by name; "path" is the one on the PATH.
 * @throws InteropError INTEROP_OTP_MISSING
 */
export function otpRelease(name: string): OtpRelease {
  if (name === "path") return releaseOnPath();
  if (chosenReleases() === "path") {
    const onPath = releaseOnPath();
    if (onPath.release === name) return onPath;
  }
  return unpackedRelease(name);
}

/**
 * Calls `describe("OTP 25", () => body(release))` for each release to test with; `describe` is your test
 * runner's.
 */
export function eachOtp(
  describe: (name: string, body: () => void) => unknown,
  body: (otp: OtpRelease) => void,
): void {
  for (const otp of otpReleases()) {
    describe(`OTP ${otp.release}`, () => {
      body(otp);
    });
  }
}

/** Returns the path on this machine of a path that the release's programs see. */
export function hostPath(otp: OtpRelease, path: string): string {
  return otp.root === undefined ? path : join(otp.root, path);
}

/** Returns a folder for temporary files, as the release's programs see it. */
export function temporaryFolder(otp: OtpRelease): string {
  return otp.root === undefined ? tmpdir() : "/tmp";
}

/** Returns the command line that runs a program of the release: `["chroot", "/…/25", "erl", …]`. */
export function otpCommand(otp: OtpRelease, command: readonly string[]): string[] {
  if (otp.root === undefined) return [...command];
  followHosts(otp.root);
  // Without root, a user namespace gives the right to chroot, where the kernel allows it.
  const enter = process.getuid?.() === 0 ? [] : ["unshare", "--map-root-user"];
  return [...enter, "chroot", otp.root, ...command];
}

/** Returns the PATH for the program of `otpCommand`. */
export function otpPath(otp: OtpRelease): string {
  const own = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const { PATH = own } = process.env;
  return otp.root === undefined ? PATH : own;
}

function chosenReleases(): string {
  const { ERLDIST_OTP = "" } = process.env;
  return ERLDIST_OTP.trim();
}

/** Computed as in `otp/install`: an empty variable counts as unset. */
function installFolder(): string {
  const { ERLDIST_OTP_DIR = "", XDG_CACHE_HOME = "" } = process.env;
  return ERLDIST_OTP_DIR || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "erldist/otp");
}

function unpackedRelease(name: string): OtpRelease {
  const root = join(installFolder(), name);
  if (!existsSync(join(root, ".erldist-otp"))) {
    throw new InteropError(
      "INTEROP_OTP_MISSING",
      `Erlang/OTP ${name} is not in ${root}: run interop/otp/install, or set ERLDIST_OTP=path to use ` +
        "the erl on the PATH",
    );
  }
  return { release: name, root };
}

let onPath: OtpRelease | undefined;

function releaseOnPath(): OtpRelease {
  if (onPath !== undefined) return onPath;
  let release: string;
  try {
    release = execFileSync(
      "erl",
      ["-noshell", "-eval", "io:put_chars(erlang:system_info(otp_release)), halt()."],
      { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 60_000 },
    ).trim();
  } catch (cause) {
    throw new InteropError(
      "INTEROP_OTP_MISSING",
      "ERLDIST_OTP=path, but no erl on the PATH runs: install Erlang/OTP, or unset ERLDIST_OTP and run " +
        "interop/otp/install",
      { cause },
    );
  }
  onPath = { release, root: undefined };
  return onPath;
}

const followed = new Set<string>();

/** A chroot resolves names by its own /etc/hosts; a node `bilbo@machine` needs the machine's. */
function followHosts(root: string): void {
  if (followed.has(root)) return;
  followed.add(root);
  const theirs = join(root, "etc/hosts");
  try {
    if (existsSync(theirs) && readFileSync(theirs).equals(readFileSync("/etc/hosts"))) return;
    mkdirSync(join(root, "etc"), { recursive: true });
    const fresh = `${theirs}.${process.pid}`;
    copyFileSync("/etc/hosts", fresh);
    renameSync(fresh, theirs);
  } catch (cause) {
    // Without root this process cannot write there; the file from `otp/install` has to do.
    if (!existsSync(theirs)) {
      throw new InteropError(
        "INTEROP_START_FAILED",
        `${theirs} is missing and cannot be written, so no node in it can be found by its host's name`,
        { cause },
      );
    }
  }
}
