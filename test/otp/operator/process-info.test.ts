/** Information about a process for another node; interop tests compare its form with OTP's. */
import { describe, expect, test } from "vitest";
import { atom, format, Pid, parse, type Term } from "../../../etf/index.ts";
import { GenServer } from "../../../src/otp/behaviours/gen-server.ts";
import { setUp } from "../../support/asking.ts";
import { inbox } from "../../support/cluster.ts";

class Idle extends GenServer<number> {
  override init(): void {
    this.state = 0;
  }
}

describe("process_info", () => {
  test("of a server: its start, its links and monitors, its name", async () => {
    const { gandalf, ask, info, cluster } = await setUp();
    const parent = inbox(gandalf).process;
    const server = await cluster.settled(
      new Idle().startLink(gandalf, parent, { name: "idle", module: "idling" }),
    );
    const watcher = inbox(gandalf).process;
    server.monitor(parent.pid);
    server.monitor(["rex", "gandalf@vm"]);
    watcher.monitor(server.pid);
    server.label = atom("lazy");
    server.trapExit = true;
    const shown = (pid: Pid): string => format(pid);
    expect(await info(server.pid, "registered_name")).toBe("{registered_name,idle}");
    expect(await info(server.pid, "links")).toBe(`{links,[${shown(parent.pid)}]}`);
    expect(await info(server.pid, "monitors")).toBe(
      `{monitors,[{process,${shown(parent.pid)}},{process,{rex,gandalf@vm}}]}`,
    );
    expect(await info(server.pid, "monitored_by")).toBe(`{monitored_by,[${shown(watcher.pid)}]}`);
    expect(await info(server.pid, "parent")).toBe(`{parent,${shown(parent.pid)}}`);
    expect(await info(server.pid, "label")).toBe("{label,lazy}");
    expect(await info(server.pid, "trap_exit")).toBe("{trap_exit,true}");
    expect(await info(server.pid, "status")).toBe("{status,waiting}");
    expect(await info(server.pid, "initial_call")).toBe("{initial_call,{proc_lib,init_p,5}}");
    expect(await info(server.pid, "current_function")).toBe(
      "{current_function,{gen_server,loop,5}}",
    );
    const entries = `{'$process_label',lazy},{'$initial_call',{idling,init,1}},{'$ancestors',[${shown(parent.pid)}]}`;
    expect(await info(server.pid, "dictionary")).toBe(`{dictionary,[${entries}]}`);
    expect(await info(server.pid, "{dictionary,'$process_label'}")).toBe(
      "{{dictionary,'$process_label'},lazy}",
    );
    expect(await ask("erlang", "process_info", server.pid)).toMatch(
      /^\[\{registered_name,idle\},\{current_function,\{gen_server,loop,5\}\},.*\{suspending,\[\]\}\]$/,
    );
  });

  test("of messages: those that wait, their size, and how many arrived", async () => {
    const { gandalf, bilbo, info, cluster } = await setUp();
    const waiting = gandalf.spawn((self) => self.receive(() => false));
    await bilbo.send(waiting.pid, parse("{hello,1}"));
    await cluster.settle();
    await gandalf.send(waiting.pid, parse("local"));
    await cluster.settle();
    expect(await info(waiting.pid, "[message_queue_len,messages,reductions]")).toBe(
      "[{message_queue_len,2},{messages,[{hello,1},local]},{reductions,2}]",
    );
    const [, bytes] = parse(await info(waiting.pid, "memory")) as readonly Term[];
    expect(bytes).toBeGreaterThan(4);
    await cluster.settled(waiting.receive((message) => message !== atom("local")));
    expect(await info(waiting.pid, "messages")).toBe("{messages,[local]}");
    const [, rest] = parse(await info(waiting.pid, "memory")) as readonly Term[];
    expect(rest).toBeLessThan(bytes as number);
  });

  test("of the asking process: it is running", async () => {
    const { ask, gandalf } = await setUp();
    gandalf.expose("m", {
      me(this: { self: { pid: Pid } }) {
        return gandalf.runtime.functions.apply(
          this as never,
          atom("erlang"),
          atom("process_info"),
          [this.self.pid, atom("status")],
        );
      },
    });
    expect(await ask("m", "me")).toBe("{status,running}");
  });

  test("a link that is being removed is not listed", async () => {
    const { gandalf, bilbo, cluster } = await setUp();
    const [ours, theirs] = [inbox(gandalf).process, inbox(bilbo).process];
    ours.link(theirs.pid);
    await cluster.settle();
    const linksNow = (): Term =>
      gandalf.runtime.functions.apply(
        { self: ours, caller: undefined },
        atom("erlang"),
        atom("process_info"),
        [ours.pid, atom("links")],
      ) as Term;
    expect(format(linksNow())).toBe(`{links,[${format(theirs.pid)}]}`);
    ours.unlink(theirs.pid);
    expect(format(linksNow())).toBe("{links,[]}");
  });

  test.each(["bogus", "1", "[status,bogus]", "{bogus,1}", "{dictionary,1,2}", "[status|bogus]"])(
    "%s is not an item",
    async (item) => {
      const { gandalf, info } = await setUp();
      const { pid } = gandalf.whereis("rex")!;
      expect(await info(pid, item)).toMatch(/^\{failed,badarg,\[\{erlang,process_info,\[/);
    },
  );

  test("is undefined for a process that has ended, badarg for one of another node", async () => {
    const { gandalf, bilbo, ask, info } = await setUp();
    const dead = gandalf.spawn(() => {});
    expect(await info(dead.pid, "status")).toBe("undefined");
    expect(await ask("erlang", "process_info", dead.pid)).toBe("undefined");
    const earlier = new Pid(gandalf.name, dead.pid.id, dead.pid.serial, gandalf.creation + 1);
    expect(await info(earlier, "status")).toBe("undefined");
    const { pid } = bilbo.whereis("rex")!;
    expect(await info(pid, "status")).toMatch(/^\{failed,badarg,/);
  });
});
