/**
 * Node names, `alive@host`, short and long.
 *
 * The rules are net_kernel's. The alive part consists of letters, digits, `_` and `-`; the host of any
 * characters from `!` to `ÿ`. The whole name is an atom, so it has at most 255 characters. The host of a
 * short name has no dot; that of a long name usually has one, but need not, as in `x@localhost`. A node
 * with short names connects only to hosts without a dot, one with long names only to hosts with a dot.
 * Both accept connections from anyone.
 */
import { splitNodeName } from "../../handshake/names.ts";
import { NodeError } from "../errors.ts";

/** A full node name. */
export type NodeName = `${string}@${string}`;

/** Whether a node uses short names (`-sname`) or long ones (`-name`). */
export type NameKind = "short" | "long";

const ALIVE = /^[0-9A-Za-z_-]+$/;
const HOST = /^[!-?A-ÿ]+$/;
/** What `node()` returns without distribution. */
const NO_NODE = "nonode@nohost";

/** The two parts of a full node name that follows the rules above; undefined if the text is not one. */
export function parseNodeName(text: string): { alive: string; host: string } | undefined {
  const parts = splitNodeName(text);
  if (parts === undefined || text.length > 255) return undefined;
  return ALIVE.test(parts.alive) && HOST.test(parts.host) ? parts : undefined;
}

/** Whether a node with that name may connect to this one; as in OTP, only the part before the host counts. */
export function isPeerName(text: string): boolean {
  return ALIVE.test(text.slice(0, text.indexOf("@")));
}

/** The kind of a name by its looks: long if the host has a dot or is an IPv6 address. */
export function nameKind(name: string): NameKind {
  const host = parseNodeName(name)?.host ?? "";
  return host.includes(".") || host.includes(":") ? "long" : "short";
}

/**
 * Completes a name as a user types it, `gandalf` or `gandalf@host`, to a full node name.
 *
 * @param hostname this machine's name, used if the given name has no host
 * @throws NodeError NODE_NAME_INVALID, NODE_NAME_KIND
 */
export function fullNodeName(given: string, kind: NameKind, hostname: string): NodeName {
  const at = given.indexOf("@");
  const ownHost = kind === "short" ? shortHost(hostname) : hostname;
  const isWithoutHost = at < 0 || (kind === "short" && at === given.length - 1);
  const text = isWithoutHost ? `${at < 0 ? given : given.slice(0, at)}@${ownHost}` : given;
  const parts = parseNodeName(text);
  if (parts === undefined || text === NO_NODE) {
    throw new NodeError(
      "NODE_NAME_INVALID",
      `"${given}" is not a node name. Use letters, digits, "_" and "-", optionally followed by "@" and a host.`,
    );
  }
  if (kind === "short" && parts.host.includes(".")) {
    throw new NodeError(
      "NODE_NAME_KIND",
      `The host of the short name ${text} has a dot. Use --name for a long name, or a host without dots.`,
    );
  }
  if (kind === "long" && isWithoutHost && !parts.host.includes(".")) {
    throw new NodeError(
      "NODE_NAME_KIND",
      `The long name ${given} needs a host, because this host's name, ${ownHost}, has no dot. Pass one, as in --name ${parts.alive}@host.example or ${parts.alive}@192.0.2.1, or use --sname.`,
    );
  }
  return `${parts.alive}@${parts.host}`;
}

/** The host for short names: cut at the first dot. */
export function shortHost(hostname: string): string {
  return hostname.split(".", 1)[0]!;
}

/** Returns the text if it is a full node name. @throws NodeError NODE_NAME_INVALID */
export function checkNodeName(text: string): NodeName {
  const parts = parseNodeName(text);
  if (parts === undefined) {
    throw new NodeError(
      "NODE_NAME_INVALID",
      `"${text}" is not a full node name. Use the form alive@host.`,
    );
  }
  return `${parts.alive}@${parts.host}`;
}

const REMEDY = "Start both with short names (--sname) or both with long names (--name).";

/**
 * Checks the name of a node to connect to.
 *
 * @param own this node's name
 * @param kind whether this node has short or long names
 * @throws NodeError NODE_NAME_INVALID if `peer` is not a full name; NODE_NAME_KIND if a node with this
 *   kind of names does not connect to that host, as in OTP
 */
export function checkPeerName(
  peer: string,
  own: NodeName,
  kind: NameKind = nameKind(own),
): NodeName {
  const name = checkNodeName(peer);
  const { host } = splitNodeName(name)!;
  const isDotted = host.includes(".");
  // An IPv6 address may have no dot.
  if (kind === "short" ? isDotted : !isDotted && !host.includes(":")) {
    throw new NodeError(
      "NODE_NAME_KIND",
      kind === "short"
        ? `${own} has a short name and ${peer} a long one; nodes with short names and nodes with long names cannot connect. ${REMEDY}`
        : `${own} has a long name and, as in OTP, connects only to hosts with a dot; the host of ${peer} does not have one. ${REMEDY}`,
    );
  }
  return name;
}
