/**
 * Supervisors side by side: an Erlang node runs one script on a supervisor of another Erlang node and on one
 * of an erldist node, by module `supervisor`. Answers, what is started and ended in which order,
 * and what supervisors report must be equal.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { atom, format, isList, isTuple, parse, type Term, TermMap, tuple } from "../src/index.ts";
import { type OtpNode, startOtpNode } from "./index.ts";
import { startOurNode } from "./support/our-node.ts";
import { serveSupervised } from "./support/supervised.ts";
import { eachOtp } from "./support/vitest.ts";

/** A child specification with what differs from the defaults. */
const child = (id: string, how = "traps", more = ""): string =>
  `#{id => ${id}, start => {erldist_supervised, worker, [${id}, ${how}]}${more && `, ${more}`}}`;
const start = (flags: string, ...specs: string[]): string =>
  `{start, #{${flags}}, [${specs.join(", ")}]}`;
const temporary = "restart => temporary";
const transient = "restart => transient";
const MANY = "intensity => 100, period => 100";

const THREE = [child("a"), child("b"), child("c")];

const SCRIPTS: Record<string, string[]> = {
  "children are started in order and ended in the reverse one": [
    start("", ...THREE),
    "which",
    "count",
    "stop",
    "which",
  ],
  one_for_one: [
    start(MANY, ...THREE, child("t", "plain", transient), child("u", "plain", temporary)),
    "{kill, b, kill}",
    "{stop, b, normal}",
    "{stop, a, oops}",
    "which",
    "{stop, t, oops}",
    "{stop, t, {shutdown, done}}",
    "{restart, t}",
    "{stop, t, normal}",
    "{stop, u, oops}",
    "which",
    "count",
    "stop",
  ],
  one_for_all: [
    start(
      `strategy => one_for_all, ${MANY}`,
      ...THREE,
      child("t", "traps", temporary),
      child("u", "traps", transient),
    ),
    "{kill, b, kill}",
    "which",
    "{stop, u, normal}",
    "{stop, a, shutdown}",
    "which",
    "stop",
  ],
  rest_for_one: [
    start(
      `strategy => rest_for_one, ${MANY}`,
      ...THREE,
      child("t", "traps", temporary),
      child("d"),
    ),
    "{kill, b, kill}",
    "which",
    "{terminate, c}",
    "{stop, a, oops}",
    "which",
    "{kill, d, kill}",
    "stop",
  ],
  "more restarts than allowed": [
    start("intensity => 2, period => 100", ...THREE),
    "{kill, a, kill}",
    "{kill, b, kill}",
    "{kill, b, kill}",
    "which",
  ],
  "no restart is allowed, and a transient child": [
    start("intensity => 0", child("a"), child("b", "traps", transient)),
    "{stop, b, normal}",
    "{stop, a, normal}",
  ],
  "a restart that fails is tried again, one_for_one": [
    start(MANY, child("a"), child("b", "flaky"), child("c")),
    "{fail, b, 3}",
    "{kill, b, kill}",
    "which",
    "{fail, b, 1000}",
    "{kill, b, kill}",
  ],
  "a restart that fails is tried again, one_for_all": [
    start(`strategy => one_for_all, ${MANY}`, child("a"), child("b", "flaky"), child("c")),
    "{fail, b, 2}",
    "{kill, b, kill}",
    "which",
    "{fail, b, 2}",
    "{kill, a, kill}",
    "which",
    "{fail, b, 1000}",
    "{kill, c, kill}",
  ],
  "a restart that fails is tried again, rest_for_one": [
    start(`strategy => rest_for_one, ${MANY}`, child("a"), child("b", "flaky"), child("c")),
    "{fail, b, 2}",
    "{kill, a, kill}",
    "which",
    "{fail, b, 2}",
    "{kill, c, kill}",
    "{kill, b, kill}",
    "which",
    "stop",
  ],
  "operations on children": [
    start(MANY, child("a"), child("t", "plain", transient)),
    `{start_child, ${child("b")}}`,
    `{start_child, ${child("b")}}`,
    "{start_child, {c, {erldist_supervised, worker, [c, plain]}, temporary, 1000, worker, [m]}}",
    "{start_child, " +
      child("d", "{info, {more, 1}}", "modules => dynamic, type => supervisor") +
      "}",
    "which",
    "count",
    "{spec, a}",
    "{spec, b}",
    "{spec, c}",
    "{spec, d}",
    "{spec, nobody}",
    "{terminate, b}",
    "{terminate, b}",
    `{start_child, ${child("b")}}`,
    "count",
    "{restart, a}",
    "{delete, a}",
    "{restart, b}",
    "{terminate, b}",
    "{delete, b}",
    "{delete, b}",
    "{restart, b}",
    "{terminate, nobody}",
    "{terminate, c}",
    "{restart, c}",
    "{stop, t, normal}",
    "{delete, t}",
    "which",
    "count",
    "stop",
  ],
  "what start functions return": [
    start(MANY, child("i", "ignore"), child("j", "ignore", temporary), child("a", "{info, x}")),
    "which",
    "{restart, i}",
    ...[
      "ignore",
      "{value, {error, oops}}",
      "{value, ok}",
      "{value, {ok, notapid}}",
      "{value, [oops]}",
    ].map((how) => `{start_child, ${child("b", how)}}`),
    "{delete, b}",
    ...["error", "exit", "throw"].map(
      (kind) => `{start_child, ${child("b", `{raise, ${kind}, oops}`)}}`,
    ),
    `{start_child, ${child("b", "{raise, throw, ignore}", temporary)}}`,
    `{start_child, ${child("b", "{value, {error, {already_started, me}}}")}}`,
    "{start_child, #{id => b, start => {no_such_module, f, [1]}}}",
    `{start_child, ${child("f", "flaky")}}`,
    "{terminate, f}",
    "{fail, f, 1}",
    "{restart, f}",
    "{restart, f}",
    "stop",
  ],
  shutdown: [
    start(
      MANY,
      child("a", "stubborn", "shutdown => 20"),
      child("b", "traps", "shutdown => brutal_kill"),
      child("c", "{ends_with, oops}"),
      child("d", "{ends_with, normal}"),
      child("e", "{ends_with, normal}", transient),
      child("f", "{ends_with, {shutdown, x}}", "shutdown => infinity"),
    ),
    "{terminate, a}",
    "{terminate, c}",
    "{restart, c}",
    "stop",
  ],
  "supervisors as children": [
    start(
      MANY,
      child("a"),
      child("nested", `{nested, #{}, [${child("x")}, ${child("y")}]}`, "type => supervisor"),
      child("b"),
    ),
    "which",
    "count",
    "{kill, x, kill}",
    "{kill, x, kill}",
    "which",
    "stop",
  ],
  "specifications that are none": [
    start("", child("a")),
    ...[
      "nothing",
      "{a, b}",
      "#{}",
      "#{id => b}",
      "#{id => b, start => f}",
      "#{id => b, start => {m, f, x}}",
      "#{id => b, start => {m, f, []}, restart => often}",
      "#{id => b, start => {m, f, []}, shutdown => -1}",
      "#{id => b, start => {m, f, []}, shutdown => 1.5}",
      "#{id => b, start => {m, f, []}, type => boss}",
      "#{id => b, start => {m, f, []}, modules => x}",
      "#{id => b, start => {m, f, []}, modules => [x, 1]}",
      "{b, {m, f, []}, often, 1, worker, []}",
    ].map((spec) => `{start_child, ${spec}}`),
    "stop",
  ],
  "a supervisor that does not start": [
    start("", child("a"), child("b", "{value, {error, oops}}"), child("c")),
    start("", child("a"), child("a")),
    start("", child("a"), "#{id => b, start => {m, f, []}, restart => often}"),
    start("strategy => none_for_one"),
    start("intensity => -1"),
    start("period => 0"),
    start("", child("a", "traps"), child("b", "{raise, exit, oops}")),
  ],
  "a supervisor asked what none is asked": [start("", child("a")), "{call, nonsense}"],
  simple_one_for_one: [
    start(
      `strategy => simple_one_for_one, ${MANY}`,
      "#{id => w, start => {erldist_supervised, worker, []}}",
    ),
    "which",
    "count",
    "{start_child, [a, traps]}",
    "{start_child, [b, flaky]}",
    "{start_child, [c, {info, x}]}",
    ...["ignore", "{value, {error, oops}}", "{value, ok}", "{raise, exit, oops}"].map(
      (how) => `{start_child, [d, ${how}]}`,
    ),
    "{sorted, which}",
    "count",
    "{kill, a, kill}",
    "{stop, c, normal}",
    "{fail, b, 3}",
    "{kill, b, kill}",
    "{sorted, which}",
    "{terminate, w}",
    "{restart, w}",
    "{delete, w}",
    "{spec, w}",
    "{spec, nobody}",
    "{spec_tag, a}",
    "{terminate_tag, a}",
    "{sorted, which}",
    "{fail, b, 1000}",
    "{kill, b, kill}",
  ],
  "simple_one_for_one: temporary and transient children": [
    start(
      `strategy => simple_one_for_one, ${MANY}`,
      `#{id => w, start => {erldist_supervised, worker, []}, ${temporary}, shutdown => brutal_kill}`,
    ),
    "{start_child, [a, plain]}",
    "{start_child, [b, traps]}",
    "{stop, a, oops}",
    "{sorted, which}",
    "count",
    "stop",
    start(
      `strategy => simple_one_for_one, ${MANY}`,
      `#{id => w, start => {erldist_supervised, worker, []}, ${transient}, type => supervisor}`,
    ),
    "{start_child, [a, plain]}",
    "{start_child, [b, plain]}",
    "{stop, a, {shutdown, 1}}",
    "{stop, b, oops}",
    "{sorted, which}",
    "count",
    "stop",
  ],
  "simple_one_for_one: children that do not end as they should": [
    start(
      `strategy => simple_one_for_one, ${MANY}`,
      "#{id => w, start => {erldist_supervised, worker, []}, shutdown => 20}",
    ),
    ...["a", "b"].map((tag) => `{start_child, [${tag}, {ends_with, oops}]}`),
    "stop",
    start(
      "strategy => simple_one_for_one",
      "#{id => w, start => {erldist_supervised, worker, []}, shutdown => 20}",
    ),
    ...["a", "b"].map((tag) => `{start_child, [${tag}, stubborn]}`),
    "{terminate_tag, a}",
    "stop",
  ],
};

