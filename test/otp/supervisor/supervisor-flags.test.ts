import { expect, test } from "vitest";
import type { Invalid } from "../../../src/otp/supervisor/child-spec.ts";
import {
  checkFlags,
  RestartCount,
  type SupervisorFlags,
} from "../../../src/otp/supervisor/supervisor-flags.ts";
import { shown } from "../../support/supervised.ts";

test("flags have OTP's defaults", () => {
  expect(checkFlags({})).toEqual({
    strategy: "one_for_one",
    intensity: 1,
    period: 5,
    autoShutdown: "never",
  });
});

test.each([
  [{ strategy: "none" }, "{invalid_strategy,none}"],
  [{ intensity: -1 }, "{invalid_intensity,-1}"],
  [{ intensity: 0.5 }, "{invalid_intensity,0.5}"],
  [{ period: 0 }, "{invalid_period,0}"],
  [{ autoShutdown: "some" }, "{invalid_auto_shutdown,some}"],
])("refuses %j", (flags, reason) => {
  const wrong = checkFlags(flags as SupervisorFlags);
  expect(shown((wrong as Invalid).reason)).toBe(reason);
});

test("counts the restarts within the period, in whole seconds", () => {
  const count = new RestartCount({ intensity: 2, period: 5 });
  expect([900, 1900, 5999].map((at) => count.add(at))).toEqual([true, true, false]);
  // The one at second 0 is still counted at second 5, as in OTP, and not at second 6.
  expect(count.add(6000)).toBe(false);
  expect(count.add(60_000)).toBe(true);
  expect(new RestartCount({ intensity: 0, period: 1 }).add(0)).toBe(false);
});
