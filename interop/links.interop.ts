/**
 * Links and monitors under strain, between an erldist node and an Erlang node: both halves of many pairs of
 * processes link, unlink and end at the same time; in the end both sides agree.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  atom,
  type Behaviour,
  format,
  type Node,
  type Pid,
  type Process,
  type Term,
  tuple,
} from "../src/index.ts";
import { type OtpNode, type OtpSession, startOtpNode, waitUntil } from "./index.ts";
import { startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

const PAIRS = 40;
const STEPS = 120;

/**
 * The Erlang halves: each of PAIRS processes takes STEPS steps at random with its erldist half, ends on the way
 * if its pair is one whose Erlang half does, and then answers whether it is linked.
 */
const GENUINE_HALVES = `
  Half = fun(I, P) -> fun() ->
    process_flag(trap_exit, true),
    rand:seed(exsss, {I, 7, 7}),
    P ! {partner, self()},
    Step = fun Step(0) -> ok;
      Step(N) ->
        case rand:uniform(8) of
          1 -> erlang:yield();
          2 -> receive nothing -> ok after rand:uniform(2) - 1 -> ok end;
          X when X < 6 -> link(P);
          _ -> unlink(P)
        end,
        case I rem 4 of
          2 when N =:= 40 -> exit({ended, I});
          3 when N =:= 60 -> exit({ended, I});
          _ -> Step(N - 1)
        end
      end,
    Step(${STEPS}),
    P ! stepped,
    (fun Wait() ->
      receive
        {From, {linked, Ref}} ->
          {links, Links} = process_info(self(), links),
          From ! {linked, Ref, lists:member(P, Links)}, Wait();
        {end_with, Reason} -> exit(Reason);
        {'EXIT', _, _} -> Wait()
      end
    end)()
  end end,
  [spawn(Half(I, P)) || {I, P} <- Ours]`;

/** The erldist half of a pair: the same from this side. */
class OurHalf implements Behaviour {
  partner: Pid | undefined;
  /** The Erlang half has taken all its steps. */
  stepped = false;
  readonly exits: string[] = [];
  /** By reference: what the Erlang half answered, or a DOWN. */
  readonly answers = new Map<string, Term>();
  message(message: Term): void {
    if (message === atom("stepped")) {
      this.stepped = true;
      return;
    }
    const [what, first, second] = message as unknown as [Term, Term, Term];
    if (what === atom("partner")) this.partner = first as Pid;
    else if (what === atom("EXIT")) this.exits.push(format(second));
    else this.answers.set(format(first), second);
  }
}