const significant = (restart: string): string => `restart => ${restart}, significant => true`;
/** From OTP 24 on. */
const AUTO_SHUTDOWN: Record<string, string[]> = {
  "auto_shutdown any_significant": [
    start(
      `auto_shutdown => any_significant, ${MANY}`,
      child("a"),
      child("b", "traps", significant("transient")),
      child("c", "traps", significant("temporary")),
    ),
    "{spec, b}",
    "{stop, a, normal}",
    "{stop, b, oops}",
    "{stop, b, normal}",
  ],
  "auto_shutdown any_significant, a temporary child": [
    start(
      "auto_shutdown => any_significant",
      child("a"),
      child("c", "traps", significant("temporary")),
    ),
    "{stop, c, oops}",
  ],
  "auto_shutdown all_significant": [
    start(
      "auto_shutdown => all_significant",
      child("a"),
      child("b", "traps", significant("transient")),
      child("c", "traps", significant("temporary")),
    ),
    "{stop, b, normal}",
    "which",
    "{terminate, c}",
    "{restart, b}",
    "{stop, b, normal}",
  ],
  "significant where it cannot be": [
    start("auto_shutdown => sometimes"),
    start("", child("a", "traps", significant("transient"))),
    start("auto_shutdown => any_significant", child("a", "traps", "significant => true")),
    start("auto_shutdown => any_significant", child("a")),
    `{start_child, ${child("b", "traps", "significant => perhaps")}}`,
    `{start_child, ${child("b", "traps", "significant => true")}}`,
    "stop",
  ],
};

