/** The benchmark's programs in C and Java, compiled when they are older than their sources. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const JINTERFACE = "/usr/share/java/OtpErlang.jar";
const EI = "/usr/include/ei.h";
const FOLDER = rootPath(".cache/bench/wire");

/** A path from the root of the checkout; this program runs as .cache/bench/test/bench/wire/*.js. */
function rootPath(path: string): string {
  return fileURLToPath(new URL(`../../../../../${path}`, import.meta.url));
}

export function sourceFile(name: string): string {
  return rootPath(`test/bench/wire/${name}`);
}

/** A program of the benchmark that is built with this one. */
export function builtFile(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/**
 * The file of a C program, compiled.
 * @throws Error when ei is missing or gcc refuses
 */
export function compiledC(name: "c_node" | "c_load"): string {
  const source = sourceFile(`${name}.c`);
  const program = join(FOLDER, name);
  if (isOlder(program, source)) {
    needs(EI, "erlang-dev");
    mkdirSync(FOLDER, { recursive: true });
    const flags = ["-O2", "-Wall", "-D_REENTRANT", "-o", program];
    run("gcc", [...flags, source, "-lei", "-lpthread"]);
  }
  return program;
}

/**
 * The command line of a Java program, compiled.
 * @throws Error when Jinterface is missing or javac refuses
 */
export function compiledJava(name: "JavaNode"): string[] {
  const source = sourceFile(`${name}.java`);
  needs(JINTERFACE, "erlang-jinterface");
  if (isOlder(join(FOLDER, `${name}.class`), source)) {
    mkdirSync(FOLDER, { recursive: true });
    run("javac", ["-cp", JINTERFACE, "-d", FOLDER, source]);
  }
  return ["java", "-cp", `${JINTERFACE}:${FOLDER}`, name];
}

function isOlder(made: string, source: string): boolean {
  return !existsSync(made) || statSync(made).mtimeMs < statSync(source).mtimeMs;
}

function needs(file: string, what: string): void {
  if (existsSync(file)) return;
  throw new Error(
    `${what} is missing (${file}): run test/bench/wire/install, or leave out c and java.`,
  );
}

function run(command: string, args: readonly string[]): void {
  try {
    execFileSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  } catch (cause) {
    throw new Error(`${command} failed; test/bench/wire/install brings what it needs.`, { cause });
  }
}
