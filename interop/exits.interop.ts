/**
 * One table of how processes end, and of what linked and monitoring processes see: run on Erlang nodes for
 * reference, on erldist nodes, and on one of each, both ways round. The outcomes must be equal.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OtpNode, startOtpNode } from "./index.ts";
import { serveActor } from "./support/exits-actor.ts";
import { startOurNode } from "./support/our-node.ts";
import { serveSettle } from "./support/settle.ts";
import { eachOtp } from "./support/vitest.ts";

const traps = [false, true];
const ends = [
  "return",
  "{exit, normal}",
  "{exit, oops}",
  "{exit, kill}",
  "{exit, killed}",
  "{exit, shutdown}",
  "{exit, {shutdown, [1]}}",
  "{error, oops}",
  "{throw, oops}",
];
const reasons = ["normal", "kill", "killed", "oops", "shutdown", '{tuple, <<"b">>, 1.0}'];

/** Steps of the actors a, b and c; c is where a is. */
const CASES: string[] = [
  // Ends, as seen by link and monitor.
  ...traps.flatMap((trap) =>
    ends.map((end) => `{a, {trap, ${trap}}}, {a, {link, b}}, {a, {monitor, b}}, {b, ${end}}`),
  ),
  // The one who has set the link ends; the monitor's target does.
  ...ends.map((end) => `{b, {trap, true}}, {a, {link, b}}, {c, {monitor, a}}, {a, ${end}}`),
  // Exit signals.
  ...traps.flatMap((trap) =>
    reasons.map((reason) => `{b, {trap, ${trap}}}, {a, {monitor, b}}, {a, {signal, b, ${reason}}}`),
  ),
  ...traps.flatMap((trap) =>
    reasons.map(
      (reason) =>
        `{b, {trap, ${trap}}}, {a, {trap, true}}, {a, {link, b}}, {a, {signal, b, ${reason}}}`,
    ),
  ),
  // To oneself.
  ...traps.flatMap((trap) =>
    reasons.map(
      (reason) =>
        `{b, {trap, ${trap}}}, {a, {trap, true}}, {a, {link, b}}, {b, {signal_self, ${reason}}}`,
    ),
  ),
  // Through links: kill becomes killed, who traps stops it, and normal stops at once.
  ...["kill", "oops", "normal"].flatMap((reason) => [
    `{a, {link, b}}, {b, {link, c}}, {c, {signal, b, ${reason}}}`,
    `{a, {link, b}}, {b, {link, c}}, {c, {trap, true}}, {b, {signal, a, ${reason}}}`,
    `{a, {link, b}}, {b, {link, c}}, {b, {trap, true}}, {c, {signal, a, ${reason}}}`,
    `{a, {link, b}}, {b, {link, c}}, {c, {link, a}}, {a, {exit, ${reason}}}`,
  ]),
  // The dead.
  ...traps.map((trap) => `{a, {trap, ${trap}}}, {b, return}, settle, {a, {link, b}}`),
  ...traps.map((trap) => `{a, {trap, ${trap}}}, {b, {exit, oops}}, settle, {a, {monitor, b}}`),
  ...reasons.map((reason) => `{b, return}, settle, {a, {signal, b, ${reason}}}`),
  "{b, return}, settle, {a, {unlink, b}}",
  // Links taken back, set twice, set anew.
  "{a, {trap, true}}, {a, {link, b}}, {a, {unlink, b}}, {b, {exit, oops}}",
  "{a, {trap, true}}, {a, {link, b}}, {b, {unlink, a}}, {b, {exit, oops}}",
  "{a, {trap, true}}, {a, {link, b}}, {a, {unlink, b}}, {a, {link, b}}, {b, {exit, oops}}",
  "{a, {trap, true}}, {a, {link, b}}, {a, {unlink, b}}, {b, {link, a}}, {b, {exit, oops}}",
  "{a, {trap, true}}, {a, {link, b}}, {a, {link, b}}, {b, {exit, oops}}",
  "{a, {trap, true}}, {a, {link, b}}, {b, {link, a}}, {b, {exit, oops}}",
  "{a, {trap, true}}, {a, {link, b}}, {b, {link, a}}, {a, {unlink, b}}, {b, {exit, oops}}",
  "{a, {trap, true}}, {a, {unlink, b}}, {b, {exit, oops}}",
  "{a, {trap, true}}, {a, {link, b}}, {b, {exit, oops}}, settle, {a, {unlink, b}}, {a, {link, b}}",
  "{a, {trap, true}}, {a, {trap, false}}, {a, {link, b}}, {b, {exit, oops}}",
  "{a, link_self}, {a, monitor_self}, {a, {exit, oops}}",
  "{a, {trap, true}}, {a, link_self}, {a, monitor_self}, {b, {signal, a, kill}}",
  // Monitors: two report twice, one taken back does not report; by name.
  "{a, {monitor, b}}, {a, {monitor, b}}, {b, {exit, oops}}",
  "{a, {monitor, b}}, {a, {monitor, b}}, {a, demonitor}, {b, {exit, oops}}",
  "{a, {monitor, b}}, {a, demonitor}, {a, demonitor}, {b, {exit, oops}}",
  "{a, {monitor, b}}, {b, {exit, oops}}, settle, {a, demonitor}",
  "{a, {monitor, b}}, {b, {exit, oops}}, settle, {a, demonitor_flush}",
  "{b, {register, erldist_b}}, {a, {monitor_name, erldist_b, b}}, {b, {exit, oops}}",
  "{a, {monitor_name, erldist_nobody, b}}",
  "{b, {register, erldist_b}}, {a, {monitor_name, erldist_b, b}}, {a, demonitor}, {b, return}",
  "{a, {monitor, b}}, {b, {monitor, a}}, {a, {exit, oops}}, settle, {b, {exit, later}}",
];

