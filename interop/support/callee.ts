/** The functions of `erldist_callee.erl` on an erldist node. */

import {
  atom,
  type CallContext,
  ErlangError,
  isAtom,
  isPid,
  isTuple,
  type Node,
  type Pid,
  type Term,
  type TermInput,
  tuple,
} from "../../src/index.ts";

const CALLEE = atom("erldist_callee");

/** Exposes the module, and registers its server. */
export function serveCallee(node: Node): void {
  const never = (): Promise<never> => new Promise(() => {});
  let open: (() => void) | undefined;
  const holding = async (): Promise<() => void> => {
    while (open === undefined) await new Promise((resolve) => setImmediate(resolve));
    return open;
  };
  node.expose("erldist_callee", {
    add: (a: Term, b: Term) => {
      if (typeof a !== "number" || typeof b !== "number") {
        throw ErlangError.error(atom("badarith"));
      }
      return a + b;
    },
    nothing: () => {},
    echo: (term: Term) => term,
    fail: (kind: Term, reason: Term) => {
      if (isAtom(kind, "exit")) throw ErlangError.exit(reason);
      if (isAtom(kind, "throw")) throw ErlangError.throw(reason);
      throw ErlangError.error(reason);
    },
    caught: (reason: Term) => tuple(atom("EXIT"), reason),
    badrpc: () => tuple(atom("badrpc"), atom("mine")),
    never,
    later: (milliseconds: number, term: Term) =>
      new Promise((resolve) => setTimeout(resolve, milliseconds, term)),
    held: (term: Term) =>
      new Promise((resolve) => {
        open = () => resolve(term);
      }),
    async holding() {
      await holding();
      return true;
    },
    async release() {
      (await holding())();
      open = undefined;
    },
    async report(this: CallContext, pid: Pid) {
      this.self.trapExit = true;
      await this.self.send(pid, tuple(atom("reporter"), this.self.pid));
      await this.self.send(pid, tuple(atom("reported"), await this.self.receive()));
    },
    end_self(this: CallContext, reason: Term) {
      node.exit(this.self.pid, reason);
      return never();
    },
    async print(this: CallContext, text: TermInput) {
      const put = tuple(atom("put_chars"), atom("unicode"), text);
      const ref = node.newReference();
      await this.self.send(
        this.self.groupLeader,
        tuple(atom("io_request"), this.self.pid, ref, put),
      );
      const [, , reply] = (await this.self.receive()) as readonly Term[];
      return reply;
    },
    async tell(this: CallContext, pid: Pid, message: Term) {
      await this.self.send(pid, message);
    },
    spawn_tell(pid: Pid, message: Term) {
      node.spawn((self) => self.send(pid, message));
    },
    drop(this: CallContext) {
      node.disconnect(this.self.groupLeader.node.name);
    },
    leader(this: CallContext) {
      return this.self.groupLeader;
    },
  });
  node
    .spawn({
      message(message, self) {
        if (!isTuple(message, 2)) return undefined;
        const [from, what] = message;
        if (!isPid(from)) return undefined;
        return self.send(from, tuple(CALLEE, atom(node.name), tuple(atom("got"), what)));
      },
    })
    .register(CALLEE);
}
