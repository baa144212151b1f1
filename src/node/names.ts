/**
 * Node names: `alive@host`, short (the host has no dot) or long (it has one).
 *
 * As net_kernel has them: the alive part is of letters, digits, `_` and `-`; a short-named and a
 * long-named node do not talk to each other. The whole name is an atom: 255 characters at most.
 */
import { NodeError } from "./errors.ts";

export type NodeName = `${string}@${string}`;

export type NameKind = "short" | "long";

const ALIVE = /^[0-9A-Za-z_-]+$/;
const HOST = /^[^\s@]+$/;

/** Splits a full node name; undefined when it is none. */
export function splitNodeName(text: string): { alive: string; host: string } | undefined {
  const at = text.indexOf("@");
  if (at <= 0) return undefined;
  const alive = text.slice(0, at);
  const host = text.slice(at + 1);
  if (!ALIVE.test(alive) || !HOST.test(host) || text.length > 255) return undefined;
  return { alive, host };
}

/** Long when the host part holds a dot (or is an IPv6 address), as OTP judges it. */
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
  const ownHost = kind === "short" ? shortHost(hostname) : hostname;
  const text = given.includes("@") ? given : `${given}@${ownHost}`;
  const parts = splitNodeName(text);
  if (parts === undefined) {
    throw new NodeError(
      "NODE_NAME_INVALID",
      `"${given}" is no node name: it has letters, digits, "_" and "-", and may go on with "@" and a host.`,
    );
  }
  if (nameKind(text) !== kind) {
    throw new NodeError(
      "NODE_NAME_KIND",
      kind === "short"
        ? `The host of the short name ${text} has a dot. Use --name for a long name, or give a host without dots.`
        : `The host of the long name ${text} has no dot. Give the full host, as in --name ${parts.alive}@host.example or ${parts.alive}@192.0.2.1, or use --sname.`,
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
      `"${text}" is no full node name: alive@host is expected.`,
    );
  }
  return `${parts.alive}@${parts.host}`;
}

/**
 * @throws NodeError NODE_NAME_INVALID when `peer` is no full name, NODE_NAME_KIND when one of the
 *   two names is short and the other long, as OTP refuses it
 */
export function checkPeerName(peer: string, own: NodeName): NodeName {
  const name = checkNodeName(peer);
  if (nameKind(peer) !== nameKind(own)) {
    throw new NodeError(
      "NODE_NAME_KIND",
      `${own} has a ${nameKind(own)} name and ${peer} a ${nameKind(peer)} one; short-named and long-named nodes cannot talk to each other. Start one of them as the other is named (--sname or --name).`,
    );
  }
  return name;
}
