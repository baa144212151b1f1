/** The errors that docs/two-hosts.md shows are in the sources' words; interop/two-hosts.interop.ts runs the page. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blocks, ROOT } from "../../interop/support/documents.ts";

const SOURCES = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => readFileSync(join(ROOT, "src", file), "utf8"))
  .join("\n");
/** A name, an address, a number, the kind of a name, or anything: what a message is made with. */
const FILLED_IN = /\S*[@"\d]\S*|\.\.\.|\b(?:short|long)\b|\(-\w+\)|\[.*\]$|(?<=\.) /;

const errors = blocks("docs/two-hosts.md", "hosts").flatMap(({ text }) =>
  [...text.matchAll(/^(?:\w+: )?erldist: (.*)$/gm)].map(([, message = ""]) => message),
);

test("there are errors", () => {
  expect(errors.length).toBeGreaterThan(7);
});

test.each(errors)("%s", (message) => {
  const fixed = message.split(FILLED_IN).map((part) => part.trim());
  const long = fixed.filter((part) => part.split(" ").length > 2);
  expect(long).not.toEqual([]);
  expect(long.filter((part) => !SOURCES.includes(part))).toEqual([]);
});
