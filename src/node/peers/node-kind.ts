/**
 * Kinds of nodes, as `erlang:nodes/1` has them.
 *
 * `known` differs: OTP counts every node that a pid, port or reference somewhere in its memory
 * belongs to; here it is this node and those connected or being connected to.
 */
import type { Peer } from "./peer.ts";

const NODE_KINDS = ["visible", "hidden", "connected", "known", "this"] as const;
export type NodeKind = (typeof NODE_KINDS)[number];

export function isNodeKind(name: string): name is NodeKind {
  return (NODE_KINDS as readonly string[]).includes(name);
}

/** Names of the nodes that are of one of the kinds, this one first. */
export function nodesOf(kinds: readonly NodeKind[], own: string, peers: Iterable<Peer>): string[] {
  const wanted = new Set(kinds);
  const known = wanted.has("known");
  const names: string[] = known || wanted.has("this") ? [own] : [];
  for (const { name, connection } of peers) {
    const kind = connection?.hidden === true ? "hidden" : "visible";
    const up = connection !== undefined && (wanted.has("connected") || wanted.has(kind));
    if (known || up) names.push(name.name);
  }
  return names;
}
