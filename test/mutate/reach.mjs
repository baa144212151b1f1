/**
 * Which test file reaches which block of which source file: each is run once, with marks in the
 * sources. What was found out is kept in .cache/mutate until the test or something it loads changes.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Runner } from "./runners.mjs";

const LIMIT_MS = 600_000;

/**
 * @returns {Promise<Map<string, { ms: number, blocks: Record<string, number[]> }>>} by test file
 */
export async function reachOf(root, { jobs, tell }) {
  const cache = join(root, ".cache/mutate");
  const marks = join(cache, "marks");
  mkdirSync(marks, { recursive: true });
  const known = readJson(join(cache, "reach.json")) ?? {};
  const tests = filesBelow(root, "test").filter((file) => file.endsWith(".test.ts"));
  const waiting = tests.filter(
    (test) =>
      known[test]?.hash === undefined || known[test].hash !== hashOf(root, test, known[test]),
  );
  if (waiting.length > 0) tell(`finding out what ${waiting.length} test files reach`);

  const work = async () => {
    const runner = new Runner(root, marks);
    for (let test = waiting.shift(); test !== undefined; test = waiting.shift()) {
      const file = join(marks, `${test.slice("test/".length).replaceAll("/", "+")}.json`);
      rmSync(file, { force: true });
      const { failed, ms } = await runner.run(test, undefined, LIMIT_MS);
      const blocks = readJson(file) ?? {};
      if (failed) tell(`${test} fails by itself and is left out`);
      known[test] = { ms, blocks: failed ? {} : blocks };
      known[test].hash = failed ? undefined : hashOf(root, test, known[test]);
    }
    runner.close();
  };
  await Promise.all(Array.from({ length: jobs }, work));
  writeFileSync(join(cache, "reach.json"), JSON.stringify(known));
  return new Map(tests.map((test) => [test, known[test]]));
}

/** The tests that reach a block, those most likely to notice a change first. */
export function testsReaching(reach, file, block) {
  const reaching = [...reach].filter(([, { blocks }]) => blocks[file]?.includes(block));
  const folder = dirname(file)
    .replace(/^src\b/, "test")
    .replace(/^etf\b/, "test/etf");
  const mirrored = `${folder}/${basename(file, ".ts")}.test.ts`;
  const distance = (test) => (test === mirrored ? 0 : dirname(test) === folder ? 1 : 2);
  return reaching
    .map(([test, { ms }]) => ({ test, ms }))
    .sort((a, b) => distance(a.test) - distance(b.test) || a.ms - b.ms);
}

export function filesBelow(root, folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll("\\", "/"),
    )
    .sort();
}

/** Of the test and what it loaded when it ran. */
function hashOf(root, test, reached) {
  if (reached === undefined) return undefined;
  const hash = createHash("sha256");
  try {
    for (const file of [test, ...Object.keys(reached.blocks).sort()]) {
      hash.update(readFileSync(join(root, file)));
    }
  } catch {
    return undefined;
  }
  return hash.digest("hex");
}

export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
