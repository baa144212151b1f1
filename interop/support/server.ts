/** The gen_server of `erldist_server.erl` on an erldist node, with its parent and its log. */

import {
  type Atom,
  atom,
  type CallContext,
  type CallResult,
  ErlangError,
  type From,
  GenServer,
  type HandleResult,
  type InitResult,
  isAtom,
  isTuple,
  type Node,
  type Pid,
  type Process,
  StartError,
  type Term,
  type Tuple,
  tuple,
} from "../../src/index.ts";

const NAME = "erldist_server";
const OK = atom("ok");

type State = Tuple<readonly [number, readonly Term[]]>;

/** The request's name and what follows it: `{add, 1}` is `["add", 1]`, `get` is `["get"]`. */
function words(request: Term): readonly [string, ...Term[]] {
  if (isAtom(request)) return [request.name];
  if (!isTuple(request) || !isAtom(request[0])) return [""];
  const [first, ...rest] = request as Tuple<[Atom, ...Term[]]>;
  return [first.name, ...rest];
}

class Server extends GenServer<State> {
  override state: State = tuple(0, []);

  #held = (): void => {};

  override init(): InitResult {
    if (isAtom(this.#init, "ignore")) return { ignore: true };
    return isTuple(this.#init) ? this.#handle(this.#init) : undefined;
  }

  override handleCall(request: Term, from: From): CallResult {
    const [count, seen] = this.state;
    const [what, first, second] = words(request);
    switch (what) {
      case "get":
        return { reply: count };
      case "seen":
        return { reply: [...seen].reverse() };
      case "add":
        this.state = tuple(count + (first as number), seen);
        return { reply: this.state[0] };
      case "later":
        setTimeout(() => this.self.alive && this.reply(from, second!), first as number);
        return {};
      case "hold":
        this.#held = () => this.reply(from, first!);
        return {};
      case "release":
        this.#held();
        return { reply: OK };
      case "timeout":
        return { reply: OK, timeoutMs: first as number };
      case "continue":
        return { reply: OK, continue: first };
      case "never":
        return {};
      case "watch":
        this.#seen(request);
        return { reply: OK };
      case "trap_exit":
        this.self.trapExit = first as boolean;
        return { reply: OK };
      case "drop":
        this.node.disconnect(from[0].node.name);
        return {};
      case "stop":
        return second === undefined ? { stop: first! } : { stop: first!, reply: second };
    }
    return this.#handle(request);
  }

  override handleCast(request: Term): HandleResult {
    return this.#handle(request);
  }

  override handleInfo(message: Term): HandleResult {
    return this.#handle(message);
  }

  override handleContinue(term: unknown): HandleResult {
    return this.#handle(tuple(atom("continued"), term as Term));
  }

  override terminate(reason: Term): void {
    for (const each of this.state[1]) {
      const [what, pid] = words(each);
      if (what === "watch") void this.self.send(pid as Pid, tuple(atom("terminated"), reason));
    }
  }

  override codeChange(oldVsn: Term, extra: Term): void {
    if (isAtom(extra, "fail")) throw ErlangError.throw(atom("refused"));
    this.#seen(tuple(atom("code_change"), oldVsn, extra));
  }

  readonly node: Node;
  readonly #init: Term;
  constructor(node: Node, init: Term) {
    super();
    this.node = node;
    this.#init = init;
  }

  #handle(term: Term): HandleResult {
    const [what, first, second] = words(term);
    if (what === "stop") return { stop: first! };
    if (what === "fail") {
      if (isAtom(first, "exit")) throw ErlangError.exit(second!);
      if (isAtom(first, "throw")) throw ErlangError.throw(second!);
      throw ErlangError.error(second!);
    }
    if (what === "return") return first as unknown as HandleResult;
    for (const each of this.state[1]) {
      const [watch, pid] = words(each);
      if (watch === "watch") void this.self.send(pid as Pid, tuple(atom("seen"), term));
    }
    this.#seen(term);
    return {};
  }

  #seen(term: Term): void {
    const [count, seen] = this.state;
    this.state = tuple(count, [term, ...seen]);
  }
}

/** The parent of servers, as `erldist_starter` on an Erlang node. */
export interface Starter {
  /** Ends the server started last, and starts another as a child. */
  start(startLink: (parent: Process) => Promise<Process>): Promise<Pid>;
}

/** Exposes the module, and starts the server's parent. */
export function serveServer(node: Node): Starter {
  let logged: Term[] = [];
  node.on("log", ({ level, report }) => {
    if (level !== "debug") logged.push(tuple(atom(level), report));
  });
  const parent = node.spawn({ message() {} });
  parent.trapExit = true;
  parent.register("erldist_starter");
  let last: Process | undefined;
  const starter: Starter = {
    async start(startLink) {
      if (last !== undefined) parent.sendExit(last.pid, atom("kill"));
      last = undefined;
      logged = [];
      last = await startLink(parent);
      return last.pid;
    },
  };
  const start = (init: Term): Promise<Pid> =>
    starter.start((by) => new Server(node, init).startLink(node, by, { name: NAME, module: NAME }));
  node.expose(NAME, {
    "start/0": () => start([]),
    "start/2": async (_module: Term, init: Term) => {
      try {
        return await start(init);
      } catch (error) {
        if (error instanceof StartError) return error.returned;
        throw error;
      }
    },
    reports() {
      const reports = logged;
      logged = [];
      return reports;
    },
    bump: (state: State) => tuple(state[0] + 100, state[1]),
    crash: (_state: Term) => {
      throw ErlangError.error(atom("crashed"));
    },
    tell(this: CallContext, pid: Pid, event: Term, _name: Term) {
      void this.self.send(pid, tuple(atom("event"), event));
      return pid;
    },
  });
  return starter;
}
