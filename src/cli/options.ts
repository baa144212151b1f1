/** Options the commands share, in Erlang's words; `-sname` and `--sname` both work. */
import { hostname } from "node:os";
import type { Argv } from "yargs";
import type { EpmdMode } from "../epmd/index.ts";
import { epmdPortFromEnv } from "../epmd/index.ts";
import { type DistAutoConnect, type NodeOptions, nameKind } from "../index.ts";

export interface CommonArguments {
  sname?: string | undefined;
  name?: string | undefined;
  setcookie?: string | undefined;
  hidden?: boolean | undefined;
  epmdPort?: number | undefined;
  erlEpmdPort?: number | undefined;
}

/** Options of every command that is a node. */
export function nodeOptions<T>(yargs: Argv<T>): Argv<T & CommonArguments> {
  return yargs
    .option("sname", { type: "string", describe: "Short name of this node", requiresArg: true })
    .option("name", { type: "string", describe: "Long name of this node", requiresArg: true })
    .conflicts("sname", "name")
    .option("setcookie", {
      type: "string",
      requiresArg: true,
      describe:
        "The cookie; others can read it in the list of processes. Default: ~/.erlang.cookie",
    })
    .option("hidden", {
      type: "boolean",
      default: true,
      describe: "Be a hidden node; --no-hidden: a visible one",
    })
    .option("epmd-port", epmdPortOption)
    .option("erl-epmd-port", {
      alias: "erl_epmd_port",
      type: "number",
      requiresArg: true,
      describe: "TCP port of every node, this one too: EPMD is neither asked nor told",
    }) as unknown as Argv<T & CommonArguments>;
}

export const epmdPortOption = {
  type: "number",
  requiresArg: true,
  describe: "TCP port of EPMD. Default: ERL_EPMD_PORT, or 4369",
} as const;

export interface ServerArguments extends CommonArguments {
  epmd?: EpmdMode | undefined;
  distListenMin?: number | undefined;
  distListenMax?: number | undefined;
  listenAddress?: string | undefined;
  distAutoConnect?: DistAutoConnect | undefined;
}

/** Further options of a command that others connect to. */
export function serverOptions<T>(yargs: Argv<T>): Argv<T & ServerArguments> {
  return nodeOptions(yargs)
    .option("epmd", {
      choices: ["auto", "embedded", "system", "off"] as const,
      describe:
        "Who serves EPMD where none runs: the system's epmd if there is one, else this program (auto); always this program; only the system's; nobody",
      default: "auto" as const,
    })
    .option("dist-auto-connect", {
      choices: ["never", "once"] as const,
      requiresArg: true,
      describe: "Connect to nodes by itself never, or once to each, as dist_auto_connect",
    })
    .option("dist-listen-min", {
      type: "number",
      requiresArg: true,
      describe: "Lowest TCP port to listen on, as inet_dist_listen_min",
    })
    .option("dist-listen-max", {
      type: "number",
      requiresArg: true,
      describe: "Highest TCP port to listen on, as inet_dist_listen_max",
    })
    .option("listen-address", {
      type: "string",
      requiresArg: true,
      describe: "Address to listen on. Default: all, as erl does",
    }) as unknown as Argv<T & ServerArguments>;
}

/** The options of a node that serves. */
export function serverNodeOptions(args: ServerArguments, defaultName: string): NodeOptions {
  const listen = {
    ...(args.listenAddress === undefined ? {} : { host: args.listenAddress }),
    ...(args.distListenMin === undefined ? {} : { portMin: args.distListenMin }),
    ...(args.distListenMax === undefined ? {} : { portMax: args.distListenMax }),
  };
  return {
    ...shared(args),
    name: args.name ?? args.sname ?? defaultName,
    longNames: args.name !== undefined,
    listen,
    ...(args.distAutoConnect === undefined ? {} : { distAutoConnect: args.distAutoConnect }),
    epmd: { ...epmdOptions(args), mode: args.epmd ?? "auto" },
  };
}

/** The options of a node that only calls `peer`: unknown to EPMD, and not listening. */
export function clientNodeOptions(args: CommonArguments, peer: string): NodeOptions {
  const long = args.name !== undefined || (args.sname === undefined && nameKind(peer) === "long");
  return {
    ...shared(args),
    name: args.name ?? args.sname ?? clientName(long),
    longNames: long,
    listen: false,
    epmd: { ...epmdOptions(args), mode: "off" },
  };
}

/** The full name of the node a user means: a name without a host is on this one. */
export function peerName(given: string): string {
  return given.includes("@") ? given : `${given}@${hostname().split(".", 1)[0]}`;
}

function clientName(long: boolean): string {
  const own = hostname();
  // Nobody connects back to this name: it only has to be of the right kind, and unique.
  const host = !long ? own.split(".", 1)[0] : own.includes(".") ? own : "127.0.0.1";
  const unique = Math.random().toString(36).slice(2, 10);
  return `erldist-${process.pid}-${unique}@${host}`;
}

function shared(args: CommonArguments): Pick<NodeOptions, "cookie" | "hidden"> {
  return {
    ...(args.setcookie === undefined ? {} : { cookie: args.setcookie }),
    ...(args.hidden === undefined ? {} : { hidden: args.hidden }),
  };
}

function epmdOptions(args: CommonArguments): { port: number; nodePort?: number } {
  const port = args.epmdPort ?? epmdPortFromEnv(process.env);
  return { port, ...(args.erlEpmdPort === undefined ? {} : { nodePort: args.erlEpmdPort }) };
}
