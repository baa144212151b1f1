/** docs/cli.md and `erldist --help` agree, and every page names commands, options and scripts that exist. */
import { describe, expect, it } from "vitest";
import { PAGES, pageText } from "../../interop/support/documents.ts";
import { runCommand } from "../support/command.ts";

const COMMAND_PAGE = "docs/cli.md";
/** A command in a session, in a script or in a sentence, up to its comment. */
const COMMAND_LINE = /(?:npx |\$ |`)erldist ([a-z]+)([^`\n#]*)/g;
/** Options of Bun and Deno. */
const OF_RUNTIMES = /^--(?:bun|allow-[a-z]+)$/;
/** Options that every command has. */
const COMMON = ["--help", "--version"];

async function helpOf(...command: string[]): Promise<string> {
  return (await runCommand([...command, "--help"])).stdout;
}

/** The options of a help text, each with its spellings; of an option that is on by default, `--no-` too. */
function optionsIn(help: string): string[] {
  const lines = help.split(/\n(?= {2}--)/).filter((line) => line.startsWith("  --"));
  return lines.flatMap((line) => {
    const spellings = /^ {2}(--[a-z_-]+(?:, --[a-z_-]+)*)/.exec(line)?.[1]?.split(", ") ?? [];
    const [, turnedOff] = /\s--(no-[a-z-]+)/.exec(line) ?? [];
    return turnedOff === undefined ? spellings : [...spellings, `--${turnedOff}`];
  });
}

const commands = [...(await helpOf()).matchAll(/^ {2}erldist (\w+)/gm)].map(
  ([, name = ""]) => name,
);
const options = new Map<string, string[]>();
for (const command of commands) options.set(command, optionsIn(await helpOf(command)));

describe(COMMAND_PAGE, () => {
  const text = pageText(COMMAND_PAGE);
  const rows = [...text.matchAll(/^\| (`--.*?) +\| (.*?) +\|/gm)].map(
    ([, names = "", of = ""]) => ({
      names: coded(names),
      of: coded(of),
    }),
  );

  it("lists the commands", () => {
    const listed = [...text.matchAll(/^\| `([a-z]+)/gm)].map(([, command]) => command);
    expect(listed).toEqual(commands);
  });

  it.each(commands)("has every option of %s, and only those", (command) => {
    const documented = rows.filter(({ of }) => of.includes(command)).flatMap(({ names }) => names);
    const wanted = options.get(command)!.filter((name) => !COMMON.includes(name));
    // Erlang's spelling, with underscores, is a rule of its own.
    expect(documented.sort()).toEqual(wanted.filter((name) => !name.includes("_")).sort());
  });

  it("names the options that every command has", () => {
    for (const name of COMMON) expect(text).toContain(name);
  });

  it("has the exit codes of --help", async () => {
    const [, help = ""] = /Exit codes: ([\s\S]*)\.\n$/.exec(await helpOf()) ?? [];
    const shown = [...help.matchAll(/(?:^|;)\s*(\d+) /g)].map(([, code]) => code);
    const documented = [...text.matchAll(/^\| +(\d+) \|/gm)].map(([, code]) => code);
    expect(documented).toEqual(shown);
  });
});

describe.each(PAGES)("%s", (page) => {
  const text = pageText(page);

  it("shows command lines that exist", () => {
    const unknown: string[] = [];
    for (const [line, command = "", rest = ""] of text.matchAll(COMMAND_LINE)) {
      const known = options.get(command) ?? [];
      const named = [...rest.matchAll(/\s(--[a-z_-]+)/g)].map(([, name = ""]) => name);
      if (known.length === 0 || named.some((name) => !known.includes(name))) unknown.push(line);
    }
    expect(unknown).toEqual([]);
  });

  it("names options that exist", () => {
    const all = [...options.values()].flat();
    const named = [...text.matchAll(/`(--[a-z_-]+)`/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => !all.includes(name) && !OF_RUNTIMES.test(name))).toEqual([]);
  });
});

describe("the npm scripts", () => {
  const { scripts } = JSON.parse(pageText("package.json")) as { scripts: Record<string, string> };

  it.each([...PAGES, ".github/CONTRIBUTING.md"])("that %s names exist", (page) => {
    const named = [...pageText(page).matchAll(/\bnpm run (?:-s )?([a-z][a-z:]*)/g)];
    expect(named.map(([, name = ""]) => name).filter((name) => !(name in scripts))).toEqual([]);
  });
});

/** What a table's cell has in code. */
function coded(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text);
}
