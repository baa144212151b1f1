/** Elixir's `DynamicSupervisor` gets the same answers from a supervisor of erldist as from its own. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DynamicSupervisor } from "../src/index.ts";
import { type ElixirNode, startElixirNode } from "./support/elixir.ts";
import { startOurNode } from "./support/our-node.ts";
import { serveSupervised } from "./support/supervised.ts";
import "./support/vitest.ts";

const start = (tag: string, how: string, more = ""): string =>
  `DynamicSupervisor.start_child(s, %{id: :x, start: {:erldist_supervised, :worker, [:${tag}, ${how}]}${more}})`;
const pid = (tag: string): string => `:rpc.call(n, :erldist_supervised, :pid, [:${tag}])`;

/** With `n`, the node, and `s`, its supervisor, which takes two children; in order. */
const EXPRESSIONS = [
  "DynamicSupervisor.count_children(s)",
  "DynamicSupervisor.which_children(s)",
  start("a", ":traps"),
  start("b", "{:info, :more}", ", restart: :temporary, type: :supervisor"),
  start("c", ":plain"),
  "DynamicSupervisor.which_children(s) |> Enum.sort_by(&elem(&1, 2))",
  "DynamicSupervisor.count_children(s) |> Enum.sort()",
  `DynamicSupervisor.terminate_child(s, ${pid("a")})`,
  "DynamicSupervisor.terminate_child(s, self())",
  start("a", ":ignore"),
  start("a", "{:value, {:error, :oops}}"),
  start("a", "{:value, :nonsense}"),
  start("a", "{:raise, :exit, :oops}"),
  "then(DynamicSupervisor.start_child(s, %{id: :x, start: {:nowhere, :f, [1]}}), fn {:error, {why, _}} -> why end)",
  "DynamicSupervisor.start_child(s, %{id: :x})",
  "DynamicSupervisor.start_child(s, %{id: :x, start: {:m, :f, []}, restart: :often})",
  start("a", ":plain", ", restart: :transient"),
  // Its end and its restart are seen by the supervisor before it is asked again.
  `then(${pid("a")}, fn pid ->
     Process.exit(pid, :kill)
     Stream.repeatedly(fn -> ${pid("a")} end) |> Enum.find(&(is_pid(&1) and &1 != pid))
   end)`,
  "DynamicSupervisor.count_children(s) |> Enum.sort()",
  `[DynamicSupervisor.stop(s), ${pid("dyn")}, ${pid("a")}]`,
];

describe("DynamicSupervisor", () => {
  let elixir: ElixirNode;
  let ours: Awaited<ReturnType<typeof startOurNode>>;
  beforeAll(async () => {
    [elixir, ours] = await Promise.all([startElixirNode(), startOurNode()]);
    serveSupervised(ours);
    await new DynamicSupervisor({ maxChildren: 2, intensity: 3 }).start(ours, { name: "dyn" });
    await elixir.node.loadModule("erldist_supervised");
    await elixir.node.eval("erldist_supervised:start()");
    await elixir.elixir(
      "DynamicSupervisor.start_link(strategy: :one_for_one, name: :dyn, max_children: 2)",
    );
  });
  afterAll(async () => {
    await ours?.stop();
    await elixir?.node.kill();
  });

  it("answers as theirs, step by step", async () => {
    const answers: string[][] = [];
    for (const node of [elixir.node.name, ours.name]) {
      await elixir.elixir(`n = :"${node}"; s = {:dyn, n}`);
      const seen: string[] = [];
      for (const expression of EXPRESSIONS) {
        const shown = await elixir.elixir(expression);
        seen.push(
          `${expression}: ${shown.replaceAll(/#PID<[^>]*>/g, "pid").replaceAll(node, "n")}`,
        );
      }
      answers.push(seen);
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[0]).toHaveLength(EXPRESSIONS.length);
  });
});
