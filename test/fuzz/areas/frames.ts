/** `FrameSplitter`: frames as they were sent, however the stream is cut, whole or in pieces. */
import { DistProtocolError } from "../../../src/distribution/errors.ts";
import { FrameSplitter, type FrameStream } from "../../../src/distribution/frame.ts";
import type { Area } from "../area.ts";
import { type Choices, claim } from "../choices.ts";

const MAX_FRAME_BYTES = 8000;

export const frames: Area = {
  name: "frames",
  share: 100,
  run(choices) {
    const streamed = choices.oneIn(2);
    const stream = choices.oneIn(8) ? choices.bytes(choices.below(64)) : sent(choices);
    const expected = split(stream);
    const seen: Buffer[] = [];
    let piece: Uint8Array[] = [];
    const took = (bytes: Uint8Array, left: number): void => {
      piece.push(Buffer.from(bytes));
      if (left > 0) return;
      seen.push(Buffer.concat(piece));
      piece = [];
    };
    const pieces: FrameStream = {
      beginFrame(bytes, start, end, left) {
        claim(left > 0, "the rest of a frame in pieces is to come");
        if (choices.oneIn(3)) return false;
        took(bytes.subarray(start, end), left);
        return true;
      },
      continueFrame: (bytes, start, end, left) => took(bytes.subarray(start, end), left),
    };
    const splitter = new FrameSplitter(
      MAX_FRAME_BYTES,
      (bytes, start, end) => {
        claim(piece.length === 0, "a frame in pieces ends before the next");
        seen.push(Buffer.from(bytes.subarray(start, end)));
      },
      streamed ? pieces : undefined,
    );
    let refused = false;
    try {
      for (const chunk of cuts(stream, choices)) splitter.push(chunk);
    } catch (error) {
      claim(error instanceof DistProtocolError, `${error} is documented`);
      claim(error.code === "DIST_FRAME_LIMIT", "the code of the limit");
      refused = true;
    }
    claim(
      refused === expected.refused,
      `a length is ${expected.refused ? "" : "not "}beyond the limit`,
    );
    claim(seen.length === expected.frames.length, `${expected.frames.length} frames`);
    seen.forEach((frame, index) => {
      claim(frame.equals(expected.frames[index]!), `frame ${index} as it was sent`);
    });
    claim(splitter.frames >= seen.length, "frames are counted");
  },
};

function sent(choices: Choices): Buffer {
  const parts: Buffer[] = [];
  for (let count = choices.below(6); count >= 0; count--) {
    const large = choices.oneIn(24);
    const size = large ? choices.below(65_536) % (MAX_FRAME_BYTES + 100) : choices.below(80);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(size);
    parts.push(length, Buffer.alloc(size, choices.byte()));
  }
  const whole = Buffer.concat(parts);
  return choices.oneIn(4) ? whole.subarray(0, whole.length - choices.below(9)) : whole;
}

/** The bytes in chunks; each in memory of its own. */
export function* cuts(bytes: Uint8Array, choices: Choices): Generator<Buffer> {
  const largest = Math.max(choices.pick([3, 70, 700, 70_000]), bytes.length >> 5);
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + (choices.below(65_536) % largest);
    yield Buffer.from(bytes.subarray(at, at + size));
    at += size;
  }
}

/** What the bytes say, up to the first length that is too large. */
function split(bytes: Uint8Array): { frames: Buffer[]; refused: boolean } {
  const view = Buffer.from(bytes);
  const found: Buffer[] = [];
  let at = 0;
  while (at + 4 <= view.length) {
    const length = view.readUInt32BE(at);
    if (length > MAX_FRAME_BYTES) return { frames: found, refused: true };
    if (at + 4 + length > view.length) break;
    found.push(view.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return { frames: found, refused: false };
}
