/** Runs inputs of an area, and says what does not hold: its own claims, the time and the memory they take. */
import { setImmediate } from "node:timers/promises";
import { getHeapStatistics } from "node:v8";

/** What an input may take besides the area's allowance, for each kilobyte that it is or makes. */
const MS_A_KILOBYTE = 2;
const MEBIBYTES_A_KILOBYTE = 0.5;
const DEFAULT_ALLOWANCE = { ms: 25, mebibytes: 16 };
/** How often what was too expensive is run again: it is so when each of them is. */
const AGAIN = 4;

export class Runner {
  #area;
  #Choices;
  #uncaught = [];

  constructor(area, Choices) {
    this.#area = area;
    this.#Choices = Choices;
    for (const event of ["uncaughtException", "unhandledRejection"]) {
      process.on(event, (error) => this.#uncaught.push(error));
    }
  }

  /** Runs it; returns what does not hold, or undefined. */
  async run(input) {
    const before = allocated();
    const since = performance.now();
    const choices = new this.#Choices(input);
    try {
      const running = this.#area.run(choices);
      if (running !== undefined) await running;
    } catch (error) {
      return error;
    }
    if (this.#uncaught.length > 0) return this.#uncaught.shift();
    const cost = { ms: performance.now() - since, mebibytes: allocated() - before };
    const limit = this.#limit(choices.given);
    for (const [what, unit] of [
      ["ms", "ms"],
      ["mebibytes", "MiB"],
    ]) {
      if (cost[what] <= limit[what] || !(await this.#always(input, what, limit[what]))) continue;
      const text = `${choices.given} bytes take no more than ${limit[what].toFixed(1)} ${unit}`;
      return new Error(`does not hold: ${text}`);
    }
    return undefined;
  }

  async reset() {
    await this.#area.reset?.();
    await setImmediate();
    this.#uncaught.length = 0;
  }

  #limit(given) {
    const { ms, mebibytes } = this.#area.allowance ?? DEFAULT_ALLOWANCE;
    const kilobytes = given / 1024;
    return {
      ms: ms + MS_A_KILOBYTE * kilobytes,
      mebibytes: mebibytes + MEBIBYTES_A_KILOBYTE * kilobytes,
    };
  }

  /** Whether it is beyond the limit each time: a busy machine, or a collection of garbage, is not to blame. */
  async #always(input, what, limit) {
    for (let i = 0; i < AGAIN; i++) {
      await this.reset();
      // What is made anew after a reset, and code that is compiled, is not the input's cost.
      await this.#cost(Buffer.alloc(1));
      if ((await this.#cost(input))[what] <= limit) return false;
    }
    return true;
  }

  async #cost(input) {
    const before = allocated();
    const cpu = process.cpuUsage();
    const since = performance.now();
    try {
      await this.#area.run(new this.#Choices(input));
    } catch {
      // It cost what it did, and did not fail before.
    }
    const ms = performance.now() - since;
    const { user, system } = process.cpuUsage(cpu);
    return { ms: Math.min(ms, (user + system) / 1000), mebibytes: allocated() - before };
  }
}

function allocated() {
  const { used_heap_size, external_memory, malloced_memory } = getHeapStatistics();
  return (used_heap_size + external_memory + malloced_memory) / 2 ** 20;
}

/** What tells a kind of failure from another: its words without numbers, and where it came from. */
export function kindOf(error) {
  const text = error instanceof Error ? error.message : String(error);
  const where = /at [^\n]*\n?/.exec(error?.stack ?? "")?.[0] ?? "";
  const words = text.split("\n")[0].replaceAll(/\d+/g, "N").slice(0, 160);
  return `${words} ${where.replaceAll(/:\d+:\d+|\(.*\)/g, "").trim()}`;
}
