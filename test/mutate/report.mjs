/** What a run found out, for people. */

/** @returns {number} how many of a hundred mutants were noticed */
export function printReport({ seed, folders, results }) {
  for (const { file, line, kind, was, now, by, reachedBy } of results) {
    if (by !== undefined) continue;
    const reached = reachedBy === 0 ? "no test reaches it" : `${reachedBy} test files reach it`;
    console.log(`${file}:${line} ${kind} (${reached})\n  - ${was}\n  + ${now}`);
  }
  const counts = folders.map((folder) => ({
    name: folder,
    ...counted(results.filter((one) => one.folder === folder)),
  }));
  const all = counted(results);
  const lines = [HEAD, ...[...counts, { name: "all", ...all }].map(cells)];
  const widths = HEAD.map((_, at) => Math.max(...lines.map((line) => line[at].length)));
  for (const [name, ...numbers] of lines) {
    const padded = numbers.map((text, at) => text.padStart(widths[at + 1]));
    console.log([name.padEnd(widths[0]), ...padded].join("  "));
  }
  console.log(`seed ${seed}`);
  return percentage(all.noticed, all.real);
}

const HEAD = [
  "folder",
  "mutants",
  "equivalent",
  "types",
  "tests",
  "time-out",
  "not noticed",
  "score",
  "tests alone",
];

/** Equivalent mutants do not count, and those that do not compile not for the tests. */
function counted(results) {
  const count = (by) => results.filter((one) => one.by === by).length;
  const [types, tests, late, equal] = ["types", "tests", "time-out", "equivalent"].map(count);
  const real = results.length - equal;
  return { drawn: results.length, equal, types, tests, late, real, noticed: types + tests + late };
}

function cells({ name, drawn, equal, types, tests, late, real, noticed }) {
  const numbers = [drawn, equal, types, tests, late, real - noticed].map(String);
  const scores = [percentage(noticed, real), percentage(tests + late, real - types)];
  return [name, ...numbers, ...scores.map((score) => `${score} %`)];
}

function percentage(part, whole) {
  return whole === 0 ? 100 : Math.floor((1000 * part) / whole) / 10;
}
