/**
 * Spawn requests: those of peers, which run exposed functions as processes here, and ours to them.
 *
 * Spec: erl_dist_protocol, SPAWN_REQUEST and SPAWN_REPLY. Of the options of a request `link` and
 * `monitor` (also `{monitor, Opts}`) have a meaning here; the others tune the emulator and are
 * taken without effect, as they would be by an emulator that ignores them.
 */
import type { Atom, Pid, Reference, Term, TermInput } from "../../etf/index.ts";
import { atom, isAtom, isList, isPid, isTuple, toTerm, tuple } from "../../etf/index.ts";
import { CONTROL, type ControlOf, SPAWN_REPLY_FLAG } from "../distribution/control.ts";
import { EncodedTerm } from "../distribution/encoded-term.ts";
import { DFLAG } from "../distribution/flags.ts";
import type { FunctionTable } from "./functions.ts";
import type { Identifiers } from "./identifiers.ts";
import { refuseLink } from "./links.ts";
import type { Lost, OnDown } from "./monitors.ts";
import type { Peer } from "./peer.ts";
import { NOCONNECTION, type Process } from "./process.ts";
import type { Reach, SignalRouter } from "./signals.ts";
import type { SpawnRequest } from "./spawn-request.ts";

const LINK: Atom<"link"> = atom("link");
const MONITOR: Atom<"monitor"> = atom("monitor");
const BADARG: Atom<"badarg"> = atom("badarg");
const NOTSUP: Atom<"notsup"> = atom("notsup");

/** A function to run on another node. */
export interface RemoteFunction {
  readonly module: Atom;
  readonly function: Atom;
  readonly args: readonly TermInput[];
}

export interface SpawnRequestOptions {
  readonly groupLeader: Pid;
  readonly link?: boolean;
  readonly onSpawned?: ((pid: Pid) => void) | undefined;
  readonly onError: (reason: Atom, lost?: Lost) => void;
  /** With it the process is monitored. */
  readonly onDown?: OnDown | undefined;
}

export class Spawner {
  readonly #ownNode: Atom;
  readonly #functions: FunctionTable;
  readonly #signals: SignalRouter;
  readonly #identifiers: Identifiers;
  readonly #peers: Reach;
  readonly #newProcess: (groupLeader: Pid) => Process;

  constructor(
    ownNode: Atom,
    functions: FunctionTable,
    signals: SignalRouter,
    identifiers: Identifiers,
    peers: Reach,
    newProcess: (groupLeader: Pid) => Process,
  ) {
    this.#ownNode = ownNode;
    this.#functions = functions;
    this.#signals = signals;
    this.#identifiers = identifiers;
    this.#peers = peers;
    this.#newProcess = newProcess;
  }

