/**
 * The part of `global` that Erlang nodes expect of a visible node: it reports itself in sync at
 * once, and keeps locks.
 *
 *   '$gen_cast' {init_connect, {Vsn, Tag}, Node, {locker, _, Known, Locker}}
 *                                    -> '$gen_cast' {in_sync, ThisNode, true}
 *   '$gen_call' {set_lock, {ResourceId, LockRequesterId}}   -> true | false
 *   '$gen_call' {del_lock, {ResourceId, LockRequesterId}}   -> true
 *   '$gen_call' get_known                                   -> []
 * After `in_sync` a peer expects nothing more of this node: `global:sync/0` returns, and the peer
 * does not ask this node when it registers a name. Global names are left out: none is registered or
 * known here. So the rest of the protocol (exchange, resolved, new_nodes) never begins, and global
 * sends no reports of lost connections here.
 *
 * Locks work as in OTP's `global:set_lock/3`: one requester holds a lock, for each process that set
 * it, and the end of a process releases its hold. `set_lock/1` asks all visible nodes, so this one too.
 */
import {
  type Atom,
  atom,
  atomOf,
  exactEquals,
  isTuple,
  type Pid,
  type Reference,
  type Term,
  TermMap,
  tuple,
} from "../../../etf/index.ts";
import { DOWN } from "../../node/atoms.ts";
import type { NodeCore } from "../../node/node.ts";
import { PidMap, ReferenceMap } from "../../node/process/identifiers.ts";
import type { Process } from "../../node/process/process.ts";
import { GEN_CAST } from "../gen/atoms.ts";
import { genService, type ServiceProcess } from "../gen/gen-service.ts";

/** The name of the server. */
export const GLOBAL_NAME_SERVER: Atom<"global_name_server"> = atom("global_name_server");
const INIT_CONNECT: Atom<"init_connect"> = atom("init_connect");
const IN_SYNC: Atom<"in_sync"> = atom("in_sync");
const SET_LOCK: Atom<"set_lock"> = atom("set_lock");
const DEL_LOCK: Atom<"del_lock"> = atom("del_lock");
const GET_KNOWN: Atom<"get_known"> = atom("get_known");

/** Makes the server `global_name_server`. */
export function serveGlobal({ core }: { core: NodeCore }): ServiceProcess {
  const locks = new Locks();
  return {
    make: () =>
      genService({
        call: (request, caller, self) => {
          const answer = answerTo(request, caller.pid, self, locks);
          if (answer !== undefined) caller.reply(answer);
        },
        cast: (request, self) => {
          const peer = connecting(request);
          if (peer === undefined) return;
          const inSync = tuple(IN_SYNC, atom(core.name), true);
          void self.reply([GLOBAL_NAME_SERVER, peer], tuple(GEN_CAST, inSync));
        },
        info: (message) => {
          if (isTuple(message, 5) && message[0] === DOWN) locks.ended(message[1] as Reference);
        },
      }),
    started: (self) => locks.watchedBy(self),
  };
}

function answerTo(request: Term, caller: Pid, self: Process, locks: Locks): Term | undefined {
  if (request === GET_KNOWN) return [];
  if (!isTuple(request, 2)) return undefined;
  const [operation, id] = request;
  if (!isTuple(id, 2)) return undefined;
  const [resourceId, requesterId] = id;
  if (operation === SET_LOCK) return locks.set(resourceId, requesterId, caller, self);
  if (operation !== DEL_LOCK) return undefined;
  locks.delete(resourceId, requesterId, caller, self);
  return true;
}

/** The node that wants to synchronize its names with this one; undefined for other requests. */
function connecting(request: Term): Atom | undefined {
  if (!isTuple(request, 4) || request[0] !== INIT_CONNECT) return undefined;
  return atomOf(request[2]);
}

interface Lock {
  readonly resourceId: Term;
  readonly requesterId: Term;
  /** The processes that set it. */
  readonly holders: PidMap<Holding>;
}

/** One process's hold on a lock, with the monitor of that process. */
interface Holding {
  readonly lock: Lock;
  readonly pid: Pid;
  ref: Reference;
}

class Locks {
  readonly #locks = new TermMap<Term, Lock>();
  readonly #holdings = new ReferenceMap<Holding>();

  /** Sets a lock; returns whether the requester holds it now. */
  set(resourceId: Term, requesterId: Term, pid: Pid, self: Process): boolean {
    let lock = this.#locks.get(resourceId);
    if (lock === undefined) {
      lock = { resourceId, requesterId, holders: new PidMap() };
      this.#locks.set(resourceId, lock);
    } else if (!exactEquals(lock.requesterId, requesterId)) return false;
    if (!lock.holders.has(pid)) {
      const holding = { lock, pid, ref: self.monitor(pid) };
      lock.holders.set(pid, holding);
      this.#holdings.set(holding.ref, holding);
    }
    return true;
  }

  delete(resourceId: Term, requesterId: Term, pid: Pid, self: Process): void {
    const lock = this.#locks.get(resourceId);
    if (lock === undefined || !exactEquals(lock.requesterId, requesterId)) return;
    const holding = lock.holders.get(pid);
    if (holding === undefined) return;
    self.demonitor(holding.ref);
    this.#release(holding);
  }

  /** Releases the hold of a process that ended. */
  ended(ref: Reference): void {
    const holding = this.#holdings.get(ref);
    if (holding !== undefined) this.#release(holding);
  }

  /** Renews the monitors of the holders for a new server process: the old ones ended with the last. */
  watchedBy(self: Process): void {
    const holdings = this.#holdings.values();
    this.#holdings.clear();
    for (const holding of holdings) {
      holding.ref = self.monitor(holding.pid);
      this.#holdings.set(holding.ref, holding);
    }
  }

  #release({ lock, pid, ref }: Holding): void {
    this.#holdings.delete(ref);
    lock.holders.delete(pid);
    if (lock.holders.size === 0) this.#locks.delete(lock.resourceId);
  }
}
