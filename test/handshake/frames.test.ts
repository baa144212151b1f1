import { describe, expect, test } from "vitest";
import { encodeFrames, FrameReader, type LengthBytes } from "../../src/handshake/frames.ts";

describe.each([2, 4] as LengthBytes[])("behind lengths of %i bytes", (lengthBytes) => {
  const bodies = [Buffer.from("first"), Buffer.alloc(0), Buffer.alloc(300, 7)];
  const stream = Buffer.concat([encodeFrames(bodies, lengthBytes), Buffer.from("what follows")]);

  test.each([1, 2, 3, 7, 64, stream.length])("messages come out of chunks of %i", (size) => {
    const reader = new FrameReader(lengthBytes);
    const taken: Uint8Array[] = [];
    for (let at = 0; at < stream.length; at += size) {
      reader.push(stream.subarray(at, at + size));
      while (taken.length < bodies.length) {
        const body = reader.next();
        if (body === undefined) break;
        taken.push(body);
      }
    }
    expect(taken.map((body) => Buffer.from(body))).toEqual(bodies);
    expect(Buffer.from(reader.rest()).toString()).toBe("what follows");
    expect(reader.rest()).toHaveLength(0);
  });
});

test("an incomplete message is no message yet", () => {
  const reader = new FrameReader(2);
  const frame = encodeFrames([Buffer.from("abc")], 2);
  for (const byte of frame.subarray(0, -1)) {
    reader.push(Uint8Array.of(byte));
    expect(reader.next()).toBeUndefined();
  }
});

test("a length no handshake message has is refused before its bytes are awaited", () => {
  const reader = new FrameReader(4);
  reader.push(Buffer.from("GET / HTTP/1.1\r\n"));
  expect(() => reader.next()).toThrow(
    expect.objectContaining({
      code: "HS_MALFORMED",
      message: expect.stringContaining("1195725856"),
    }),
  );
});
