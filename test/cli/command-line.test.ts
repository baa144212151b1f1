/** What the commands make of a command line, and what they say about a wrong one; none of them runs. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runCommand } from "../support/command.ts";

const COMMANDS = ["kvs", "call", "ping", "names", "epmd", "decode"] as const;
/** The fewest words each command accepts. */
const SHORTEST: Record<(typeof COMMANDS)[number], string[]> = {
  kvs: ["kvs"],
  call: ["call", "bilbo", "m", "f"],
  ping: ["ping", "bilbo"],
  names: ["names"],
  epmd: ["epmd"],
  decode: ["decode"],
};
const NODE = ["--sname", "--name", "--setcookie", "--epmd-port", "--erl-epmd-port"];
/** The options that need a value, by command. */
const WITH_VALUE: Record<(typeof COMMANDS)[number], string[]> = {
  kvs: [
    ...NODE,
    "--dist-auto-connect",
    "--dist-listen-min",
    "--dist-listen-max",
    "--listen-address",
  ],
  call: [...NODE, "--timeout"],
  ping: [...NODE, "--timeout"],
  names: ["--epmd-port"],
  epmd: ["--epmd-port", "--address"],
  decode: ["--initiator", "--acceptor", "--width"],
};
const SWITCHES: Record<(typeof COMMANDS)[number], string[]> = {
  kvs: ["--hidden", "--epmd"],
  call: ["--hidden", "--json"],
  ping: ["--hidden"],
  names: [],
  epmd: [],
  decode: ["--payload"],
};

/** The commands that ran, with what they were given. */
let ran: { command: string; given: Record<string, unknown> }[] = [];

beforeEach(() => {
  ran = [];
  const body = (command: string) => () => ({
    run: async (args: Record<string, unknown>) => {
      ran.push({ command, given: args });
    },
  });
  vi.doMock("../../src/cli/run-kvs.ts", body("kvs"));
  vi.doMock("../../src/cli/run-call.ts", body("call"));
  vi.doMock("../../src/cli/run-ping.ts", body("ping"));
  vi.doMock("../../src/cli/run-names.ts", body("names"));
  vi.doMock("../../src/cli/run-epmd.ts", body("epmd"));
  vi.doMock("../../src/cli/run-decode.ts", body("decode"));
});
afterEach(() => {
  vi.doUnmock("../../src/cli/run-kvs.ts");
  vi.doUnmock("../../src/cli/run-call.ts");
  vi.doUnmock("../../src/cli/run-ping.ts");
  vi.doUnmock("../../src/cli/run-names.ts");
  vi.doUnmock("../../src/cli/run-epmd.ts");
  vi.doUnmock("../../src/cli/run-decode.ts");
});

/** The arguments under the names that the code uses. */
async function given(...args: string[]): Promise<Record<string, unknown>> {
  expect(await runCommand(args)).toEqual({ code: 0, stdout: "", stderr: "" });
  expect(ran).toHaveLength(1);
  const { command, given } = ran.pop()!;
  expect(command).toBe(args[0]);
  const own = Object.entries(given).filter(
    ([name, value]) => /^[a-z][a-zA-Z]*$/.test(name) && value !== undefined,
  );
  return Object.fromEntries(own);
}

