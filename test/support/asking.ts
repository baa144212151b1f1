/** A node that answers another node's rpc calls, as operators make them. */
import {
  atom,
  format,
  type Pid,
  parse,
  type Term,
  type TermInput,
  tuple,
} from "../../etf/index.ts";
import { Cluster } from "./cluster.ts";

export async function setUp() {
  const cluster = new Cluster();
  const [gandalf, bilbo] = await cluster.pair();
  /** Calls a function on gandalf from bilbo; returns the result as text: the value, or `{failed,Reason,Stack}`. */
  const ask = async (module: string, name: string, ...args: TermInput[]): Promise<string> => {
    const answer = bilbo.rpc.call(gandalf.name, module, name, args).then(
      (value) => format(value, { mode: "~0tp" }),
      (error: { reason: Term; stackTrace: Term }) =>
        format(tuple(atom("failed"), error.reason, error.stackTrace), { mode: "~0tp" }),
    );
    return cluster.settled(answer);
  };
  const info = (pid: Pid, item: string): Promise<string> =>
    ask("erlang", "process_info", pid, parse(item));
  return { cluster, gandalf, bilbo, ask, info };
}
