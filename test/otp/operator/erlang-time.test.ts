import { describe, expect, test } from "vitest";
import { atom, parse } from "../../../etf/index.ts";
import { setUp } from "../../support/asking.ts";

describe("time", () => {
  test("monotonic time is the node's clock, in any unit, rounded down", async () => {
    const { cluster, ask } = await setUp();
    await cluster.clock.advance(1234.5678);
    const now = cluster.clock.now();
    const monotonic = (unit: string): Promise<string> =>
      ask("erlang", "monotonic_time", parse(unit));
    expect(await monotonic("millisecond")).toBe(String(Math.floor(now)));
    expect(await monotonic("milli_seconds")).toBe(String(Math.floor(now)));
    expect(await monotonic("second")).toBe(String(Math.floor(now / 1000)));
    expect(await monotonic("1000000")).toBe(String(Math.floor(now * 1000)));
    expect(await monotonic("bogus")).toMatch(/badarg/);
    expect(await ask("erlang", "statistics", atom("wall_clock"))).toBe(
      `{${Math.floor(now)},${Math.floor(now)}}`,
    );
    await cluster.clock.advance(1000);
    expect(await ask("erlang", "statistics", atom("wall_clock"))).toBe(
      `{${Math.floor(now + 1000)},1000}`,
    );
  });

  test("now never returns a value twice", async () => {
    const { ask } = await setUp();
    const asked = await Promise.all([1, 2, 3].map(() => ask("erlang", "now")));
    expect(new Set(asked).size).toBe(3);
  });
});
