/**
 * Spawn requests in both directions: those from peers run exposed functions as processes here, those to
 * peers wait for the reply.
 *
 * Spec: erl_dist_protocol, SPAWN_REQUEST and SPAWN_REPLY; the options are in spawn-options.ts. A
 * request to this node itself is answered at once.
 */
import type { Atom, Pid, Reference, Term } from "../../../etf/index.ts";
import { atom, atomOf, atomTerm, copyTerm, isList, isPid, toTerm } from "../../../etf/index.ts";
import { type ControlOf, SPAWN_REPLY_FLAG } from "../../distribution/control.ts";
import * as forms from "../../distribution/control-forms.ts";
import { EncodedTerm } from "../../distribution/encoded-term.ts";
import type { Payload } from "../../distribution/payload.ts";
import { BADARG, LINK, MONITOR, NOCONNECTION, NOTSUP } from "../atoms.ts";
import type { FunctionTable } from "../exposed/functions.ts";
import type { ThisNode } from "../identity/this-node.ts";
import type { Peer } from "../peers/peer.ts";
import type { Reach } from "../peers/reach.ts";
import { type Identifiers, ReferenceMap } from "../process/identifiers.ts";
import type { SpawnPort } from "../process/kernel.ts";
import type { Process } from "../process/process.ts";
import type { RemoteFunction, RequestOptions, SpawnRequest } from "../process/spawn-request.ts";
import type { Lost } from "../process/ties.ts";
import type { SignalRouter } from "../signals/router.ts";
import type { SpawnMessages } from "../signals/spawn-messages.ts";
import { spawnWishes } from "./spawn-options.ts";

const BADOPT: Atom<"badopt"> = atom("badopt");
const ABANDONED: Atom<"abandoned"> = atom("abandoned");

/** Answers the spawn requests of peers, and makes this node's own. */
export class Spawner implements SpawnMessages, SpawnPort {
  readonly #self: Pick<ThisNode, "node">;
  readonly #functions: FunctionTable;
  readonly #router: SignalRouter;
  readonly #identifiers: Identifiers;
  readonly #peers: Reach;
  readonly #newProcess: (groupLeader: Pid) => Process;
  readonly #abandonable = new ReferenceMap<SpawnRequest>();

  constructor(
    self: Pick<ThisNode, "node">,
    functions: FunctionTable,
    router: SignalRouter,
    identifiers: Identifiers,
    peers: Reach,
    newProcess: (groupLeader: Pid) => Process,
  ) {
    this.#self = self;
    this.#functions = functions;
    this.#router = router;
    this.#identifiers = identifiers;
    this.#peers = peers;
    this.#newProcess = newProcess;
  }