describe("the arguments of a command", () => {
  test.each<[string[], Record<string, unknown>]>([
    [["kvs"], { hidden: true, epmd: "auto" }],
    [
      ["call", "bilbo", "m", "f"],
      { node: "bilbo", module: "m", function: "f", args: "[]", hidden: true },
    ],
    [["ping", "bilbo"], { node: "bilbo", hidden: true }],
    [["names"], { host: "localhost" }],
    [["epmd"], {}],
    [["decode"], { payload: true }],
  ])("%j has these defaults", async (args, expected) => {
    expect(await given(...args)).toEqual(expected);
  });

  const node = {
    setcookie: "007",
    hidden: false,
    epmdPort: 4370,
    erlEpmdPort: 4371,
  };
  const nodeWords = [
    ...["--setcookie", "007", "--no-hidden"],
    ...["--epmd-port", "4370", "--erl-epmd-port", "4371"],
  ];
  test.each<[string[], Record<string, unknown>]>([
    [
      ["call", "1", "2", "3", "4", ...nodeWords, "--sname", "5", "--timeout", "1.5", "--json"],
      {
        ...node,
        node: "1",
        module: "2",
        function: "3",
        args: "4",
        sname: "5",
        timeout: 1.5,
        json: true,
      },
    ],
    [
      ["ping", "1", ...nodeWords, "--name", "5", "--timeout", "2"],
      { ...node, node: "1", name: "5", timeout: 2 },
    ],
    [
      [
        ...["kvs", ...nodeWords, "--sname", "a", "--epmd", "system", "--listen-address", "0"],
        ...["--dist-listen-min", "1", "--dist-listen-max", "2", "--dist-auto-connect", "never"],
      ],
      {
        ...node,
        sname: "a",
        epmd: "system",
        listenAddress: "0",
        distListenMin: 1,
        distListenMax: 2,
        distAutoConnect: "never",
      },
    ],
    [
      ["kvs", "--dist-auto-connect", "once"],
      { hidden: true, epmd: "auto", distAutoConnect: "once" },
    ],
    [["kvs", "--epmd", "embedded"], { hidden: true, epmd: "embedded" }],
    [["kvs", "--epmd", "off"], { hidden: true, epmd: "off" }],
    [["names", "127", "--epmd-port", "1"], { host: "127", epmdPort: 1 }],
    [["epmd", "--epmd-port", "1", "--address", "0,1"], { epmdPort: 1, address: "0,1" }],
    [["decode", "1", "--no-payload", "--width", "9"], { file: "1", payload: false, width: 9 }],
    [
      ["decode", "--initiator", "1", "--acceptor", "2"],
      { initiator: "1", acceptor: "2", payload: true },
    ],
  ])("%j is taken word by word", async (args, expected) => {
    expect(await given(...args)).toEqual(expected);
  });

  test("erl's spelling of an option means the same", async () => {
    const words = ["-sname", "a", "-setcookie", "b", "-hidden", "-erl_epmd_port", "1"];
    expect(await given("ping", "bilbo", ...words)).toEqual({
      node: "bilbo",
      sname: "a",
      setcookie: "b",
      hidden: true,
      erlEpmdPort: 1,
    });
  });

  test("the last of several values counts", async () => {
    expect(await given("names", "--epmd-port", "1", "--epmd-port", "2")).toEqual({
      host: "localhost",
      epmdPort: 2,
    });
  });
});

