/**
 * Closes a run with one plain line of what vitest reported: `812 passed, 0 failed`.
 *
 *     node .ci/summary.mjs FOLDER STATUS
 *
 * FOLDER holds the JSON reports of the test projects, STATUS is what the test command exited with. Exits with
 * STATUS; with 1 where that is 0 and yet a report is missing, a test failed, or none ran.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";

const [folder = ".cache/tests", status = "0"] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;
const problems = [];

for (const project of ["unit", "package", "interop"]) {
  let report;
  try {
    report = JSON.parse(readFileSync(join(folder, `${project}.json`), "utf8"));
  } catch {
    problems.push(`the ${project} tests have left no report: they did not run to their end`);
    continue;
  }
  if (report.numPassedTests + report.numFailedTests === 0) {
    problems.push(`none of the ${project} tests ran`);
  }
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  skipped += report.numPendingTests + report.numTodoTests;
  // A file that cannot be loaded, or whose hooks fail, fails without a test in it that did.
  for (const file of report.testResults) {
    const inside = file.assertionResults.filter((test) => test.status === "failed").length;
    if (file.status === "failed" && inside === 0) {
      failed++;
      problems.push(`${file.name}: ${file.message}`);
    }
  }
}

for (const problem of problems) console.log(problem);
console.log(`${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`);
process.exitCode = Number(status) || (problems.length > 0 || failed > 0 ? 1 : 0);