  /** A peer requests a process here: starts it and replies, or replies with the error. */
  requested(
    peer: Peer,
    message: ControlOf<"SPAWN_REQUEST"> | ControlOf<"SPAWN_REQUEST_TT">,
    payload: Payload,
  ): void {
    const [, reqId, from, groupLeader, mfa, optList] = message;
    const [module, name, arity] = mfa;
    const named = atomOf(module) !== undefined && atomOf(name) !== undefined;
    const wishes = spawnWishes(optList);
    if (!named || wishes === undefined) {
      this.#reply(peer, reqId, from, 0, wishes === undefined ? BADOPT : BADARG);
      return;
    }
    const args = payload.read();
    if (!isList(args) || args.length !== arity) {
      this.#reply(peer, reqId, from, 0, BADARG);
      return;
    }
    const process = this.#newProcess(groupLeader);
    let flags = 0;
    if (wishes.link) {
      flags |= SPAWN_REPLY_FLAG.LINK;
      this.#router.links.inForce(process, peer, from);
    }
    if (wishes.monitor) {
      flags |= SPAWN_REPLY_FLAG.MONITOR;
      this.#router.monitors.inForce(peer, {
        ref: reqId,
        watcher: from,
        target: process,
        name: undefined,
      });
    }
    this.#reply(peer, reqId, from, flags, process.pid);
    process.run(() => this.#functions.spawned(process, from, module, name, args));
  }

  /** A peer replies to one of this node's requests. */
  replied(peer: Peer, reqId: Reference, flags: number, result: Term): void {
    const request = peer.spawnRequests.take(reqId);
    if (request === undefined) return;
    this.#abandonable.delete(reqId);
    const { from, monitor } = request;
    if (!isPid(result)) {
      this.#failed(request, atomOf(result) ?? BADARG);
      return;
    }
    const wanted = !request.abandoned && from.alive;
    const { links, monitors } = this.#router;
    if ((flags & SPAWN_REPLY_FLAG.MONITOR) !== 0) {
      const { onDown } = request;
      const outgoing = { ref: reqId, watcher: from, target: result, onDown, tag: monitor?.tag };
      monitors.setBySpawn(peer, outgoing);
      if (!wanted) monitors.demonitor(from, reqId);
    }
    if ((flags & SPAWN_REPLY_FLAG.LINK) !== 0) {
      if (wanted) links.inForce(from, peer, result);
      else links.refuse(peer, from.pid, result, from.alive ? ABANDONED : undefined);
    }
    if (wanted) request.onSpawned?.(result);
    else if (!from.alive) request.onDead?.();
  }

  /**
   * Asks a node for a process that runs a function; if it is this node, the process runs on return.
   * @throws EtfEncodeError if an argument is not a term
   */
  request(from: Process, node: Atom, what: RemoteFunction, options: RequestOptions): SpawnRequest {
    const { ref = this.#identifiers.newReference(), onSpawned, onError, onDead, onDown } = options;
    const { monitor } = options;
    const request: SpawnRequest = {
      ref,
      from,
      onSpawned,
      onError,
      onDead,
      onDown,
      monitor,
      abandoned: false,
    };
    const args = [...what.args];
    const emulatorOptions = (options.emulatorOptions ?? []).map((option) => toTerm(option));
    if (node === this.#self.node) {
      this.#spawnHere(request, what, copyTerm(args) as Term[], emulatorOptions, options);
      return request;
    }
    const payload = new EncodedTerm(args);
    const peer = this.#peers.reach(node);
    peer.spawnRequests.set(ref, request);
    if (options.abandonable === true) this.#abandonable.set(ref, request);
    if (monitor !== undefined) this.#router.aliases.ofMonitor(from, ref, monitor);
    const optList: Term[] = emulatorOptions;
    if (onDown !== undefined || monitor !== undefined) optList.push(MONITOR);
    if (options.link === true) optList.push(LINK);
    const fields: forms.SpawnRequestFields = {
      reqId: ref,
      from: from.pid,
      groupLeader: options.groupLeader,
      module: what.module,
      function: what.function,
      arity: args.length,
      optList,
    };
    peer.whenUp((connection) => {
      const form = forms.spawnRequest(connection, fields, payload);
      if (form !== undefined) connection.send(...form);
      else if (peer.spawnRequests.delete(ref)) {
        this.#abandonable.delete(ref);
        this.#failed(request, NOTSUP);
      }
    });
    return request;
  }

  #spawnHere(
    request: SpawnRequest,
    what: RemoteFunction,
    args: readonly Term[],
    emulatorOptions: readonly Term[],
    options: RequestOptions,
  ): void {
    const { ref, from, onDown, monitor } = request;
    if (spawnWishes(emulatorOptions) === undefined) {
      request.onError(BADOPT);
      return;
    }
    const process = this.#newProcess(options.groupLeader);
    if (monitor !== undefined) this.#router.aliases.ofMonitor(from, ref, monitor);
    if (options.link === true) this.#router.links.link(from, process.pid);
    if (onDown !== undefined || monitor !== undefined) {
      this.#router.monitors.monitorWith(from, process.pid, ref, onDown, monitor?.tag);
    }
    request.onSpawned?.(process.pid);
    const [module, name] = [atomTerm(what.module), atomTerm(what.function)];
    process.run(() => this.#functions.spawned(process, from.pid, module, name, args));
  }

  #failed(request: SpawnRequest, reason: Atom, lost?: Lost): void {
    const { from, ref, monitor, abandoned } = request;
    if (monitor?.alias !== undefined) from.unalias(ref);
    if (!abandoned) request.onError(reason, lost);
  }

  /**
   * Abandons a request by its reference, as `spawn_request_abandon` does; returns whether it was still
   * unanswered.
   */
  abandonRequest(from: Process, ref: Reference): boolean {
    const request = this.#abandonable.get(ref);
    if (request === undefined || request.from !== from) return false;
    this.#abandonable.delete(ref);
    this.abandon(request);
    if (request.monitor?.alias !== undefined) from.unalias(ref);
    return true;
  }

  /**
   * The requested process has ended, and its SPAWN_REPLY never arrived: OTP 23 loses the reply, but not
   * the DOWN after it, while much else waits to be sent to this node.
   */
  ended(peer: Peer, reqId: Reference, reason: () => Term): void {
    const request = peer.spawnRequests.take(reqId);
    if (request !== undefined && !request.abandoned) request.onDown?.(reason());
  }

  /** The requester no longer needs the process, as `erpc` after a timeout. */
  abandon(request: SpawnRequest): void {
    request.abandoned = true;
    this.#router.monitors.demonitor(request.from, request.ref);
  }

  /** The connection to a peer is gone, or was never established: its requests fail with `noconnection`. */
  peerDown(peer: Peer, lost: Lost): void {
    const requests = peer.spawnRequests.values();
    peer.spawnRequests.clear();
    for (const request of requests) {
      this.#abandonable.delete(request.ref);
      this.#failed(request, NOCONNECTION, lost);
    }
  }

  #reply(peer: Peer, reqId: Reference, to: Pid, flags: number, result: Pid | Atom): void {
    peer.send(() => forms.spawnReply(reqId, to, flags, result));
  }
}
