/** README.md and the pages of docs/ and examples/ lead to one another, and what they show is run by the interop tests. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { blocks, examples, PAGES, pageText, ROOT } from "../../interop/support/documents.ts";

const README_LINES = { least: 150, most: 200 };
/** The addresses of this repository's files on the web. */
const ON_THE_WEB = /^https:\/\/github\.com\/erldist\/erldist\/(?:blob|tree)\/main\//;

describe("README.md", () => {
  it(`has ${README_LINES.least} to ${README_LINES.most} lines`, () => {
    const lines = pageText("README.md").trimEnd().split("\n").length;
    expect(lines).toBeGreaterThanOrEqual(README_LINES.least);
    expect(lines).toBeLessThanOrEqual(README_LINES.most);
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
  const programs = examples(page).map(({ name }) => name);
  // Those of two hosts are `hosts`.
  const sessions = blocks(page).filter(({ kind }) => kind === "session" || kind === "hosts");

  it("shows no TypeScript that is not checked", () => {
    expect([...text.matchAll(/^```(?:ts|js)$/gm)]).toHaveLength(blocks(page, "example").length);
  });

  if (page !== "docs/README.md") {
    it("shows something that runs", () => {
      expect(blocks(page).length).toBeGreaterThan(0);
    });
  }

  // interop/documents.interop.ts runs the sessions of docs/, interop/two-hosts.interop.ts those of two hosts,
  // interop/readme.interop.ts those of the README.
  if (page !== "README.md") {
    it.each(programs)("runs %s in a session", (example) => {
      const file = example.replace(/\.ts$/, ".[jt]s");
      const started = new RegExp(`^\\w*\\$ node .*\\b${file}( .*)?$`, "m");
      expect(sessions.filter(({ text }) => started.test(text))).not.toEqual([]);
    });
  }
});

it("no two examples have one name", () => {
  const names = PAGES.flatMap((page) => examples(page).map(({ name }) => name));
  expect(names).toEqual([...new Set(names)]);
});

describe("the links", () => {
  const texts = [
    ...PAGES,
    ...[".", ".github"].flatMap((folder) =>
      filesIn(folder, /\.md$/, false).filter((file) => file !== "README.md"),
    ),
  ];

  it.each(texts)("of %s lead to files and headings that exist", (page) => {
    const links = [...withoutCode(pageText(page)).matchAll(/\]\(([^)\s]+)\)/g)];
    expect(links.map(([, link = ""]) => link).filter((link) => !exists(page, link))).toEqual([]);
  });

  const sources = ["etf", "src", "interop", "examples"].flatMap((folder) =>
    filesIn(folder, /\.ts$/),
  );

  it("of comments and error texts to pages of docs/ lead to headings that exist", () => {
    const dead = sources.flatMap((file) =>
      [...pageText(file).matchAll(/\bdocs\/[\w-]+\.md(?:#[\w-]+)?/g)]
        .filter(([link]) => !exists("README.md", link))
        .map(([link]) => `${file}: ${link}`),
    );
    expect(dead).toEqual([]);
  });
});

/** The files of a folder, as paths from the root of the repository. */
function filesIn(folder: string, name: RegExp, recursive = true): string[] {
  return readdirSync(join(ROOT, folder), { recursive, encoding: "utf8" })
    .filter((file) => name.test(file) && !file.includes("node_modules"))
    .map((file) => join(folder, file));
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "");
}

/** Whether the file of a link exists, and has the heading that its anchor names. The web is not asked. */
function exists(page: string, link: string): boolean {
  const onTheWeb = ON_THE_WEB.test(link);
  if (!onTheWeb && /^\w+:/.test(link)) return true;
  const [path = "", anchor] = link.replace(ON_THE_WEB, "").split("#");
  const target = path === "" ? page : join(onTheWeb ? "." : dirname(page), path);
  if (!existsSync(join(ROOT, target))) return false;
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
