/** Children for tests of supervisors, and what happened to them, in order. */
import { type Atom, atom, format, isAtom, type Term, type TermInput } from "../../etf/index.ts";
import type { LogEvent } from "../../src/node/events.ts";
import type { Process } from "../../src/node/process/process.ts";
import { GenServer } from "../../src/otp/behaviours/gen-server.ts";
import type { ChildSpec } from "../../src/otp/supervisor/child-spec.ts";
import { Cluster, inbox, type TestNode } from "./cluster.ts";

/** Ends with the reason it is sent; records its end if the supervisor caused it. */
class Worker extends GenServer {
  readonly #tag: string;
  readonly #log: string[];
  constructor(tag: string, log: string[]) {
    super();
    this.#tag = tag;
    this.#log = log;
  }
  override init(): void {
    this.self.trapExit = true;
    this.#log.push(`+${this.#tag}`);
  }
  override handleInfo(message: Term) {
    return { stop: message };
  }
  override terminate(reason: Term): void {
    if (isAtom(reason, "shutdown")) this.#log.push(`-${this.#tag}`);
  }
}

export interface Supervised {
  readonly cluster: Cluster;
  readonly node: TestNode;
  /** Starts (`+a`), ends caused by the supervisor (`-a`), and reports. */
  readonly log: string[];
  readonly parent: ReturnType<typeof inbox>;
  /** A child registered under its id; `more` overrides the defaults. */
  child(id: string, more?: Partial<ChildSpec>): ChildSpec;
  /** Ends the worker registered under that name with a reason. */
  end(id: string, reason: string | Term): Promise<void>;
  /** What was logged since the last call, in one line. */
  taken(): string;
  pid(id: string): Term | undefined;
}

export async function supervised(): Promise<Supervised> {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  const log: string[] = [];
  node.on("log", (event) => {
    const report = reported(event);
    if (report !== undefined) log.push(report);
  });
  return {
    cluster,
    node,
    log,
    parent: inbox(node, { trapExit: true }),
    child: (id, more = {}) => ({
      id,
      start: (supervisor: Process) => new Worker(id, log).startLink(node, supervisor, { name: id }),
      ...more,
    }),
    async end(id, reason) {
      void node.send(id, typeof reason === "string" ? atom(reason) : reason);
      await cluster.settle();
    },
    taken: () => log.splice(0).join(" "),
    pid: (id) => node.whereis(id)?.pid,
  };
}

/** The context and reason of a supervisor's error; starts are recorded elsewhere. */
function reported({ report }: LogEvent): string | undefined {
  const label = report.get(atom("label")) as readonly Term[];
  if (label[0] !== atom("supervisor") || label[1] === atom("progress")) return undefined;
  const rows = (report.get(atom("report")) ?? []) as [Atom, Term][];
  const reason = rows.find(([key]) => key === atom("reason"))?.[1];
  return `${label[1]}${reason === undefined ? "" : `:${shown(reason)}`}`;
}

export function shown(term: TermInput): string {
  return format(term, { mode: "~0tp" });
}
