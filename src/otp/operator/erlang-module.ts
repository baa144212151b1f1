/**
 * Functions of module `erlang` that describe the node and its processes, and send them signals.
 *
 * Spec: the page of module erlang. `send/2` and `exit/2` work only for processes of this node, to which
 * a peer can send signals anyway. For those of other nodes they raise `notsup`, so that a peer cannot
 * act through this node. `get_cookie` is not served: a peer knows the cookie that it shares with this
 * node, and must not learn any other.
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

/** Exposes the functions of module `erlang` that do not have a file of their own. */
export function serveErlangModule(node: NodeCore): void {
  // A dynamic name may change while the node runs.
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
 * The destination of a message; undefined if the message is dropped.
 * @throws ErlangError error `badarg` for an invalid destination, or a name that is not registered;
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

/** The result of `nodes/1`: the nodes of the given kinds. */
function nodesOf(node: NodeCore, kinds: readonly Term[]): Term[] {
  // A kind may be given several times.
  const names = [...new Set(kinds.map((kind) => (isAtom(kind) ? kind.name : "")))];
  if (!names.every(isNodeKind)) throw badarg();
  return node.nodes(names).map((name) => atom(name));
}

/** The result of `port_info`. The node has no ports, so every port of it counts as closed. */
function portInfo(here: Atom, port: Term): Term {
  if (atomOf(port) !== undefined || (isPort(port) && port.node === here)) return UNDEFINED;
  throw badarg();
}
