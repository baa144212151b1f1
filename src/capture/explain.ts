/**
 * A captured connection explained message by message: `erldist decode`.
 *
 * The input is what one side wrote, as raw bytes, or what each of the two wrote; from the first
 * byte, handshake included, or from the beginning of any frame. Pure: bytes in, text out; it works
 * because the protocol code is. It joins handshake and distribution, which elsewhere do not know
 * one another, and so lives beside both. May import: etf/, the pure files of distribution/ and
 * handshake/messages; never transport/, node/ or anything above.
 *
 * Two directions have no common clock: the handshake is shown in its order, then the rest of the
 * initiator's bytes, then the acceptor's.
 */
import { negotiate } from "../distribution/flags.ts";
import type { Explained, ExplainOptions, Side } from "./explained.ts";
import { explainFrames } from "./frames.ts";
import { type ExplainedHandshake, explainHandshake, flagsText } from "./handshake.ts";

export type { Explained, ExplainOptions } from "./explained.ts";
export { explainedLine } from "./explained.ts";

/** What one or both sides wrote. */
export interface Capture {
  readonly initiator?: Uint8Array;
  readonly acceptor?: Uint8Array;
  /** Of a side that is to be found out. */
  readonly unknown?: Uint8Array;
}

/** Explains a capture; errors in it are part of what is said, none is thrown. */
export function* explainCapture(
  capture: Capture,
  options: ExplainOptions = {},
): Generator<Explained, void, undefined> {
  const streams = (["initiator", "acceptor", "unknown"] as const)
    .filter((side) => capture[side] !== undefined)
    .map((given) => {
      const bytes = capture[given]!;
      return { given, bytes, handshake: explainHandshake(bytes, given) };
    });
  yield* handshakeOf(streams.map(({ handshake }) => handshake));
  for (const { given, bytes, handshake } of streams) {
    if (handshake === undefined) yield* explainFrames(bytes, 0, given, options);
    else if (handshake.end !== undefined) {
      yield* explainFrames(bytes, handshake.end, handshake.side, options);
    }
  }
}

function* handshakeOf(
  handshakes: readonly (ExplainedHandshake | undefined)[],
): Generator<Explained, void, undefined> {
  const there = handshakes.filter((each) => each !== undefined);
  const messages = there.flatMap((each) => each.messages).sort((a, b) => a.place - b.place);
  for (const { explained } of messages) yield explained;
  const offered = (side: Side) => there.find((each) => each.side === side)?.flags;
  const ours = offered("initiator");
  const theirs = offered("acceptor");
  if (ours === undefined || theirs === undefined) return;
  const end = there.find((each) => each.side === "acceptor")!.end;
  if (end === undefined) return;
  const text = `connected with ${flagsText(negotiate(ours, theirs))}`;
  yield { side: "acceptor", offset: end, bytes: 0, kind: "handshake", text };
}
