/**
 * Which inputs reach code that no other reached, by V8's own coverage: asked for after every batch
 * it costs nothing, and a batch that reached something new is looked at one by one.
 */
import { statSync } from "node:fs";
import { Session } from "node:inspector";

export class Coverage {
  #session = new Session();
  #script;
  /** A byte for each character of the script that ran. */
  #marks;

  /** To be made before the script is loaded. */
  constructor(script) {
    this.#script = script;
    this.#marks = new Uint8Array(statSync(script).size);
    this.#session.connect();
    this.#post("Profiler.enable");
    this.restart();
  }

  /** Forgets what ran, not what was marked: V8 tells of each block only once. */
  restart() {
    this.#post("Profiler.stopPreciseCoverage");
    this.#post("Profiler.startPreciseCoverage", { callCount: false, detailed: true });
  }

  /** How many characters ran for the first time; `keep` marks them. */
  fresh(keep) {
    const marks = keep ? this.#marks : this.#marks.slice();
    let fresh = 0;
    for (const { url, functions } of this.#post("Profiler.takePreciseCoverage").result) {
      if (!url.endsWith(this.#script)) continue;
      for (const { ranges } of functions) fresh += marked(marks, ranges);
    }
    return fresh;
  }

  get share() {
    const sum = this.#marks.reduce((total, mark) => total + mark, 0);
    return `${((100 * sum) / this.#marks.length).toFixed(1)} %`;
  }

  /** The answer comes within the call. */
  #post(method, parameters = {}) {
    let answer;
    this.#session.post(method, parameters, (error, result) => {
      if (error !== null) throw new Error(error.message);
      answer = result;
    });
    return answer;
  }
}

function marked(marks, ranges) {
  // The first range is the whole function, those inside it say what is different there.
  const { startOffset, endOffset } = ranges[0];
  if (startOffset === 0) return 0; // the script itself, which runs once
  const ran = new Uint8Array(endOffset - startOffset);
  for (const range of ranges) {
    const [from, to] = [range.startOffset - startOffset, range.endOffset - startOffset];
    ran.fill(Math.min(range.count, 1), from, to);
  }
  let fresh = 0;
  for (let i = 0; i < ran.length; i++) {
    if (ran[i] === 0 || marks[startOffset + i] === 1) continue;
    marks[startOffset + i] = 1;
    fresh++;
  }
  return fresh;
}
