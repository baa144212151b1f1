import { describe, expect, test } from "vitest";
import { FrameSplitter } from "../../src/distribution/frame.ts";
import { frameOf } from "../support/raw-node.ts";

function splitter(limit = 1000) {
  const frames: Buffer[] = [];
  const sources: Uint8Array[] = [];
  const under = new FrameSplitter(limit, (bytes, start, end) => {
    frames.push(Buffer.from(bytes.subarray(start, end)));
    sources.push(bytes);
  });
  return { under, frames, sources };
}

const bodies = [0, 1, 3, 0, 4, 5, 255, 256, 999].map((size, index) =>
  Buffer.alloc(size, index + 1),
);
const stream = Buffer.concat(bodies.map(frameOf));
/** Where in the stream each frame ends. */
const ends = bodies.map(
  (_, index) => Buffer.concat(bodies.slice(0, index + 1).map(frameOf)).length,
);
const joined = (frames: readonly Buffer[]): string =>
  frames.map((frame) => frame.toString("hex")).join();

describe("the frame splitter", () => {
  test.each([1, 2, 3, 4, 5, 7, 64, 1000, stream.length])(
    "hands on the same frames in order from chunks of %i bytes, each with its last byte",
    (size) => {
      const { under, frames } = splitter();
      for (let at = 0; at < stream.length; at += size) {
        under.push(stream.subarray(at, at + size));
        expect(frames).toHaveLength(ends.filter((end) => end <= at + size).length);
      }
      expect(joined(frames)).toBe(joined(bodies));
    },
  );

  test("cuts the stream in two anywhere", () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      const { under, frames } = splitter();
      under.push(stream.subarray(0, cut));
      under.push(stream.subarray(cut));
      expect(joined(frames)).toBe(joined(bodies));
    }
  });

  test("a chunk without bytes changes nothing", () => {
    const { under, frames } = splitter();
    under.push(Buffer.alloc(0));
    under.push(stream.subarray(0, 6));
    under.push(Buffer.alloc(0));
    under.push(stream.subarray(6));
    expect(joined(frames)).toBe(joined(bodies));
  });

  test("counts frames, those taken in pieces too", () => {
    const pieces: number[] = [];
    const under = new FrameSplitter(1 << 20, () => {}, {
      beginFrame: (_bytes, start, end) => pieces.push(end - start) > 0,
      continueFrame: (_bytes, start, end) => pieces.push(end - start),
    });
    const large = frameOf(Buffer.alloc(500_000));
    for (let at = 0; at < large.length; at += 100_000) under.push(large.subarray(at, at + 100_000));
    expect(pieces).toEqual([99_996, 100_000, 100_000, 100_000, 100_000, 4]);
    under.push(Buffer.concat([frameOf(Buffer.from("small")), Buffer.alloc(4)]));
    expect(under.frames).toBe(3);
  });

  test("a frame is handed on with its last byte, not later", () => {
    const { under, frames } = splitter();
    const frame = frameOf(Buffer.from("abc"));
    under.push(frame.subarray(0, 6));
    expect(frames).toEqual([]);
    under.push(frame.subarray(6));
    expect(frames).toEqual([Buffer.from("abc")]);
  });

  test("frames that lie whole in a chunk are not copied", () => {
    const { under, sources } = splitter();
    under.push(stream);
    expect(sources).toHaveLength(bodies.length);
    for (const source of sources) expect(source).toBe(stream);
  });

  test("takes a frame of just the limit, and refuses a longer one by its length alone", () => {
    const { under, frames } = splitter(10);
    under.push(frameOf(Buffer.alloc(10)));
    expect(frames).toHaveLength(1);
    const limit = expect.objectContaining({
      name: "DistProtocolError",
      code: "DIST_FRAME_LIMIT",
      message: expect.stringContaining("11 bytes; the limit is 10 (option maxFrameBytes)"),
    });
    const announced = Buffer.from([0, 0, 0, 11]);
    expect(() => under.push(announced)).toThrow(limit);
    const bytewise = splitter(10).under;
    for (const byte of announced.subarray(0, 3)) bytewise.push(Buffer.from([byte]));
    expect(() => bytewise.push(announced.subarray(3))).toThrow(limit);
  });

  test("a length with its highest bit set is a large one, not a negative one", () => {
    expect(() => splitter().under.push(Buffer.from([0xff, 0xff, 0xff, 0xff]))).toThrow(
      "4294967295 bytes",
    );
  });

  test("the frames in front of one that is too long are handed on", () => {
    const { under, frames } = splitter(10);
    const chunk = Buffer.concat([frameOf(Buffer.from("ok")), Buffer.from([0, 1, 0, 0])]);
    expect(() => under.push(chunk)).toThrow();
    expect(frames).toEqual([Buffer.from("ok")]);
  });
});
