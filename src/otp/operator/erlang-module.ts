/**
 * Functions of module `erlang` that tell of the node and its processes, and signals to them.
 *
 * Spec: the page of module erlang. Signals, `send/2` and `exit/2`, go to processes of this node
 * only: what a peer can do by itself it may also ask for, and a cookie good for this node does not
 * make it speak for the peer elsewhere. Elsewhere is `notsup`. `get_cookie` is not served: a peer
 * knows the cookie it shares with this node, and others are none of its business.
 */
import {
  type Atom,
  atom,
  atomOf,
  atomTerm,
  isAtom,
  isList,
  isPid,
  isPort,
  isReference,
  isTuple,
  type Term,
} from "../../../etf/index.ts";
import { asTerm, NOTSUP, UNDEFINED } from "../../node/atoms.ts";
import { ErlangError } from "../../node/exceptions.ts";
import type { CallContext } from "../../node/exposed/functions.ts";
import type { NodeCore } from "../../node/node.ts";
import { isNodeKind } from "../../node/peers/node-kind.ts";
import { badarg, exposeBifs } from "./bifs.ts";
import { localProcess } from "./process-info.ts";

/** Serves what operators ask of module `erlang`, but for what has a file of its own. */
export function serveErlangModule(node: NodeCore): void {
  // A dynamic name comes, and may go, while the node runs.
  const here = (): Atom => atom(node.name);
  const send = ({ self }: CallContext, to: Term, message: Term): Term => {
    const destination = localDestination(node, to);
    if (destination !== undefined) void self.send(destination, message);
    return message;
  };
  exposeBifs(node, "erlang", {
    "exit/2": ({ self }, pid, reason) => {
      if (!isPid(pid)) throw badarg();
      if (pid.node !== here()) throw ErlangError.error(NOTSUP);
      self.sendExit(pid, reason);
      return true;
    },
    "group_leader/0": ({ self }) => self.groupLeader,
    "is_alive/0": () => true,
    "is_process_alive/1": (_, pid) => localProcess(node, pid)?.alive === true,
    "node/0": here,
    "node/1": (_, term) => {
      if (!isPid(term) && !isPort(term) && !isReference(term)) throw badarg();
      return atomTerm(term.node);
    },
    "nodes/0": () => nodesOf(node, [atom("visible")]),
    "nodes/1": (_, kinds) => nodesOf(node, isList(kinds) ? kinds : [kinds]),
    "port_info/1": (_, port) => portInfo(here(), port),
    "port_info/2": (_, port, item) => {
      if (atomOf(item) === undefined) throw badarg();
      return portInfo(here(), port);
    },
    "ports/0": () => [],
    "processes/0": () => node.runtime.table.all().map(({ pid }) => pid),
    "registered/0": () => node.registered().map((name) => asTerm(name)),
    "self/0": ({ self }) => self.pid,
    "send/2": send,
    "!/2": send,
    "whereis/1": (_, name) => {
      const known = atomOf(name);
      if (known === undefined) throw badarg();
      return node.whereis(known)?.pid ?? UNDEFINED;
    },
  });
}

/**
 * Where a message goes; undefined when it is to be dropped.
 * @throws ErlangError error `badarg` for what is no destination, or a name that is not registered;
 *   `notsup` for one on another node
 */
function localDestination(node: NodeCore, to: Term) {
  const name = atomOf(to);
  if (name !== undefined) {
    if (node.whereis(name) === undefined) throw badarg();
    return name;
  }
  const [named, on] = isTuple(to, 2) ? [atomOf(to[0]), atomOf(to[1])] : [];
  if (named !== undefined && on !== undefined) {
    if (on.name !== node.name) throw ErlangError.error(NOTSUP);
    return node.whereis(named) === undefined ? undefined : named;
  }
  if (!isPid(to) && !isReference(to)) throw badarg();
  if (to.node.name !== node.name) throw ErlangError.error(NOTSUP);
  return to;
}

/** `nodes/1`: nodes of one of the kinds. */
function nodesOf(node: NodeCore, kinds: readonly Term[]): Term[] {
  // However often each is named.
  const names = [...new Set(kinds.map((kind) => (isAtom(kind) ? kind.name : "")))];
  if (!names.every(isNodeKind)) throw badarg();
  return node.nodes(names).map((name) => atom(name));
}

/** There is no port here; a name that no port has is as good as one that ended. */
function portInfo(here: Atom, port: Term): Term {
  if (atomOf(port) !== undefined || (isPort(port) && port.node === here)) return UNDEFINED;
  throw badarg();
}