/** A small generator, so that a failure can be had again. */
function dice(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const linked = (process: Process, other: Pid): boolean => {
  const link = process.links?.get(other);
  return link !== undefined && link.unlinkId === undefined;
};

eachOtp((otp) => {
  describe("links", () => {
    let erl: OtpNode;
    let ours: Node;
    let session: OtpSession;
    let downs: string[];
    beforeAll(async () => {
      erl = await startOtpNode({ otp });
      ours = await startOurNode();
      downs = [];
      ours.on("nodedown", ({ name, error }) => downs.push(`${name} ${error.message}`));
      session = erl.session();
      await session.eval("register(tester, self())");
    });
    afterAll(async () => {
      await ours.stop();
      await erl.kill();
    });

    it("made, removed and broken at random from both sides are the same on both in the end", async () => {
      const halves = Array.from({ length: PAIRS }, (_, index) => {
        const seen = new OurHalf();
        const process = ours.spawn(seen);
        process.trapExit = true;
        return { index, seen, process, next: dice(index) };
      });
      const pids = halves.map(({ index, process }) => tuple(index, process.pid)) as Term[];
      await ours.send(["tester", erl.name], tuple(atom("ours"), pids));
      await session.eval(`receive {ours, Ours} -> ok end, ${GENUINE_HALVES}`);
      await waitUntil(() => halves.every(({ seen }) => seen.partner !== undefined), {
        description: "the Erlang halves",
      });
      for (let step = 0; step < STEPS; step++) {
        for (const { index, seen, process, next } of halves) {
          if (!process.alive) continue;
          const what = next(6);
          if (what < 3) process.link(seen.partner!);
          else if (what < 5) process.unlink(seen.partner!);
          // Those of each fourth pair end here, of the next there, of the next on both sides.
          if ((index % 4 === 1 && step === 70) || (index % 4 === 3 && step === 30)) {
            process.terminate(tuple(atom("ended"), index));
          }
        }
        if (step % 3 === 0) await turn();
      }

      const lasting = halves.filter(({ index }) => index % 4 === 0);
      await waitUntil(() => lasting.every(({ seen }) => seen.stepped), {
        description: "the Erlang halves to take their steps",
      });
      /** What the Erlang half answers behind all signals between the two. */
      const askLinked = async ({ process, seen }: (typeof halves)[number]): Promise<boolean> => {
        const ref = ours.newReference();
        await process.send(seen.partner!, tuple(process.pid, tuple(atom("linked"), ref)));
        await waitUntil(() => seen.answers.has(format(ref)), { description: "an answer" });
        return seen.answers.get(format(ref)) as boolean;
      };
      const inForce: boolean[] = [];
      for (const half of lasting) {
        const there = await askLinked(half);
        const here = linked(half.process, half.seen.partner!);
        expect({ index: half.index, here }).toEqual({ index: half.index, here: there });
        expect(half.process.links?.size ?? 0).toBe(here ? 1 : 0);
        expect(half.seen.exits).toEqual([]);
        inForce.push(here);
      }
      expect(new Set(inForce)).toEqual(new Set([true, false]));

      // A half that ended leaves no link on the other side, which got its reason, noproc or nothing.
      for (const { index, process, seen } of halves.filter(({ index }) => index % 4 === 2)) {
        await waitUntil(() => (process.links?.size ?? 0) === 0, {
          description: `the link of pair ${index} to go`,
        });
        expect(seen.exits.filter((reason) => reason === `{ended,${index}}`).length).toBeLessThan(2);
        expect(seen.exits.filter((r) => r !== "noproc" && r !== `{ended,${index}}`)).toEqual([]);
      }
      const dead = halves.filter(({ process }) => !process.alive);
      const deadPids = dead.map(({ process }) => process.pid) as Term[];
      await ours.send(["tester", erl.name], tuple(atom("dead"), deadPids));
      await waitUntil(
        async () =>
          (await session.eval(`Dead = case get(dead) of
            undefined -> receive {dead, D} -> put(dead, D), D end; D -> D end,
            [X || X <- processes(), {links, L} <- [process_info(X, links)],
              lists:any(fun(Y) -> lists:member(Y, Dead) end, L)]`)) === "[]",
        { description: "no links to the dead" },
      );

      // An end is reported once where the link is in force, and nowhere else.
      for (const [at, { process, seen, index }] of lasting.entries()) {
        await process.send(seen.partner!, tuple(atom("end_with"), tuple(atom("bye"), index)));
        const ref = process.monitor(seen.partner!);
        await waitUntil(() => seen.answers.has(format(ref)), { description: "its DOWN" });
        expect(seen.exits).toEqual(inForce[at] ? [`{bye,${index}}`] : []);
      }
      expect(downs).toEqual([]);
    });

    it("monitors by pid and by name, removed while the end is under way, report once or never", async () => {
      const rounds = 150;
      const seen: string[] = [];
      const watcher = ours.spawn({
        message: (message) => {
          const [what, ref] = message as unknown as [Term, Term];
          if (what === atom("DOWN")) seen.push(format(ref));
        },
      });
      const flushed = async (): Promise<void> => {
        const ref = watcher.monitor(["nobody_at_all", erl.name]);
        await waitUntil(() => seen.includes(format(ref)), {
          description: "a DOWN behind all others",
        });
      };
      const keptRefs: string[] = [];
      const takenRefs: string[] = [];
      const next = dice(11);
      for (let round = 0; round < rounds; round++) {
        const name = `target_${round}`;
        const pid = (await ours.rpc.call(erl.name, "erlang", "spawn", [
          atom("timer"),
          atom("sleep"),
          [60_000],
        ])) as Pid;
        await ours.rpc.call(erl.name, "erlang", "register", [atom(name), pid]);
        const refs = [watcher.monitor(pid), watcher.monitor([name, erl.name])];
        const early = next(2) === 0;
        if (early) for (let wait = next(3); wait > 0; wait--) await turn();
        watcher.sendExit(pid, atom("kill"));
        if (!early) for (let wait = next(3); wait > 0; wait--) await turn();
        for (const ref of refs) {
          if (next(2) === 0) keptRefs.push(format(ref));
          else if (watcher.demonitor(ref)) takenRefs.push(format(ref));
          else keptRefs.push(format(ref));
        }
      }
      await flushed();
      await waitUntil(() => keptRefs.every((ref) => seen.includes(ref)), {
        description: "every DOWN that was not taken back",
      });
      for (const ref of keptRefs) expect(seen.filter((each) => each === ref)).toHaveLength(1);
      expect(seen.filter((ref) => takenRefs.includes(ref))).toEqual([]);
      expect(takenRefs.length).toBeGreaterThan(10);
      expect(downs).toEqual([]);
    });

    it("each link and monitor in force reports the end of the connection once, whatever is removed meanwhile", async () => {
      const count = 40;
      const next = dice(5);
      // Erlang processes that trap exits, link to an erldist process and monitor it by pid and by name.
      await session.eval(`Watch = fun(I, P) -> spawn(fun() -> process_flag(trap_exit, true), link(P),
          M1 = monitor(process, P), M2 = monitor(process, {list_to_atom("ours_" ++ integer_to_list(I)), node(P)}),
          P ! {partner, self()},
          (fun Loop(Heard) -> receive
            {'EXIT', P, R} -> Loop([{exit, R} | Heard]);
            {'DOWN', M1, process, _, R} -> Loop([{pid, R} | Heard]);
            {'DOWN', M2, process, _, R} -> Loop([{name, R} | Heard]);
            {heard, From} -> From ! {heard, I, lists:sort(Heard)}, Loop(Heard) end end)([]) end) end`);
      const halves = Array.from({ length: count }, (_, index) => {
        const seen: string[] = [];
        const partner: { pid?: Pid } = {};
        const process = ours.spawn({
          message: (message) => {
            const [what, first, second, , reason] = message as unknown as Term[];
            if (what === atom("partner")) partner.pid = first as Pid;
            else if (what === atom("EXIT")) seen.push(`exit ${format(second!)}`);
            else seen.push(`${format(first!)} ${format(reason!)}`);
          },
        });
        process.trapExit = true;
        process.register(`ours_${index}`);
        return { index, seen, partner, process };
      });
      const pids = halves.map(({ index, process }) => tuple(index, process.pid)) as Term[];
      await ours.send(["tester", erl.name], tuple(atom("watch"), pids));
      await session.eval(
        "receive {watch, Us} -> ok end, Watchers = [Watch(I, P) || {I, P} <- Us], ok",
      );
      await waitUntil(() => halves.every(({ partner }) => partner.pid !== undefined), {
        description: "the Erlang watchers",
      });
      const expected = halves.map(({ process, partner }) => {
        const refs = [process.monitor(partner.pid!), process.monitor(["init", erl.name])];
        process.link(partner.pid!);
        const kept = refs.filter((ref) => next(3) > 0 || !process.demonitor(ref));
        const unlinks = next(2) === 0;
        if (unlinks) process.unlink(partner.pid!);
        const heard = kept.map((ref) => `${format(ref)} noconnection`);
        if (!unlinks) heard.push("exit noconnection");
        return heard.sort();
      });
      ours.disconnect(erl.name);
      expect(halves.map(({ seen }) => [...seen].sort())).toEqual(expected);
      for (const { process } of halves) {
        expect([process.links?.size, process.monitors?.size, process.monitoredBy?.size]).toEqual([
          0, 0, 0,
        ]);
      }

      // The Erlang side is notified once too: of its monitors, and of links that were not removed.
      const links = expected.map((heard) => heard.includes("exit noconnection"));
      const text = `[W ! {heard, self()} || W <- Watchers],
        [receive {heard, I, H} -> H end || I <- lists:seq(0, ${count - 1})]`;
      const wanted = links.map((link) =>
        link
          ? "[{exit,noconnection},{name,noconnection},{pid,noconnection}]"
          : "[{name,noconnection},{pid,noconnection}]",
      );
      await waitUntil(async () => (await session.eval(text)) === `[${wanted.join(",")}]`, {
        description: "every Erlang watcher to be notified once",
      });
      expect(await ours.ping(erl.name)).toBe("pong");
      expect(halves.map(({ seen }) => seen.length)).toEqual(expected.map((heard) => heard.length));
    });
  });
});