/** From OTP 29 on; before, it was taken. */
const REFUSED: Record<string, string[]> = {
  "auto_shutdown of simple_one_for_one": [
    start(
      "strategy => simple_one_for_one, auto_shutdown => all_significant",
      `#{id => w, start => {erldist_supervised, worker, []}, ${significant("transient")}}`,
    ),
  ],
};

const SIGNIFICANT = atom("significant");

eachOtp((otp) => {
  let asking: OtpNode;
  let genuine: OtpNode;
  let ours: Awaited<ReturnType<typeof startOurNode>>;
  beforeAll(async () => {
    [asking, genuine, ours] = await Promise.all([
      startOtpNode({ otp }),
      startOtpNode({ otp }),
      startOurNode(),
    ]);
    serveSupervised(ours);
    await Promise.all([asking, genuine].map((node) => node.loadModule("erldist_supervised")));
    await genuine.eval("erldist_supervised:start()");
  });
  afterAll(async () => {
    await Promise.all([asking?.kill(), genuine?.kill(), ours?.stop()]);
  });

  const run = async (node: string, script: string[]): Promise<string[]> => {
    const text = await asking.eval(`erldist_supervised:run('${node}', [${script.join(",\n")}])`);
    const steps = parse(text) as Term[];
    return steps.map((step) => format(asOf(Number(otp.release), step), { mode: "~0tp" }));
  };

  const scripts = {
    ...SCRIPTS,
    ...(Number(otp.release) >= 24 ? AUTO_SHUTDOWN : {}),
    ...(Number(otp.release) >= 29 ? REFUSED : {}),
  };
  describe("a script on a supervisor", () => {
    it.each(Object.entries(scripts))("%s", async (_, script) => {
      const expected = await run(genuine.name, script);
      expect(await run(ours.name, script)).toEqual(expected);
      expect(expected).toHaveLength(script.length);
    });
  });

  it("our calls to a supervisor of theirs", async () => {
    await genuine.eval(
      `erldist_supervised:start_sup(sup, #{}, [${child("a")}, ${child("b", "traps", transient)}])`,
    );
    const theirs = ["sup", genuine.name] as const;
    const { supervisor } = ours;
    const shown = (term: unknown): string =>
      format(term as Term, { mode: "~0tp" }).replaceAll(/<[^<>]*>/g, "pid");
    expect((await supervisor.whichChildren(theirs)).map(shown)).toEqual([
      "{b,pid,worker,[erldist_supervised]}",
      "{a,pid,worker,[erldist_supervised]}",
    ]);
    const spec = {
      id: "c",
      start: ["erldist_supervised", "worker", [atom("c"), atom("traps")]],
      restart: "temporary",
      shutdown: "brutal_kill",
    } as const;
    expect(shown(await supervisor.startChild(theirs, spec))).toBe("{ok,pid}");
    expect(shown(await supervisor.startChild(theirs, spec))).toBe("{error,{already_started,pid}}");
    expect(shown(await supervisor.terminateChild(theirs, "a"))).toBe("ok");
    const counts = { specs: 3, active: 2, supervisors: 0, workers: 3 };
    expect(await supervisor.countChildren(theirs)).toEqual(counts);
    expect(shown(await supervisor.restartChild(theirs, "b"))).toBe("{error,running}");
    expect(shown(await supervisor.restartChild(theirs, "a"))).toBe("{ok,pid}");
    expect(shown(await supervisor.deleteChild(theirs, tuple(atom("a"))))).toBe("{error,not_found}");
    const found = (await supervisor.getChildspec(theirs, "b")) as readonly Term[];
    expect((found[1] as TermMap).get(atom("restart"))).toBe(atom("transient"));
    await genuine.eval("erldist_supervised:stop_sup()");
  });
});

