import { describe, expect, test } from "vitest";
import { TickRule } from "../../src/distribution/tick.ts";

/** Checks part after part; each part says what was read and written in it. */
function parts(
  rule: TickRule,
  ...script: { read?: number; wrote?: number; queued?: boolean }[]
): string[] {
  let received = 0;
  let sent = 0;
  return script.map(({ read = 0, wrote = 0, queued = false }) => {
    received += read;
    sent += wrote;
    const decision = rule.check({ received, sent, sendQueueEmpty: !queued });
    if (decision === "tick") sent++;
    return decision;
  });
}

describe("a tick is sent", () => {
  test("at the end of each part in which nothing was written", () => {
    const rule = new TickRule(4, false);
    expect(parts(rule, { read: 1 }, { read: 1, wrote: 1 }, { read: 1 })).toEqual([
      "tick",
      "quiet",
      "tick",
    ]);
  });

  test("again in the next part: the tick itself does not count as written", () => {
    expect(parts(new TickRule(4, false), { read: 1 }, { read: 1 }, { read: 1 })).toEqual([
      "tick",
      "tick",
      "tick",
    ]);
  });

  test("not while bytes wait to be written: they will do", () => {
    expect(parts(new TickRule(4, false), { read: 1, queued: true })).toEqual(["quiet"]);
  });

  test("with a hidden node also when nothing was read, whatever was written", () => {
    const script = [{ read: 1, wrote: 1 }, { wrote: 1 }, { wrote: 1, queued: true }];
    expect(parts(new TickRule(4, true), ...script)).toEqual(["quiet", "tick", "tick"]);
    expect(parts(new TickRule(4, false), ...script)).toEqual(["quiet", "quiet", "quiet"]);
  });
});

describe("a peer is taken for dead", () => {
  test("when nothing was read for `intensity` parts on end", () => {
    const busy = { wrote: 1 };
    const rule = new TickRule(4, false);
    expect(parts(rule, { read: 1, wrote: 1 }, busy, busy, busy, busy)).toEqual([
      "quiet",
      "quiet",
      "quiet",
      "quiet",
      "timeout",
    ]);
  });

  test("from the beginning, when nothing ever came", () => {
    expect(parts(new TickRule(2, false), {}, {})).toEqual(["tick", "timeout"]);
  });

  test("not when something came in the last of them", () => {
    const script = [{ read: 1 }, {}, {}, {}, { read: 1 }, {}, {}, {}, {}];
    expect(parts(new TickRule(4, false), ...script).slice(3)).toEqual([
      "tick",
      "tick",
      "tick",
      "tick",
      "tick",
      "timeout",
    ]);
  });
});
