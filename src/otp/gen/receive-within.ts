/** A receive that returns undefined at a time-out instead of throwing. */
import type { Term } from "../../../etf/index.ts";
import { NodeError } from "../../node/errors.ts";
import type { Wanted } from "../../node/process/mailbox.ts";
import type { Process } from "../../node/process/process.ts";

/**
 * Takes the oldest wanted message; resolves with undefined when none arrives within `timeoutMs`.
 * @throws NodeError PROCESS_DEAD
 */
export async function receiveWithin(
  self: Process,
  wanted: Wanted | undefined,
  timeoutMs: number,
): Promise<Term | undefined> {
  try {
    return await self.receive(wanted, { timeoutMs });
  } catch (error) {
    if (error instanceof NodeError && error.code === "PROCESS_RECEIVE_TIMEOUT") return undefined;
    throw error;
  }
}