/**
 * As that release has it. OTP 23 knows nothing of significant children; those before 29 log that a
 * child was started by request as loudly as if by the supervisor, and before 27 they show the child
 * with the error `already_started` that its start function returned.
 */
function asOf(release: number, term: Term): Term {
  const within = (inner: Term): Term => asOf(release, inner);
  if (isTuple(term)) {
    let fields = [...(term as readonly Term[])];
    const [tag, value] = fields as [Term, Term];
    if (release < 29 && tag === atom("debug")) fields[0] = atom("info");
    if (release < 27 && tag === atom("error") && isTuple(value, 2) && isAlreadyStarted(value[0])) {
      fields[1] = value[0] as Term;
    }
    if (release < 24 && tag === atom("child") && fields.length === 9)
      fields = fields.filter((_, at) => at !== 5);
    return tuple(...fields.map(within));
  }
  if (term instanceof TermMap) {
    const pairs = [...(term as TermMap)].map(([key, value]): [Term, Term] => [key, within(value)]);
    return new TermMap(pairs.filter(([key]) => release > 23 || key !== SIGNIFICANT));
  }
  if (!isList(term)) return term;
  const kept = term.filter((each) => release > 23 || !isTuple(each, 2) || each[0] !== SIGNIFICANT);
  return kept.map(within);
}

function isAlreadyStarted(term: unknown): boolean {
  return isTuple(term as Term, 2) && (term as readonly Term[])[0] === atom("already_started");
}
