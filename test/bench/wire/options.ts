/** The command line of the benchmark. */

import { parseArgs } from "node:util";

export const HELP = `npm run bench:wire -- [OPTIONS]

Load from a genuine node (and from C) against servers that serve the same, in turns; medians of the rounds.

  --servers erl,ours,c,java,floor
                              which; default all. The floor is bare node:net with the same frames
  --base FOLDER               one more server: our node as built in FOLDER, to compare two states of the code
                              in one run
  --only rpc,gen64,flood-in   which rows, by name or by the beginning of their names; default all
  --otp 25|29|path            release of load and genuine server; default the erl on the PATH. Others are
                              those of interop/otp/install
  --rounds N                  default 5
  --quick                     few and short rounds: for a look, not for numbers
  --json FILE                 writes everything measured there too
  --prof [FOLDER]             profiles our server: a .cpuprofile in FOLDER, default .cache/prof
  --node-args "ARGS"          more arguments for the node that runs our server
  --list                      prints the names of the rows
                              rpc, erpc, gen, echo, kvs: so many callers in erl; bin: binaries; c-: load from C;
                              out-: the server calls the load; setup: connections made and ended; idle: kept
  --help

C and Java need what test/bench/wire/install installs.

Our node alone, as quick as it gets:   npm run bench:wire -- --quick --servers ours --only rpc64
Before and after a change:             mkdir /tmp/base && cp -r --parents .cache/bench dist package.json /tmp/base &&
                                       ln -s "$PWD/node_modules" /tmp/base/ && (change) &&
                                       npm run bench:wire -- --servers ours --base /tmp/base --only rpc64
Against the genuine one, with profile: npm run bench:wire -- --servers ours,erl --only rpc64 --prof
`;

export const SERVER_NAMES = ["erl", "ours", "c", "java", "floor", "base"] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

export interface Options {
  readonly servers: readonly ServerName[];
  /** Where the server `base` is. */
  readonly base: string | undefined;
  readonly only: readonly string[];
  readonly otp: string;
  readonly rounds: number;
  readonly quick: boolean;
  readonly json: string | undefined;
  readonly prof: string | undefined;
  readonly nodeArgs: readonly string[];
  readonly list: boolean;
  readonly help: boolean;
}

/** @throws Error for what it does not know */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: withProfileFolder(args),
    options: {
      servers: { type: "string", default: "erl,ours,c,java,floor" },
      base: { type: "string" },
      only: { type: "string", default: "" },
      otp: { type: "string", default: "path" },
      rounds: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      prof: { type: "string" },
      "node-args": { type: "string", default: "" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new Error(`--rounds ${values.rounds}: a number of at least 1 is expected.`);
  }
  const servers = words(values.servers).map(serverName);
  if (values.base !== undefined && !servers.includes("base")) servers.push("base");
  if (values.base === undefined && servers.includes("base")) {
    throw new Error("--servers base: --base FOLDER tells where that is.");
  }
  return {
    servers,
    base: values.base,
    only: words(values.only),
    otp: values.otp,
    rounds,
    quick: values.quick,
    json: values.json,
    prof: values.prof,
    nodeArgs: values["node-args"].split(/\s+/).filter((word) => word !== ""),
    list: values.list,
    help: values.help,
  };
}

function words(list: string): string[] {
  return list.split(",").filter((word) => word !== "");
}

function serverName(word: string): ServerName {
  const found = SERVER_NAMES.find((name) => name === word);
  if (found === undefined) {
    throw new Error(`--servers ${word}: there are ${SERVER_NAMES.join(", ")}.`);
  }
  return found;
}

/** `--prof` without a folder gets the default one. */
function withProfileFolder(args: readonly string[]): string[] {
  return args.flatMap((arg, at) => {
    const next = args[at + 1];
    const alone = arg === "--prof" && (next === undefined || next.startsWith("--"));
    return alone ? ["--prof", ".cache/prof"] : [arg];
  });
}
