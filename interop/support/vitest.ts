/**
 * What every interop test file of this project needs from vitest: the nodes' logs when a test fails, and the
 * end of everything that still runs after the last test. Importing this file is enough.
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

/** One `describe` for each release to test with. */
export function eachOtp(body: (otp: OtpRelease) => void): void {
  eachOtpOf(describe, body);
}

/** A `describe` that `ERLDIST_WITHOUT=namespaces` leaves out. */
export function withNamespaces(name: string, body: () => void): void {
  if (!isLeftOut("namespaces")) describe(name, body);
}
