import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { forbidden, misplaced, readRooms } from "./support/rooms.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const rooms = readRooms(readFileSync(join(ROOT, ".github/CONTRIBUTING.md"), "utf8"));

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => `${folder}/${path}`);
}

describe("the table of CONTRIBUTING.md that says who may import whom", () => {
  const files = [...sources("etf"), ...sources("src")];

  test("is kept by every file", () => {
    expect(files.length).toBeGreaterThan(200);
    const found = files.flatMap((file) =>
      forbidden(rooms, file, readFileSync(join(ROOT, file), "utf8")),
    );
    expect(found).toEqual([]);
  });

  test("lets each row import only from the rows above it", () => {
    expect(misplaced(rooms)).toEqual([]);
  });

  test("names only what exists", () => {
    const paths = rooms.flatMap(({ paths }) => paths);
    const stale = paths.filter(
      (path) => !files.some((file) => file === path || file.startsWith(`${path}/`)),
    );
    expect(stale).toEqual([]);
  });
});

describe("the check of imports", () => {
  const house = readRooms(`
| belongs together | may import | packages |
| --- | --- | --- |
| \`low\`, \`high/errors.ts\` | | |
| \`low/socket.ts\` | \`low\` | \`node:net\` |
| \`high\` | \`low\` | |

text`);
  test.each<[string, string, string, string[]]>([
    ["within a row", "low/a.ts", 'import { b } from "./deep/b.ts";', []],
    ["between the paths of a row", "low/a.ts", 'import "../high/errors.ts";', []],
    ["downwards", "high/a.ts", 'export * from "../low/b.ts";', []],
    ["upwards", "low/a.ts", 'import "../high/b.ts";', ["low/a.ts imports high/b.ts"]],
    [
      "upwards, of a type",
      "low/a.ts",
      'import type { B } from "../high/b.ts";',
      ["low/a.ts imports high/b.ts"],
    ],
    [
      "upwards, in a type",
      "low/a.ts",
      'type B = import("../high/b.ts").B;',
      ["low/a.ts imports high/b.ts"],
    ],
    [
      "upwards, when it runs",
      "low/a.ts",
      'await import("../high/b.ts");',
      ["low/a.ts imports high/b.ts"],
    ],
    [
      "of a file that has a row of its own",
      "high/a.ts",
      'import "../low/socket.ts";',
      ["high/a.ts imports low/socket.ts"],
    ],
    ["of a package of the row", "low/socket.ts", 'import net from "node:net";', []],
    [
      "of another package",
      "low/a.ts",
      'import net from "node:net";',
      ["low/a.ts imports node:net"],
    ],
    ["from a file in no row", "else/a.ts", "", ["else/a.ts is in no row"]],
  ])("%s", (_, file, text, found) => {
    expect(forbidden(house, file, text)).toEqual(found);
  });

  test("finds a row that names what stands below it", () => {
    const upward = [
      { paths: ["low"], imports: ["high"], packages: [] },
      { paths: ["high"], imports: ["low"], packages: [] },
    ];
    expect(misplaced(upward)).toEqual(["low: high is not in a row above"]);
  });

  test("refuses a text without the table", () => {
    expect(() => readRooms("# Contributing")).toThrow("No table");
  });
});
