import { describe, expect, test } from "vitest";
import { atom, parse, type TermMap, tuple } from "../../../etf/index.ts";
import {
  type AutoShutdown,
  type CheckedSpec,
  type ChildSpec,
  checkOwnSpec,
  checkSpec,
  childRecord,
  childTerm,
  childToSpec,
  Invalid,
  newChild,
  pidTerm,
  specTerm,
} from "../../../src/otp/supervisor/child-spec.ts";
import { inbox } from "../../support/cluster.ts";
import { shown, supervised } from "../../support/supervised.ts";

const checked = (text: string, autoShutdown: AutoShutdown = "never"): string => {
  const spec = checkSpec(parse(text), autoShutdown);
  return shown(spec instanceof Invalid ? spec.reason : childToSpec(newChild(spec)));
};
const MFA = "start => {m, f, [1]}";

describe("a specification as Erlang nodes send it", () => {
  test("gets OTP's defaults", () => {
    expect(checked(`#{id => a, ${MFA}}`)).toBe(
      "#{id => a,start => {m,f,[1]},restart => permanent,significant => false,shutdown => 5000,type => worker,modules => [m]}",
    );
    expect(checked(`#{id => a, ${MFA}, type => supervisor}`)).toContain("shutdown => infinity");
  });

  test("is a map or a tuple", () => {
    expect(checked("{<<1>>, {m, f, []}, transient, brutal_kill, supervisor, dynamic}")).toBe(
      "#{id => <<1>>,start => {m,f,[]},restart => transient,significant => false,shutdown => brutal_kill,type => supervisor,modules => dynamic}",
    );
  });

  test.each([
    ["a", "{invalid_child_spec,a}"],
    ["{a, b}", "{invalid_child_spec,{a,b}}"],
    [`#{${MFA}}`, "missing_id"],
    ["#{id => a}", "missing_start"],
    ["#{id => a, start => {m, f}}", "{invalid_mfa,{m,f}}"],
    ["#{id => a, start => {m, f, x}}", "{invalid_mfa,{m,f,x}}"],
    [`#{id => a, ${MFA}, restart => 1}`, "{invalid_restart_type,1}"],
    [`#{id => a, ${MFA}, type => boss}`, "{invalid_child_type,boss}"],
    [`#{id => a, ${MFA}, shutdown => -1}`, "{invalid_shutdown,-1}"],
    [`#{id => a, ${MFA}, shutdown => 1.5}`, "{invalid_shutdown,1.5}"],
    [`#{id => a, ${MFA}, modules => [m, 1]}`, "{invalid_module,1}"],
    [`#{id => a, ${MFA}, modules => m}`, "{invalid_modules,m}"],
    [`#{id => a, ${MFA}, significant => x}`, "{invalid_significant,x}"],
    [
      `#{id => a, ${MFA}, significant => true}`,
      "{bad_combination,[{auto_shutdown,never},{significant,true}]}",
    ],
  ])("%s is invalid: %s", (text, reason) => {
    expect(checked(text)).toBe(reason);
  });

  test("may be significant only where its end can matter", () => {
    const text = `#{id => a, ${MFA}, significant => true`;
    expect(checked(`${text}}`, "any_significant")).toBe(
      "{bad_combination,[{restart,permanent},{significant,true}]}",
    );
    expect(checked(`${text}, restart => transient}`, "any_significant")).toContain(
      "significant => true",
    );
  });
});

describe("a specification of the program", () => {
  test("is shown as OTP shows it", () => {
    const spec: ChildSpec = {
      id: "a",
      start: ["m", atom("f"), [1, "text"]],
      restart: "transient",
      shutdown: Number.POSITIVE_INFINITY,
      modules: ["m", atom("n")],
    };
    expect(shown(specTerm(spec))).toBe(
      '#{id => a,start => {m,f,[1,<<"text">>]},restart => transient,shutdown => infinity,modules => [m,n]}',
    );
    expect(shown(specTerm({ id: tuple(1), start: () => {}, modules: "dynamic" }))).toBe(
      "#{id => {1},start => {javascript,start,[]},modules => dynamic}",
    );
  });

  test("keeps its function", () => {
    const start = (): void => {};
    expect(checkOwnSpec({ id: "a", start }, "never")).toMatchObject({ run: start, args: [] });
    const wrong = checkOwnSpec({ id: "a", start, shutdown: 0.5 }, "never");
    expect(shown((wrong as Invalid).reason)).toBe("{invalid_shutdown,0.5}");
  });
});

test("answers and reports show a child", async () => {
  const { node } = await supervised();
  const spec = checkSpec(parse(`#{id => a, ${MFA}}`), "never") as CheckedSpec;
  const child = newChild(spec);
  expect(shown(childRecord(child))).toBe(
    "{child,undefined,a,{m,f,[1]},permanent,false,5000,worker,[m]}",
  );
  expect(shown(childTerm(child, spec.id))).toBe("{a,undefined,worker,[m]}");
  expect(shown(pidTerm(child))).toBe("undefined");
  const { pid } = inbox(node).process;
  child.pid = pid;
  expect(pidTerm(child)).toBe(pid);
  child.restarting = true;
  child.args = undefined;
  expect(pidTerm(child)).toStrictEqual(tuple(atom("restarting"), pid));
  expect(shown(childTerm(child, spec.id))).toBe("{a,restarting,worker,[m]}");
  expect(shown((childToSpec(child) as TermMap).get(atom("start"))!)).toBe("{m,f,undefined}");
});
