/** The actor of `erldist_exits.erl` on an erldist node. */
import {
  type Atom,
  atom,
  type CallContext,
  ErlangError,
  isAtom,
  type Node,
  type Pid,
  type Process,
  type Reference,
  type Term,
  type TermInput,
  type Tuple,
  tuple,
} from "../../src/index.ts";

export function serveActor(node: Node): void {
  node.expose("erldist_exits", {
    async actor(this: CallContext, driver: Pid, name: Atom) {
      const self = this.self;
      let ref: Reference | undefined;
      for await (const message of self) {
        const [verb, ...args] = message as Tuple<[Atom, ...Term[]]>;
        if (isAtom(verb, "do")) {
          if (isAtom(args[0], "return")) return;
          const result = act(args[0] as Term);
          await self.send(driver, tuple(atom("did"), name, result));
        } else if (isAtom(verb, "sync")) {
          await self.send(args[1] as Pid, tuple(atom("ping"), self.pid, args[0] as Term));
        } else if (isAtom(verb, "ping")) {
          await self.send(args[0] as Pid, tuple(atom("pong"), args[1] as Term));
        } else if (isAtom(verb, "pong")) {
          await self.send(driver, tuple(atom("synced"), args[0] as Term));
        } else {
          await self.send(driver, tuple(atom("event"), name, message));
        }
      }

      function act(command: Term): TermInput {
        const [name, target, more] = (isAtom(command) ? [command] : command) as [Atom, Pid, Pid];
        switch (name.name) {
          case "demonitor":
            return self.demonitor(ref!);
          case "demonitor_flush":
            return self.demonitor(ref!, { flush: true });
          case "monitor":
            ref = self.monitor(target);
            break;
          case "monitor_name":
            ref = self.monitor([(target as unknown as Atom).name, more.node]);
            break;
          case "disconnect":
            node.disconnect(target.node.name);
            break;
          default:
            simple(self, name.name, target, more);
        }
        return atom("ok");
      }
    },
  });
}

function simple(self: Process, name: string, target: Term, more: Term): void {
  switch (name) {
    case "trap":
      self.trapExit = target as boolean;
      return;
    case "link":
      self.link(target as Pid);
      return;
    case "unlink":
      self.unlink(target as Pid);
      return;
    case "register":
      self.register(target as Atom);
      return;
    case "signal":
      self.sendExit(target as Pid, more);
      return;
    case "signal_self":
      self.sendExit(self.pid, target);
      return;
    case "link_self":
      self.link(self.pid);
      return;
    case "monitor_self":
      self.monitor(self.pid);
      return;
    case "exit":
      self.exit(target);
      return;
    case "error":
      throw ErlangError.error(target);
    case "throw":
      throw ErlangError.throw(target);
    default:
      throw new Error(`the actor does not know ${name}`);
  }
}