/** Those of two nodes. */
const REMOTE_CASES: string[] = [
  ...traps.map(
    (trap) =>
      `{a, {trap, ${trap}}}, {b, {trap, ${trap}}}, {a, {link, b}}, {a, {monitor, b}}, {a, {disconnect, b}}`,
  ),
  ...traps.map(
    (trap) =>
      `{a, {trap, ${trap}}}, {b, {trap, ${trap}}}, {b, {link, a}}, {b, {monitor, a}}, {a, {disconnect, b}}`,
  ),
  "{a, {trap, true}}, {a, {link, b}}, {a, {unlink, b}}, {a, {disconnect, b}}",
  "{a, {monitor, b}}, {a, demonitor}, {a, {disconnect, b}}",
  // An exit signal after the connection is up again reaches its process, the old link does nothing.
  "{a, {trap, true}}, {a, {link, b}}, {a, {disconnect, b}}, settle, {b, {exit, oops}}",
  "{a, {trap, true}}, {b, {trap, true}}, {a, {link, b}}, {a, {disconnect, b}}, settle, {a, {link, b}}, {b, {exit, oops}}",
];

/** Cases that register a name or end a connection would disturb others. */
const alone = (steps: string): boolean => /register|disconnect/.test(steps);
const together = (steps: string): boolean => !alone(steps);

eachOtp((otp) => {
  let driver: OtpNode;
  let genuine: OtpNode[];
  let ours: Awaited<ReturnType<typeof startOurNode>>[];
  beforeAll(async () => {
    // A node that another disconnects from must stay connected to the rest.
    const args = ["-kernel", "prevent_overlapping_partitions", "false"];
    const start = () => startOtpNode({ otp, args });
    [driver, ...genuine] = await Promise.all([start(), start(), start()]);
    for (const node of [driver, ...genuine]) {
      for (const module of ["erldist_settle", "erldist_exits"]) await node.loadModule(module);
    }
    ours = [await startOurNode(), await startOurNode()];
    for (const node of ours) {
      serveSettle(node);
      serveActor(node);
    }
  });
  afterAll(async () => {
    for (const node of ours) await node.stop();
    for (const node of [driver, ...genuine]) await node.kill();
  });

  const outcome = (steps: string, a: string, b: string): Promise<string> =>
    driver.eval(`erldist_exits:run([${steps}], [{a, '${a}'}, {b, '${b}'}, {c, '${a}'}])`);

  /** Compares the outcomes of the steps with a and b on each of these pairs of nodes; the first are Erlang nodes. */
  const same = async (steps: string, pairs: readonly (readonly [string, string])[]) => {
    const outcomes: Promise<string>[] = [];
    for (const [a, b] of pairs) {
      const asked = outcome(steps, a, b);
      outcomes.push(asked);
      if (alone(steps)) await asked;
    }
    const [reference, ...others] = await Promise.all(outcomes);
    expect(others).toEqual(others.map(() => reference));
  };
  const within = (steps: string): Promise<void> =>
    same(
      steps,
      [genuine[0]!.name, ours[0]!.name].map((node) => [node, node]),
    );
  const between = (steps: string): Promise<void> => {
    const [g, h] = genuine.map((node) => node.name) as [string, string];
    const [o, p] = ours.map((node) => node.name) as [string, string];
    return same(steps, [
      [g, h],
      [o, h],
      [g, p],
      [o, p],
    ]);
  };
  it.concurrent.each(CASES.filter(together))("within a node: %s", within);
  it.each(CASES.filter(alone))("within a node: %s", within);
  it.concurrent.each(CASES.filter(together))("between two: %s", between);
  it.each([...CASES.filter(alone), ...REMOTE_CASES])("between two: %s", between);

  describe("the table", () => {
    it("distinguishes the reasons", async () => {
      const seen = new Set<string>();
      for (const reason of reasons) {
        seen.add(
          await outcome(`{a, {link, b}}, {b, {exit, ${reason}}}`, ours[0]!.name, ours[1]!.name),
        );
      }
      expect(seen.size).toBe(reasons.length);
    });
  });
});
