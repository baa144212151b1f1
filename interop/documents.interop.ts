/** The examples of docs/ and examples/ run as they stand there, beside the newest OTP release. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Epmd, otpReleases, startEpmd } from "./index.ts";
import {
  blocks,
  compileExamples,
  type ExamplePrograms,
  examples,
  PAGES,
} from "./support/documents.ts";
import { runSession } from "./support/sessions.ts";
import "./support/vitest.ts";

const pages = PAGES.filter((page) => page !== "README.md" && page !== "docs/README.md");
let programs: ExamplePrograms;
let epmd: Epmd;

beforeAll(async () => {
  programs = compileExamples(pages);
  // EPMD runs before, between and after the nodes, as on a host where nodes come and go.
  epmd = await startEpmd({ otp: otpReleases().at(-1)! });
});
afterAll(async () => {
  await epmd.stop();
  programs[Symbol.dispose]();
});

describe.each(pages)("%s", (page) => {
  it.each(examples(page).map(({ name }) => name))("%s has no type errors", (example) => {
    expect(programs.typeErrors(example)).toEqual([]);
  });

  it.each(blocks(page, "session").map(({ text }, at) => [at + 1, text] as const))(
    "session %i runs as shown",
    (_at, text) => runSession(text, { programs }),
  );
});
