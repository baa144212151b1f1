/**
 * What every interop test file of this project wants of vitest: logs of the far nodes when a test fails, nothing
 * left running after the last. Importing it is enough.
 */

import { afterAll, beforeEach, describe } from "vitest";
import {
  clearEndedLogs,
  eachOtp as eachOtpOf,
  endInteropRun,
  interopLogs,
  isLeftOut,
  type OtpRelease,
} from "../index.ts";

beforeEach(({ onTestFailed }) => {
  clearEndedLogs();
  onTestFailed(({ task }) => {
    process.stderr.write(`\nNodes during "${task.name}":\n${interopLogs()}\n`);
  });
});

afterAll(endInteropRun);

/** A `describe` per release to test with. */
export function eachOtp(body: (otp: OtpRelease) => void): void {
  eachOtpOf(describe, body);
}

/** A `describe` that is there unless `ERLDIST_WITHOUT=namespaces` leaves it out by name. */
export function withNamespaces(name: string, body: () => void): void {
  if (!isLeftOut("namespaces")) describe(name, body);
}
