import { expect, test } from "vitest";
import { atom, parse } from "../../../etf/index.ts";
import { setUp } from "../../support/asking.ts";

test("memory adds up, and takes the arguments that OTP takes", async () => {
  const { ask } = await setUp();
  const sizes = new Map(
    (parse(await ask("erlang", "memory")) as [{ name: string }, number][]).map(([key, size]) => [
      key.name,
      size,
    ]),
  );
  expect(sizes.get("total")).toBe(sizes.get("processes")! + sizes.get("system")!);
  expect(await ask("erlang", "memory", [])).toBe("[]");
  expect(await ask("erlang", "memory", atom("ets"))).toBe("0");
  expect(await ask("erlang", "memory", atom("bogus"))).toMatch(/badarg/);
  expect(await ask("erlang", "statistics", atom("bogus"))).toMatch(/badarg/);
  expect(await ask("erlang", "system_flag", atom("scheduler_wall_time"), true)).toBe("true");
  expect(await ask("erlang", "system_flag", atom("schedulers_online"), 1)).toMatch(/badarg/);
});
