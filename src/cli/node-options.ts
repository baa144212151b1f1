/** From the command line's arguments to the options of a node. */
import { hostname } from "node:os";
import { epmdPortFromEnv } from "../epmd/index.ts";
import { type NodeOptions, nameKind } from "../index.ts";
import type { CommonArguments, ServerArguments } from "./options.ts";

/** The options of a node that serves, called `defaultName` unless the user named it. */
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

/** The options of a node that only calls `peer`: it does not listen, and EPMD does not know it. */
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

/** The full name of the node that a user means; a name without a host is on this host. */
export function peerName(given: string): string {
  return given.includes("@") ? given : `${given}@${hostname().split(".", 1)[0]}`;
}

function clientName(long: boolean): string {
  const own = hostname();
  // No node connects back to this name, so it only has to be unique and of the right kind.
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
