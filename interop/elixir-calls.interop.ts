/** Elixir's `GenServer` and `Task` see the same of an erldist server as of one of OTP; and the example for iex runs. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OtpNode, startOtpNode } from "./index.ts";
import { type ElixirNode, startElixirNode } from "./support/elixir.ts";
import { startOurNode } from "./support/our-node.ts";
import { serveServer } from "./support/server.ts";
import "./support/vitest.ts";

/** With `n`, the node called, `s`, its server by name, and `p`, its pid. */
const EXPRESSIONS = [
  "GenServer.call(s, :get)",
  "GenServer.call(p, {:add, 2})",
  "[GenServer.cast(s, {:x, 1}), GenServer.cast(p, :y), GenServer.call(s, :seen)]",
  "GenServer.call(s, :never, 50)",
  "GenServer.call({:nobody, n}, :get)",
  "GenServer.call(s, {:stop, :normal})",
  "GenServer.call(s, {:stop, :oops})",
  "GenServer.call(s, {:fail, :exit, :oops})",
  "GenServer.call(s, :drop)",
  "GenServer.call(s, {:later, 20, %{\"a\" => 'list', b: 1.5}})",
  "GenServer.multi_call([n, :nobody@nowhere], :erldist_server, :get, 2000)",
  "[GenServer.abcast([n], :erldist_server, :hello), GenServer.call(s, :seen)]",
  "[GenServer.stop(s), Process.sleep(10), GenServer.whereis(s)]",
  "GenServer.stop(p, :shutdown)",
  "GenServer.stop({:nobody, n})",
  "[send(s, :hello), GenServer.call(s, :seen)]",
  "[:sys.get_state(s), :sys.suspend(s), :sys.resume(s)]",
  "Task.async(fn -> GenServer.call(s, {:later, 20, :x}) end) |> Task.await()",
  "1..5 |> Enum.map(fn i -> Task.async(fn -> GenServer.call(s, {:later, 30, i}) end) end) |> Task.await_many()",
  "then(Task.async(fn -> GenServer.call(s, :never) end), fn t -> {Task.yield(t, 50), Task.shutdown(t)} end)",
  "1..4 |> Task.async_stream(fn _ -> GenServer.call(s, {:add, 1}) end) |> Enum.map(&elem(&1, 0))",
  // Another process as a task: its reply has the monitor as its tag, and its end is the task's end.
  `ref = Process.monitor(p)
   send(p, {:"$gen_call", {self(), ref}, {:later, 20, :x}})
   Task.await(struct(Task, owner: self(), pid: p, ref: ref, mfa: {:m, :f, 0}))`,
  `ref = Process.monitor(p)
   send(p, {:"$gen_call", {self(), ref}, {:stop, :oops}})
   Task.await(struct(Task, owner: self(), pid: p, ref: ref, mfa: {:m, :f, 0}))`,
];

describe("GenServer and Task", () => {
  let elixir: ElixirNode;
  let erlang: OtpNode;
  let erldist: Awaited<ReturnType<typeof startOurNode>>;
  beforeAll(async () => {
    elixir = await startElixirNode();
    erlang = await startOtpNode({ otp: elixir.node.otp });
    erldist = await startOurNode();
    serveServer(erldist);
    await erlang.loadModule("erldist_server");
    await erlang.eval("erldist_server:setup()");
  });
  afterAll(async () => {
    await erldist.stop();
    await erlang.kill();
    await elixir.node.kill();
  });

  it.each(EXPRESSIONS)("%s", async (expression) => {
    const seen = async (node: string): Promise<string> => {
      const shown = await elixir.elixir(`
      n = :"${node}"
      s = {:erldist_server, n}
      p = :rpc.call(n, :erldist_server, :start, [])
      try do
        ${expression}
      catch
        :exit, reason -> Exception.format_exit(reason)
      end`);
      return shown.replaceAll(node, "NODE").replace(/#(PID|Reference)<[\d.]+>/g, "#$1");
    };
    const expected = await seen(erlang.name);
    expect(expected).not.toMatch(/undef|syntax/i);
    expect(await seen(erldist.name)).toBe(expected);
  });
});
