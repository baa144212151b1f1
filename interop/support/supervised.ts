/** The supervisors and children of `erldist_supervised.erl` on an erldist node. */

import {
  type Atom,
  atom,
  type ChildSpec,
  DynamicSupervisor,
  ErlangError,
  isAtom,
  isTuple,
  type Node,
  type Process,
  StartError,
  Supervisor,
  type SupervisorFlags,
  type Term,
  type TermMap,
  type Tuple,
  tuple,
} from "../../src/index.ts";

const MODULE = "erldist_supervised";
const OK = atom("ok");
const EXIT = atom("EXIT");

/** Exposes the module, and listens to the node's log. */
export function serveSupervised(node: Node): void {
  let log: Term[] = [];
  let pids: [Term, Atom, number][] = [];
  const fails = new Map<Term, number>();
  let stop = (): void => {};
  let hasEnded = false;

  node.on("log", ({ level, report }) => {
    const label = report.get(atom("label"));
    if (isTuple(label, 2) && label[0] === atom("supervisor")) {
      log.push(tuple(atom(level), report));
    }
  });
  const started = (tag: Atom, process: Process): void => {
    const nth = 1 + pids.filter(([, known]) => known === tag).length;
    pids.push([process.pid, tag, nth]);
    log.push(tuple(atom("started"), tag));
  };

  /** Serves as what the script wants; see serve/2 there. */
  const serve = (tag: Atom, how: Term) => async (self: Process) => {
    self.register(tag);
    self.trapExit = !isAtom(how, "plain");
    started(tag, self);
    for await (const message of self) {
      const [what, , last] = message as readonly Term[];
      const reason = last ?? ((message as readonly Term[])[1] as Term);
      if (what !== EXIT) throw ErlangError.exit(reason);
      if (isTuple(how, 2)) throw ErlangError.exit(how[1] as Term);
      log.push(
        tuple(...(isAtom(how, "traps") ? [atom("ended"), tag, reason] : [atom("refused"), tag])),
      );
      if (isAtom(how, "traps")) throw ErlangError.exit(reason);
    }
  };

  node.expose(MODULE, {
    async worker(this: { self: Process }, tag: Atom, how: Term) {
      if (isAtom(how, "ignore")) return how;
      if (isAtom(how, "flaky")) {
        const left = fails.get(tag) ?? 0;
        fails.set(tag, Math.max(0, left - 1));
        if (left > 0) return tuple(atom("error"), atom("flaky"));
        return node.spawn(serve(tag, atom("plain")));
      }
      if (!isTuple(how) || isAtom(how[0] as Term, "ends_with")) return node.spawn(serve(tag, how));
      const [what, first, second] = how as Tuple<[Atom, Term, Term]>;
      if (what === atom("value")) return first;
      if (what === atom("raise")) {
        throw new ErlangError((first as Atom).name as ErlangError["class"], second);
      }
      if (what === atom("nested")) {
        const nested = supervisorOf(first as TermMap, second as Term[]);
        await nested.startLink(node, this.self, { module: MODULE });
        started(tag, nested.self);
        return nested;
      }
      const worker = node.spawn(serve(tag, atom("plain")));
      this.self.link(worker.pid);
      return tuple(OK, worker.pid, first);
    },
    async start_sup(name: Atom, flags: TermMap, specs: Term[]) {
      const supervisor = supervisorOf(flags, specs);
      pids = [];
      fails.clear();
      hasEnded = false;
      const owner = node.spawn({
        message(message) {
          const [, , reason] = message as readonly Term[];
          log.push(tuple(atom("sup_ended"), reason as Term));
          hasEnded = true;
        },
      });
      owner.trapExit = true;
      try {
        const process = await supervisor.startLink(node, owner, { name, module: MODULE });
        pids.push([process.pid, atom("sup"), 0]);
        stop = () => owner.sendExit(process.pid, atom("shutdown"));
        return OK;
      } catch (error) {
        if (error instanceof StartError) return error.returned;
        throw error;
      }
    },
    stop_sup: () => stop(),
    ended: () => hasEnded,
    fail(tag: Term, times: number) {
      fails.set(tag, times);
    },
    pid: (tag: Atom) => node.whereis(tag)?.pid ?? atom("undefined"),
    take() {
      const taken = log;
      log = [];
      return tuple(
        taken,
        pids.map(([pid, tag, nth]) => tuple(pid, tuple(tag, nth))),
      );
    },
  });
}

function supervisorOf(flags: TermMap, specs: Term[]): Supervisor | DynamicSupervisor {
  const plain: Record<string, unknown> = {};
  for (const [key, value] of flags as unknown as Iterable<[Atom, Term]>) {
    plain[key.name === "auto_shutdown" ? "autoShutdown" : key.name] = word(value);
  }
  const children = specs.map(specOf);
  const { strategy, ...limits } = plain as SupervisorFlags;
  if ((strategy as string) !== "simple_one_for_one") {
    return new Supervisor(children, plain as SupervisorFlags);
  }
  return new DynamicSupervisor({ ...limits, child: children[0]! });
}

function specOf(term: Term): ChildSpec {
  const spec: Record<string, unknown> = {};
  for (const [{ name }, value] of term as unknown as Iterable<[Atom, Term]>) {
    spec[name] = name === "id" || name === "start" ? value : word(value);
  }
  return spec as unknown as ChildSpec;
}

const word = (term: Term): unknown => (isAtom(term) ? term.name : term);
