/**
 * Node names: `alive@host`, and whether a node has short or long ones.
 *
 * As net_kernel has them: the alive part is of letters, digits, `_` and `-`; the host is of any
 * characters from `!` to `ÿ`. The whole name is an atom: 255 characters at most. A short name's host has
 * no dot; a long name's host may do without one, as in `x@localhost`. A node with short names connects only
 * to hosts without a dot, and one with long names only to hosts with one; either takes connections
 * of everybody.
 */
import { NodeError } from "../errors.ts";

export type NodeName = `${string}@${string}`;

export type NameKind = "short" | "long";

const ALIVE = /^[0-9A-Za-z_-]+$/;
const HOST = /^[!-?A-ÿ]+$/;
/** What `node()` says without distribution. */
const NO_NODE = "nonode@nohost";

/** Splits a full node name; undefined when it is not one. */
export function splitNodeName(text: string): { alive: string; host: string } | undefined {
  const at = text.indexOf("@");
  if (at <= 0) return undefined;
  const alive = text.slice(0, at);
  const host = text.slice(at + 1);
  if (!ALIVE.test(alive) || !HOST.test(host) || text.length > 255) return undefined;
  return { alive, host };
}

/** Whether a node of that name may connect to us: OTP looks at what is before the host. */
export function isPeerName(text: string): boolean {
  return ALIVE.test(text.slice(0, text.indexOf("@")));
}

/** The kind that a name looks like: long when the host part holds a dot or is an IPv6 address. */
export function nameKind(name: string): NameKind {
  const host = splitNodeName(name)?.host ?? "";
  return host.includes(".") || host.includes(":") ? "long" : "short";
}

/**
 * The full name of a node given what a user typed: `gandalf` or `gandalf@host`.
 *
 * @param hostname this machine's own name, for a name without a host
 * @throws NodeError NODE_NAME_INVALID, NODE_NAME_KIND
 */
export function fullNodeName(given: string, kind: NameKind, hostname: string): NodeName {
  const at = given.indexOf("@");
  const ownHost = kind === "short" ? shortHost(hostname) : hostname;
  const isWithoutHost = at < 0 || (kind === "short" && at === given.length - 1);
  const text = isWithoutHost ? `${at < 0 ? given : given.slice(0, at)}@${ownHost}` : given;
  const parts = splitNodeName(text);
  if (parts === undefined || text === NO_NODE) {
    throw new NodeError(
      "NODE_NAME_INVALID",
      `"${given}" is not a node name: it has letters, digits, "_" and "-", and may go on with "@" and a host.`,
    );
  }
  if (kind === "short" && parts.host.includes(".")) {
    throw new NodeError(
      "NODE_NAME_KIND",
      `The host of the short name ${text} has a dot. Use --name for a long name, or give a host without dots.`,
    );
  }
  if (kind === "long" && isWithoutHost && !parts.host.includes(".")) {
    throw new NodeError(
      "NODE_NAME_KIND",
      `This host's name, ${ownHost}, has no dot, so that the long name ${given} needs a host: give one, as in --name ${parts.alive}@host.example or ${parts.alive}@192.0.2.1, or use --sname.`,
    );
  }
  return `${parts.alive}@${parts.host}`;
}

/** A host as short names have it: cut at the first dot. */
export function shortHost(hostname: string): string {
  return hostname.split(".", 1)[0]!;
}

/** @throws NodeError NODE_NAME_INVALID when the text is no full name */
export function checkNodeName(text: string): NodeName {
  const parts = splitNodeName(text);
  if (parts === undefined) {
    throw new NodeError(
      "NODE_NAME_INVALID",
      `"${text}" is not a full node name: alive@host is expected.`,
    );
  }
  return `${parts.alive}@${parts.host}`;
}

const REMEDY = "Start one of them as the other is named (--sname or --name).";

/**
 * The name of a node to connect to.
 *
 * @param kind the kind of names that our own node has
 * @throws NodeError NODE_NAME_INVALID when `peer` is not a full name, NODE_NAME_KIND when a node with
 *   such names connects to no such host, as in OTP
 */
export function checkPeerName(
  peer: string,
  own: NodeName,
  kind: NameKind = nameKind(own),
): NodeName {
  const name = checkNodeName(peer);
  const host = name.slice(name.indexOf("@") + 1);
  const isDotted = host.includes(".");
  // An IPv6 address may have no dot.
  if (kind === "short" ? isDotted : !isDotted && !host.includes(":")) {
    throw new NodeError(
      "NODE_NAME_KIND",
      kind === "short"
        ? `${own} has a short name and ${peer} a long one; short-named and long-named nodes cannot talk to each other. ${REMEDY}`
        : `${own} has a long name and connects only to hosts with a dot, as in OTP; the host of ${peer} has none. ${REMEDY}`,
    );
  }
  return name;
}
