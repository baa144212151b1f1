import { describe, expect, test } from "vitest";
import { FrameSplitter, type FrameStream } from "../../src/distribution/frame.ts";
import { random } from "../support/mutate.ts";

function frameOf(body: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** A splitter whose owner takes frames that begin with 1 in pieces. */
function splitter() {
  const frames: Buffer[] = [];
  let pieces: Buffer[] | undefined;
  let offers = 0;
  let streamed = 0;
  const stream: FrameStream = {
    beginFrame(bytes, start, end, left) {
      offers++;
      expect(left).toBeGreaterThan(0);
      if (bytes[start] !== 1) return false;
      streamed++;
      pieces = [Buffer.from(bytes.subarray(start, end))];
      return true;
    },
    continueFrame(bytes, start, end, left) {
      pieces!.push(Buffer.from(bytes.subarray(start, end)));
      if (left > 0) return;
      frames.push(Buffer.concat(pieces!));
      pieces = undefined;
    },
  };
  const under = new FrameSplitter(
    1_000_000,
    (bytes, start, end) => {
      expect(pieces).toBeUndefined();
      frames.push(Buffer.from(bytes.subarray(start, end)));
    },
    stream,
  );
  return { under, frames, offers: () => offers, streamed: () => streamed };
}

describe("frames taken in pieces", () => {
  const next = random(11);
  const bodies = Array.from({ length: 200 }, (_, index) => {
    const body = Buffer.alloc([0, 1, 63, 64, 4092, 5000, 70_000][next(7)]! + next(50), index);
    if (body.length > 0) body[0] = 1 + next(2);
    return body;
  });
  const stream = Buffer.concat(bodies.map(frameOf));

  test.each([1, 59, 64, 65, 4096, 65_536, stream.length])(
    "are the same, with the others in order, from chunks of about %i bytes",
    (size) => {
      const { under, frames, offers, streamed } = splitter();
      const part = size === 1 ? stream.subarray(0, 200_000) : stream;
      for (let at = 0; at < part.length; ) {
        const end = at + size + (size > 1 ? next(3) : 0);
        under.push(part.subarray(at, end));
        at = end;
      }
      const expected = bodies.slice(0, frames.length);
      expect(frames.length).toBeGreaterThan(size === 1 ? 10 : 199);
      expect(frames.every((frame, index) => frame.equals(expected[index]!))).toBe(true);
      if (size < 65_536) expect(streamed()).toBeGreaterThan(1);
      // Each frame that spans chunks is offered once.
      expect(offers()).toBeLessThanOrEqual(frames.length + 1);
    },
  );

  test("are offered from 64 bytes on, and from 4096 bytes of length on", () => {
    const body = Buffer.alloc(4092, 1);
    const long = splitter();
    long.under.push(frameOf(body).subarray(0, 63));
    expect(long.offers()).toBe(0);
    long.under.push(frameOf(body).subarray(63, 64));
    expect(long.offers()).toBe(1);
    const short = splitter();
    short.under.push(frameOf(body.subarray(1)).subarray(0, 4000));
    expect(short.offers()).toBe(0);
  });
});
