/** Processes that run tests; one that hangs is ended, with all it started, and replaced. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const RUNNER = fileURLToPath(new URL("runner.mjs", import.meta.url));
const running = new Set();
process.on("exit", () => {
  for (const child of running) end(child);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

export class Runner {
  #arguments;
  #child;

  /** @param {string} root @param {string} [reachDirectory] where what tests reach is written */
  constructor(root, reachDirectory) {
    this.#arguments = [root, ...(reachDirectory === undefined ? [] : [reachDirectory])];
  }

  /** @returns {Promise<{ failed: boolean, ms: number, hung?: boolean }>} */
  async run(test, source, limitMs) {
    this.#child ??= await started(this.#arguments);
    const child = this.#child;
    child.send({ test, source });
    const answer = await answerOf(child, limitMs);
    if (answer !== undefined) return answer;
    this.close();
    return { failed: true, ms: limitMs, hung: true };
  }

  close() {
    if (this.#child !== undefined) end(this.#child);
    this.#child = undefined;
  }
}

async function started(argv) {
  const child = spawn(process.execPath, [RUNNER, ...argv], {
    detached: process.platform !== "win32",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  running.add(child);
  child.on("exit", () => running.delete(child));
  if ((await answerOf(child, 120_000)) === undefined) throw new Error("No test runner started.");
  return child;
}

/** The next message of a process, or `undefined` when it ends or is late. */
function answerOf(child, limitMs) {
  return new Promise((resolve) => {
    const settle = (answer) => {
      clearTimeout(timer);
      child.off("message", settle);
      child.off("exit", none);
      resolve(answer);
    };
    const none = () => settle(undefined);
    const timer = setTimeout(none, limitMs);
    child.on("message", settle);
    child.on("exit", none);
  });
}

function end(child) {
  if (child.exitCode !== null) return;
  // The whole group, of which it is the first; Windows has none.
  if (process.platform === "win32") child.kill();
  else process.kill(-child.pid, "SIGKILL");
}