describe("a mistake in the command line ends with 2 and names itself below the help", () => {
  test.each<[string[], string]>([
    [[], "Name a command, as in erldist kvs."],
    [["kv"], "Did you mean kvs?"],
    [["frobnicate"], "Unknown argument: frobnicate"],
    [["ping"], "Not enough non-option arguments: got 0, need at least 1"],
    [["call"], "Not enough non-option arguments: got 0, need at least 3"],
    [["call", "bilbo", "m"], "Not enough non-option arguments: got 2, need at least 3"],
    [["ping", "bilbo", "sam"], "Unknown argument: sam"],
    [["ping", "bilbo", "--frob"], "Unknown argument: frob"],
    [
      ["ping", "bilbo", "--sname", "a", "--name", "b"],
      "Arguments sname and name are mutually exclusive",
    ],
    [["names", "--epmd.port", "1"], "Unknown argument: epmd.port"],
    [["decode", "f", "--initiator", "i"], "Arguments file and initiator are mutually exclusive"],
    [["decode", "f", "--acceptor", "a"], "Arguments file and acceptor are mutually exclusive"],
    [
      ["kvs", "--epmd", "elsewhere"],
      'Invalid values:\n  Argument: epmd, Given: "elsewhere", Choices: "auto", "embedded", "system", "off"',
    ],
    [
      ["kvs", "--dist-auto-connect", "twice"],
      'Invalid values:\n  Argument: dist-auto-connect, Given: "twice", Choices: "never", "once"',
    ],
  ])("%j", async (args, said) => {
    const { code, stdout, stderr } = await runCommand(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(" --help ");
    expect(stderr.slice(stderr.lastIndexOf(`\n\n${said.slice(0, 5)}`))).toBe(`\n\n${said}\n`);
    expect(ran).toEqual([]);
  });

  const options = COMMANDS.flatMap((command) =>
    WITH_VALUE[command].map((option) => ({ command, option })),
  );
  test.each(options)("$command $option without a value", async ({ command, option }) => {
    const { code, stdout, stderr } = await runCommand([...SHORTEST[command], option]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(new RegExp(`\n\nNot enough arguments following: ${option.slice(2)}\n$`));
  });
});

describe("--help", () => {
  const NUMBERS = /-port|-m(in|ax)$|^--timeout|^--width/;
  /** What help shows of a word, on its line and those below: a sentence and a type. */
  const described = (help: string, word: string): { sentence: string; type: string } => {
    const lines = help.split("\n");
    const at = lines.findIndex((line) => line.startsWith(`  ${word} `) || line === `  ${word}`);
    const below = lines.slice(at + 1).findIndex((line) => !line.startsWith("     "));
    const [sentence, type] = lines
      .slice(at, at + 1 + below)
      .join(" ")
      .replace(word, "")
      .split("[", 2);
    return { sentence: sentence!.trim(), type: type!.split(/[\]:]/, 1)[0]! };
  };
  const typeOf = (word: string, command: (typeof COMMANDS)[number]): string => {
    if (word === "--epmd" || word === "--dist-auto-connect") return "choices";
    if (SWITCHES[command].includes(word)) return "boolean";
    return NUMBERS.test(word) ? "number" : "string";
  };

  test("lists the commands in their order, each with a sentence, and the exit codes", async () => {
    const { code, stdout, stderr } = await runCommand(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(
      /^erldist COMMAND\n\nA Node\.js program as a node of an Erlang cluster\.\n/,
    );
    const listed = [...stdout.matchAll(/^ {2}erldist (\w+).* {2}[A-Z][a-z]+ /gm)];
    expect(listed.map(([, command]) => command)).toEqual(COMMANDS);
    expect(stdout).toMatch(/\nExit codes: 0 ok; .*70 internal error\.\n$/s);
  });

  test.each(COMMANDS)("of %s describes each of its options and arguments", async (command) => {
    const { stdout } = await runCommand([command, "--help"]);
    const usage = stdout.split("\n", 1)[0]!;
    expect(usage).toMatch(new RegExp(`^erldist ${command}`));
    const names = [...usage.matchAll(/[<[](\w+)[>\]]/g)].map(([, name]) => name!);
    const options = [...WITH_VALUE[command], ...SWITCHES[command]].map((option) =>
      option === "--erl-epmd-port" ? "--erl-epmd-port, --erl_epmd_port" : option,
    );
    for (const word of [...names, ...options]) {
      const { sentence, type } = described(stdout, word);
      expect(`${word}: ${sentence}`).toMatch(/: [A-Z][A-Za-z]+/);
      expect(`${word}: ${type}`).toBe(`${word}: ${typeOf(word, command)}`);
    }
    const shown = [...stdout.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, option]) => option);
    const all = [...WITH_VALUE[command], ...SWITCHES[command], "--help", "--version"];
    expect(shown.sort()).toEqual(all.sort());
  });

  test("shows an example of call and of kvs", async () => {
    expect((await runCommand(["call", "--help"])).stdout).toMatch(
      /\nExamples:\n {2}erldist call gandalf@host kvs lookup '\[weather\]' +prints \{ok,fine\}\n/,
    );
    expect((await runCommand(["kvs", "--help"])).stdout).toMatch(
      /\nExamples:\n {2}erldist kvs --sname gandalf +runs the node gandalf on this host\n/,
    );
  });

  test.each([
    [60, 60],
    [100, 100],
    [200, 100],
    [undefined, 100],
  ])("on a terminal of %s columns has lines of at most %i", async (columns, most) => {
    const own = Object.getOwnPropertyDescriptor(process.stdout, "columns");
    Object.defineProperty(process.stdout, "columns", { configurable: true, value: columns });
    try {
      const { stdout } = await runCommand(["kvs", "--help"]);
      expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBe(most);
    } finally {
      if (own === undefined) Reflect.deleteProperty(process.stdout, "columns");
      else Object.defineProperty(process.stdout, "columns", own);
    }
  });

  test("is in English whatever the language of the user", async () => {
    vi.stubEnv("LC_ALL", "de_DE.UTF-8");
    const { stdout } = await runCommand(["names", "--help"]);
    vi.unstubAllEnvs();
    expect(stdout).toContain("Show help");
  });
});

test("--version prints a version", async () => {
  const end = await runCommand(["--version"]);
  expect(end).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: "" });
});

test("a fault of the program ends with 70 and its stack", async () => {
  vi.doMock("../../src/cli/run-names.ts", () => ({
    run: () => {
      throw new TypeError("a fault");
    },
  }));
  const end = await runCommand(["names"]);
  expect(end).toMatchObject({ code: 70, stdout: "" });
  expect(end.stderr).toMatch(/^erldist: TypeError: a fault\n\s+at .*command-line\.test/);
});
