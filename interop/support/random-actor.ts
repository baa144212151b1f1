/** The actor of `erldist_random.erl` on an erldist node. */
import { isReference, isTuple } from "../../etf/index.ts";
import {
  type Atom,
  atom,
  type CallContext,
  ErlangError,
  type Node,
  type Pid,
  type Process,
  type Reference,
  type Term,
  type TermInput,
  type TermMap,
  type Tuple,
  tuple,
} from "../../src/index.ts";

export function serveRandomActor(node: Node): void {
  node.expose("erldist_random", {
    async actor(this: CallContext, driver: Pid) {
      const self = this.self;
      const actor = new Actor(self);
      for await (const message of self) {
        if (isTuple(message, 3) && isReference(message[1])) {
          const [from, ref, request] = message as Tuple<[Pid, Reference, Term]>;
          const result = isTuple(request, 2) ? actor.command(request) : atom("ok");
          await self.send(from, tuple(atom("reply"), ref, result));
        } else {
          await self.send(driver, tuple(atom("event"), self.pid, message));
        }
      }
    },
    child(kind: Atom, reason: Term) {
      if (kind.name === "return") return reason;
      throw ErlangError[kind.name as "exit" | "error" | "throw"](reason);
    },
  });
}

class Actor {
  readonly #self: Process;
  #ref: Reference | undefined;

  constructor(self: Process) {
    this.#self = self;
  }

  command(request: Term): TermInput {
    const [command, target] = request as Tuple<[Term, Pid]>;
    const [verb, value] = command as Tuple<[Atom, Term]>;
    const self = this.#self;
    switch (verb.name) {
      case "link":
        self.link(target);
        break;
      case "unlink":
        self.unlink(target);
        break;
      case "monitor":
        this.#ref = self.monitor(target);
        break;
      case "demonitor":
        return this.#demonitor();
      case "trap":
        self.trapExit = value as boolean;
        break;
      case "register":
        return this.#register(value as Atom | boolean);
      case "send":
        void self.send(target, tuple(atom("sent"), value));
        break;
      case "signal":
        self.sendExit(target, value);
        break;
      case "exit":
        throw ErlangError.exit(value);
      case "echo":
        return value;
      case "key":
        return founds(value as TermMap);
      default:
        throw new Error(`the actor does not know ${verb.name}`);
    }
    return atom("ok");
  }

  #demonitor(): TermInput {
    const ref = this.#ref;
    this.#ref = undefined;
    return ref === undefined ? atom("none") : this.#self.demonitor(ref, { flush: true });
  }

  #register(name: Atom | boolean): TermInput {
    try {
      this.#self.register(name as Atom);
      return true;
    } catch {
      return atom("badarg");
    }
  }
}

/** How many keys there are, and whether each finds its own value. */
function founds(map: TermMap): TermInput {
  const found = new Set<boolean>();
  for (const [key, value] of map) found.add(map.get(key) === value);
  return [map.size, ...[...found].sort()];
}
