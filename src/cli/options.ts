/** Options that commands share, in Erlang's words; `-sname` and `--sname` both work. */
import type { Argv } from "yargs";
import type { EpmdMode } from "../epmd/index.ts";
import type { DistAutoConnect } from "../index.ts";

/** What `nodeOptions` declares. */
export interface CommonArguments {
  sname?: string | undefined;
  name?: string | undefined;
  setcookie?: string | undefined;
  hidden?: boolean | undefined;
  epmdPort?: number | undefined;
  erlEpmdPort?: number | undefined;
}

/** Options of every command that starts a node. */
export function nodeOptions<T>(yargs: Argv<T>): Argv<T & CommonArguments> {
  return yargs
    .option("sname", { type: "string", describe: "Short name of this node", requiresArg: true })
    .option("name", { type: "string", describe: "Long name of this node", requiresArg: true })
    .conflicts("sname", "name")
    .option("setcookie", {
      type: "string",
      requiresArg: true,
      describe:
        "Cookie; other users can read it in the process list. Default: the one in ~/.erlang.cookie",
    })
    .option("hidden", {
      type: "boolean",
      default: true,
      describe: "Be a hidden node; --no-hidden makes it visible",
    })
    .option("epmd-port", epmdPortOption)
    .option("erl-epmd-port", {
      alias: "erl_epmd_port",
      type: "number",
      requiresArg: true,
      describe: "TCP port of every node, this one included; no EPMD is used",
    }) as unknown as Argv<T & CommonArguments>;
}

export const epmdPortOption = {
  type: "number",
  requiresArg: true,
  describe: "TCP port of EPMD. Default: ERL_EPMD_PORT, or 4369",
} as const;

/** What `serverOptions` declares. */
export interface ServerArguments extends CommonArguments {
  epmd?: EpmdMode | undefined;
  distListenMin?: number | undefined;
  distListenMax?: number | undefined;
  listenAddress?: string | undefined;
  distAutoConnect?: DistAutoConnect | undefined;
}

/** Options of a command whose node other nodes connect to. */
export function serverOptions<T>(yargs: Argv<T>): Argv<T & ServerArguments> {
  return nodeOptions(yargs)
    .option("epmd", {
      choices: ["auto", "embedded", "system", "off"] as const,
      describe:
        "If no EPMD is running: start the system's epmd, or serve EPMD here if there is none (auto); serve it here (embedded); start the system's (system). off: do without EPMD",
      default: "auto" as const,
    })
    .option("dist-auto-connect", {
      choices: ["never", "once"] as const,
      requiresArg: true,
      describe: "Never connect automatically, or once to each node, as dist_auto_connect",
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

/** What `timeoutOption` declares. */
export interface TimeoutArgument {
  /** In seconds. */
  timeout?: number | undefined;
}

/** How long a command waits for the other node. */
export function timeoutOption<T>(yargs: Argv<T>): Argv<T & TimeoutArgument> {
  return yargs.option("timeout", {
    type: "number",
    requiresArg: true,
    describe: "Seconds to wait for the answer. Default: no limit for call, 5 for ping",
  }) as unknown as Argv<T & TimeoutArgument>;
}
