/** Runs with each test file when it is found out what that reaches: writes the marks down. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect } from "vitest";

afterAll(() => {
  const { testPath } = expect.getState();
  const marks = {};
  for (const [file, blocks] of Object.entries(globalThis.__blocks ?? {})) {
    marks[file] = [...blocks].flatMap((mark, index) => (mark === 1 ? [index] : []));
  }
  const name = testPath.replace(/^.*[\\/]test[\\/]/, "").replace(/[\\/]/g, "+");
  writeFileSync(join(process.env.MUTATE_REACH, `${name}.json`), JSON.stringify(marks));
});
