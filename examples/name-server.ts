/** The name server of the textbook, kvs, written with a process: node name-server.ts [NAME] */
import { atom, isPid, isTuple, Node, type Term, TermMap, tuple } from "erldist";

const KVS = atom("kvs");
const OK = atom("ok");
const UNDEFINED = atom("undefined");

const [name = "gandalf"] = process.argv.slice(2);
const node = await Node.start({ name });

// Keys are compared as Erlang does: {location, joe} is found by any equal tuple.
const table = new TermMap();

function store(key: Term, value: Term): true {
  table.set(key, value);
  return true;
}

function lookup(key: Term): Term {
  const value = table.get(key);
  return value === undefined ? UNDEFINED : tuple(OK, value);
}

function answer(request: Term): Term | undefined {
  if (isTuple(request, 3) && request[0] === atom("store")) return store(request[1], request[2]);
  if (isTuple(request, 2) && request[0] === atom("lookup")) return lookup(request[1]);
  return undefined;
}

// {kvs, gandalf@HOST} ! {self(), {lookup, Key}} answers {kvs, Reply}.
node.spawn(async (self) => {
  self.register(KVS);
  for await (const message of self) {
    if (!isTuple(message, 2) || !isPid(message[0])) continue;
    const [from, request] = message;
    const reply = answer(request);
    if (reply !== undefined) await self.send(from, tuple(KVS, reply));
  }
});

// rpc:call(gandalf@HOST, kvs, store, [Key, Value]).
node.expose("kvs", { store, lookup });
