/**
 * The name server of the textbook chapter, on a node: module `kvs` and a process registered so.
 *
 *   kvs:start()           -> true, again and again
 *   kvs:store(Key, Value) -> true
 *   kvs:lookup(Key)       -> {ok, Value} | undefined
 *   kvs ! {From, {store, Key, Value}} and {From, {lookup, Key}} send {kvs, Reply} to From
 * As in the book the functions need the process, and fail with `badarg` without it; but when somebody
 * has ended it, it is started anew at once (node/services.ts). What was stored outlives the process, not
 * the program.
 */
import { type Atom, atom, isPid, isTuple, type Term, tuple } from "../../etf/index.ts";
import { BADARG } from "../node/atoms.ts";
import { ErlangError } from "../node/exceptions.ts";
import type { NodeCore } from "../node/node.ts";
import { type Process, READY } from "../node/process/process.ts";
import { KvsStore } from "./store.ts";

const KVS: Atom<"kvs"> = atom("kvs");
const STORE: Atom<"store"> = atom("store");
const LOOKUP: Atom<"lookup"> = atom("lookup");

/** Starts `kvs` on a node and lets other nodes call it. */
export function serveKvs(node: NodeCore): KvsStore {
  const store = new KvsStore();
  const start = (): true => {
    if (node.whereis(KVS) === undefined) {
      const behaviour = { message: (message: Term, self: Process) => answer(store, message, self) };
      node.runtime.startService(KVS, () => behaviour, { endable: true });
    }
    return true;
  };
  const running = (): KvsStore => {
    if (node.whereis(KVS) === undefined) throw ErlangError.error(BADARG);
    return store;
  };
  node.expose("kvs", {
    start,
    store: (key: Term, value: Term) => running().store(key, value),
    lookup: (key: Term) => running().lookup(key),
  });
  start();
  return store;
}

/** A message that is not a request is dropped, so that callers cannot fill the mailbox. */
function answer(store: KvsStore, message: Term, self: Process): Promise<void> {
  if (!isTuple(message, 2) || !isPid(message[0]) || !isTuple(message[1])) return READY;
  const [from, request] = message;
  const [kind, key, value] = request as readonly Term[];
  if (kind === STORE && request.length === 3) {
    return self.reply(from, tuple(KVS, store.store(key as Term, value as Term)));
  }
  if (kind === LOOKUP && request.length === 2) {
    return self.reply(from, tuple(KVS, store.lookup(key as Term)));
  }
  return READY;
}