  /** A peer wants a process here. */
  requested(
    peer: Peer,
    message: ControlOf<"SPAWN_REQUEST"> | ControlOf<"SPAWN_REQUEST_TT">,
    args: Term,
  ): void {
    const [, reqId, from, groupLeader, mfa, optList] = message;
    const [module, name, arity] = mfa;
    if (!isAtom(module) || !isAtom(name) || !isList(args) || args.length !== arity) {
      this.#reply(peer, reqId, from, 0, BADARG);
      return;
    }
    const process = this.#newProcess(groupLeader);
    let flags = 0;
    if (asks(optList, LINK)) {
      flags |= SPAWN_REPLY_FLAG.LINK;
      this.#signals.linkedByPeer(process, peer, from);
    }
    if (asks(optList, MONITOR)) {
      flags |= SPAWN_REPLY_FLAG.MONITOR;
      this.#signals.monitoredByPeer(peer, {
        ref: reqId,
        watcher: from,
        target: process,
        name: undefined,
      });
    }
    this.#reply(peer, reqId, from, flags, process.pid);
    process.run(() => this.#functions.spawned(process, from, module, name, args));
  }

  /** A peer answers a request of ours. */
  replied(peer: Peer, reqId: Reference, flags: number, result: Term): void {
    const request = peer.spawnRequests.take(reqId);
    if (request === undefined) return;
    if (!isPid(result)) {
      if (!request.abandoned) request.onError(isAtom(result) ? result : BADARG);
      return;
    }
    const { from } = request;
    const wanted = !request.abandoned && from.alive;
    if ((flags & SPAWN_REPLY_FLAG.MONITOR) !== 0) {
      const monitor = { ref: reqId, watcher: from, target: result, onDown: request.onDown };
      this.#signals.addOutgoingMonitor(monitor);
      peer.outgoingMonitors.set(reqId, monitor);
      if (!wanted) this.#signals.demonitor(from, reqId);
    }
    if ((flags & SPAWN_REPLY_FLAG.LINK) !== 0) {
      if (from.alive) this.#signals.linkedByPeer(from, peer, result);
      else refuseLink(peer, from.pid, result);
    }
    if (wanted) request.onSpawned?.(result);
  }

  /**
   * Asks a node for a process that runs a function; this node gives it at once.
   * @throws EtfEncodeError when an argument is no term
   */
  request(
    from: Process,
    node: Atom,
    what: RemoteFunction,
    options: SpawnRequestOptions,
  ): SpawnRequest {
    const ref = this.#identifiers.newReference();
    const { onSpawned, onError, onDown } = options;
    const request: SpawnRequest = { ref, from, onSpawned, onError, onDown, abandoned: false };
    const args = [...what.args];
    if (node === this.#ownNode) {
      this.#spawnHere(request, what, toTerm(args) as Term[], options);
      return request;
    }
    const payload = new EncodedTerm(args);
    const peer = this.#peers.reach(node);
    peer.spawnRequests.set(ref, request);
    const optList: Term[] = [];
    if (onDown !== undefined) optList.push(MONITOR);
    if (options.link === true) optList.push(LINK);
    const mfa = tuple(what.module, what.function, args.length);
    peer.signal((connection) => {
      if (connection.has(DFLAG.SPAWN)) {
        const { op } = CONTROL.SPAWN_REQUEST;
        connection.send(tuple(op, ref, from.pid, options.groupLeader, mfa, optList), payload);
      } else if (peer.spawnRequests.delete(ref) && !request.abandoned) {
        onError(NOTSUP);
      }
    });
    return request;
  }

  #spawnHere(
    request: SpawnRequest,
    what: RemoteFunction,
    args: readonly Term[],
    options: SpawnRequestOptions,
  ): void {
    const { ref, from, onDown } = request;
    const process = this.#newProcess(options.groupLeader);
    if (options.link === true) this.#signals.link(from, process.pid);
    if (onDown !== undefined) this.#signals.monitorWith(from, process.pid, ref, onDown);
    request.onSpawned?.(process.pid);
    process.run(() => this.#functions.spawned(process, from.pid, what.module, what.function, args));
  }

  /** The requester has lost interest, as `erpc` after a time-out. */
  abandon(request: SpawnRequest): void {
    request.abandoned = true;
    this.#signals.demonitor(request.from, request.ref);
  }

  /** The connection to a peer is gone, or never came about. */
  peerDown(peer: Peer, lost: Lost): void {
    const requests = peer.spawnRequests.values();
    peer.spawnRequests.clear();
    for (const request of requests) {
      if (!request.abandoned) request.onError(NOCONNECTION, lost);
    }
  }

  #reply(peer: Peer, reqId: Reference, to: Pid, flags: number, result: Pid | Atom): void {
    peer.signal((connection) =>
      connection.send(tuple(CONTROL.SPAWN_REPLY.op, reqId, to, flags, result)),
    );
  }
}

/** Whether the list has the option, alone or as the first of a tuple. */
function asks(optList: readonly Term[], option: Atom): boolean {
  return optList.some((given) => given === option || (isTuple(given) && given[0] === option));
}
