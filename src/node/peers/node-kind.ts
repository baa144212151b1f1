/**
 * Kinds of nodes, as `erlang:nodes/1` has them.
 *
 * `known` differs: in OTP it includes every node that owns a pid, port or reference somewhere in
 * memory; in erldist it is this node and those that are connected or being connected to.
 */
import type { Peer } from "./peer.ts";

/** The kinds, in the order of the documentation. */
const NODE_KINDS = ["visible", "hidden", "connected", "known", "this"] as const;
/** A kind of node, as in `erlang:nodes/1`. */
export type NodeKind = (typeof NODE_KINDS)[number];

/** Whether that is the name of a kind. */
export function isNodeKind(name: string): name is NodeKind {
  return (NODE_KINDS as readonly string[]).includes(name);
}

/** Names of the nodes that are of one of the kinds, this node first. */
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
