/** README.md and the pages of docs/ fit the sources, the tests that run their examples, and one another. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { blocks, PAGES, pageText } from "../interop/support/documents.ts";

const ROOT = new URL("..", import.meta.url).pathname;
/** A member of one of the unions of codes: a line of its own, or the right side of a `type`. */
const CODE_LINE =
  /^\s*\| "((?:ETF|TERM|TRANSPORT|EPMD|HS|DIST|CONN|NODE|PROCESS|FUNCTION|CALL|REMOTE|INTEROP)_[A-Z0-9_]+)"/gm;
const CODE_TYPE = /^export type \w+ErrorCode =\s*([^;]*);/gm;
const README_LINES = 210;

function files(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending))
    .map((file) => readFileSync(join(ROOT, folder, file), "utf8"));
}

function codesOf(sources: readonly string[]): string[] {
  const codes = new Set<string>();
  for (const source of sources) {
    for (const [, code = ""] of source.matchAll(CODE_LINE)) codes.add(code);
    for (const [, union = ""] of source.matchAll(CODE_TYPE)) {
      for (const [, code = ""] of union.matchAll(/"([A-Z0-9_]+)"/g)) codes.add(code);
    }
  }
  return [...codes].sort();
}

describe("the error codes of docs/errors.md", () => {
  const documented = [...pageText("docs/errors.md").matchAll(/^### ([A-Z0-9_]+)$/gm)];
  const codes = codesOf([
    ...files("etf", ".ts"),
    ...files("src", ".ts"),
    ...files("interop", ".ts"),
  ]);

  it("are found in the sources", () => {
    expect(codes.length).toBeGreaterThan(60);
  });

  it("have a heading each, and no heading is left over", () => {
    expect(documented.map(([, code = ""]) => code).sort()).toEqual(codes);
  });

  const tests = [...files("test", ".test.ts"), ...files("interop", ".interop.ts")].join("\n");
  it.each(codes)("%s is expected by some test", (code) => {
    expect(tests).toMatch(new RegExp(`\\b${code}\\b`));
  });
});

describe("README.md", () => {
  it(`has at most ${README_LINES} lines`, () => {
    expect(pageText("README.md").split("\n").length).toBeLessThanOrEqual(README_LINES);
  });
});

describe("docs/README.md", () => {
  it.each(PAGES.filter((page) => page.startsWith("docs/") && page !== "docs/README.md"))(
    "lists %s",
    (page) => {
      expect(pageText("docs/README.md")).toContain(`](${relative("docs", page)})`);
    },
  );
});

describe.each(PAGES)("%s", (page) => {
  const text = pageText(page);
  const examples = blocks(page, "example").map(({ name }) => name);
  // Those of two hosts are `hosts`.
  const sessions = blocks(page).filter(({ kind }) => kind === "session" || kind === "hosts");

  it("shows no TypeScript that is not checked", () => {
    expect([...text.matchAll(/^```(?:ts|js)$/gm)]).toHaveLength(examples.length);
  });

  if (page !== "docs/README.md") {
    it("shows something that runs", () => {
      expect(sessions.length).toBeGreaterThan(0);
    });
  }

  // interop/documents.interop.ts runs the sessions of docs/, interop/two-hosts.interop.ts those of two hosts,
  // interop/readme.interop.ts those of the README.
  if (page !== "README.md") {
    it.each(examples)("runs %s in a session", (example) => {
      const file = example.replace(/\.ts$/, ".js");
      const started = new RegExp(`^\\w*\\$ node .*\\b${file}( .*)?$`, "m");
      expect(sessions.filter(({ text }) => started.test(text))).not.toEqual([]);
    });
  }

  it("has no dead links", () => {
    const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = ""]) => to);
    expect(links.filter((link) => !leadsSomewhere(page, link))).toEqual([]);
  });
});

it("no two examples have one name", () => {
  const names = PAGES.flatMap((page) => blocks(page, "example").map(({ name }) => name));
  expect(names).toEqual([...new Set(names)]);
});

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "");
}

/** Whether the file of a link exists, and has the heading that its anchor names. Not asked of the web. */
function leadsSomewhere(page: string, link: string): boolean {
  if (/^\w+:/.test(link)) return true;
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : join(dirname(page), path);
  if (!existsSync(join(ROOT, target))) return true;
  return anchor === undefined || anchorsOf(pageText(target)).includes(anchor);
}

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(text: string): string[] {
  return [...text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ (.*)$/gm)].map(
    ([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
  );
}
