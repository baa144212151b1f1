import { describe, expect, test } from "vitest";
import {
  atom,
  Pid as ErlangPid,
  encode,
  exactEquals,
  isTuple,
  type Pid,
  type Term,
  type TermInput,
  tuple,
} from "../../etf/index.ts";
import { CONTROL, type ControlMessage, hasPayload } from "../../src/distribution/control.ts";
import { DFLAG } from "../../src/distribution/flags.ts";
import { FrameSplitter } from "../../src/distribution/frame.ts";
import { MessageReader, type MessageReaderOptions } from "../../src/distribution/message-reader.ts";
import { readCapture } from "../support/capture.ts";
import { mutant, random } from "../support/mutate.ts";

const pid = (id: number): Pid => new ErlangPid(atom("x@y"), id, 0, 1);
const LINK = tuple(CONTROL.LINK.op, pid(1), pid(2));
const SEND = tuple(CONTROL.SEND_SENDER.op, pid(1), pid(2));
const BOTH = DFLAG.DIST_HDR_ATOM_CACHE | DFLAG.FRAGMENTS;

interface Read {
  control: ControlMessage;
  payload: Term;
}

function reader(options: Partial<MessageReaderOptions> = {}) {
  const messages: Read[] = [];
  const under = new MessageReader({ negotiatedFlags: BOTH, ...options }, (control, payload) =>
    messages.push({ control, payload: hasPayload(control) ? payload.read() : false }),
  );
  const read = (...frames: Uint8Array[]) => {
    for (const frame of frames) {
      // The frame lies in the middle of a chunk.
      const chunk = Buffer.concat([Buffer.alloc(3, 131), frame, Buffer.alloc(5, 97)]);
      under.read(chunk, 3, 3 + frame.length);
    }
  };
  return { under, messages, read };
}

const external = (term: TermInput): Buffer => Buffer.from(encode(term).subarray(1));
const header = (...terms: TermInput[]): Buffer =>
  Buffer.concat([Buffer.from([131, 68, 0]), ...terms.map(external)]);

function ids(tag: number, sequenceId: bigint | number, fragmentId: bigint | number): Buffer {
  const bytes = Buffer.from([131, tag, ...new Array(16).fill(0)]);
  bytes.writeBigUInt64BE(BigInt(sequenceId), 2);
  bytes.writeBigUInt64BE(BigInt(fragmentId), 10);
  return bytes;
}

const first = (sequenceId: bigint | number, fragmentId: number, ...body: Uint8Array[]): Buffer =>
  Buffer.concat([ids(69, sequenceId, fragmentId), Buffer.from([0]), ...body]);
const further = (sequenceId: bigint | number, fragmentId: number, ...body: Uint8Array[]): Buffer =>
  Buffer.concat([ids(70, sequenceId, fragmentId), ...body]);

const error = (code: string, ...parts: string[]): unknown =>
  expect.objectContaining({
    name: "DistProtocolError",
    code,
    message: expect.stringMatching(new RegExp(parts.join(".*"), "s")),
  });

describe("frames of the negotiated form", () => {
  test("with a header: a control message, and a payload behind it", () => {
    const { messages, read } = reader();
    read(header(LINK), header(SEND, [1, "a"]));
    expect(messages).toEqual([
      { control: LINK, payload: false },
      { control: SEND, payload: [1, Buffer.from("a")] },
    ]);
  });

  test("without one: each term has its version byte", () => {
    const { messages, read } = reader({ negotiatedFlags: 0n });
    read(Buffer.concat([Buffer.from([112]), encode(SEND), encode(atom("hello"))]));
    expect(messages).toEqual([{ control: SEND, payload: atom("hello") }]);
  });

  test("references are to the atoms that the header announces", () => {
    const { messages, read } = reader();
    const announced = Buffer.from([131, 68, 2, 0x98, 0, 7, 3, 120, 64, 121, 8, 2, 111, 107]);
    const control = external(SEND).toString("latin1").replaceAll("w\x03x@y", "R\x00");
    const body = Buffer.concat([Buffer.from(control, "latin1"), Buffer.from([82, 1])]);
    read(Buffer.concat([announced, body]));
    read(Buffer.concat([Buffer.from([131, 68, 2, 0x10, 0, 7, 8]), body]));
    expect(messages).toEqual([0, 1].map(() => ({ control: SEND, payload: atom("ok") })));
    expect(messages[0]!.control[1]).toEqual(pid(1));
  });

  test.each<[string, bigint, Uint8Array]>([
    ["a pass-through frame where headers were negotiated", BOTH, Buffer.from([112, 131, 104])],
    ["a header where none was negotiated", 0n, header(LINK)],
    ["a fragment without FRAGMENTS", DFLAG.DIST_HDR_ATOM_CACHE, first(1, 2, external(SEND))],
    ["a further fragment without FRAGMENTS", DFLAG.DIST_HDR_ATOM_CACHE, further(1, 1)],
    ["an unknown tag", BOTH, Buffer.from([131, 71, 0])],
    ["one byte", BOTH, Buffer.from([131])],
    ["one byte without header", 0n, Buffer.from([112])],
    ["terms where a header belongs", BOTH, Buffer.concat([Buffer.from([131]), external(LINK)])],
  ])("%s is a wrong type", (_, negotiatedFlags, frame) => {
    const { read } = reader({ negotiatedFlags });
    expect(() => read(frame)).toThrow(error("DIST_FRAME_TYPE", "negotiated"));
  });

  test("fragments alone, without the atom cache, are a form with headers", () => {
    const { messages, read } = reader({ negotiatedFlags: DFLAG.FRAGMENTS });
    read(header(LINK), first(1, 2, external(SEND)), further(1, 1, external(5)));
    expect(messages.map(({ payload }) => payload)).toEqual([false, 5]);
  });

  test.each<[string, Uint8Array, string]>([
    ["a payload missing", header(SEND), "ends before the payload"],
    ["a control message that is none", header([1]), "control message is a tuple"],
  ])("%s is malformed", (_, frame, text) => {
    expect(() => reader().read(frame)).toThrow(error("DIST_CONTROL_MALFORMED", text));
  });

  test("a payload without version byte is malformed where there is no header", () => {
    const frame = Buffer.concat([Buffer.from([112]), encode(SEND), external(1)]);
    const { read } = reader({ negotiatedFlags: 0n });
    expect(() => read(frame)).toThrow(error("DIST_CONTROL_MALFORMED", "before the payload"));
  });

  test("a version byte behind a header is not a term", () => {
    const frame = Buffer.concat([Buffer.from([131, 68, 0]), encode(LINK)]);
    expect(() => reader().read(frame)).toThrow(
      expect.objectContaining({ code: "ETF_UNKNOWN_TAG" }),
    );
  });

  test("a reference that the header does not announce is not a term, even if the last one did", () => {
    const { read } = reader();
    read(
      Buffer.concat([
        Buffer.from([131, 68, 1, 0x08, 1, 1, 97]),
        external(SEND),
        Buffer.from([82, 0]),
      ]),
    );
    const again = Buffer.concat([Buffer.from([131, 68, 0]), external(SEND), Buffer.from([82, 0])]);
    expect(() => read(again)).toThrow(expect.objectContaining({ code: "ETF_BAD_ATOM_REF" }));
  });
});

describe("fragments", () => {
  const payload = external(["a", 2, Buffer.alloc(300, 7)]);
  const expected = [Buffer.from("a"), 2, Buffer.alloc(300, 7)];

  test("are put together, whatever their size", () => {
    const { under, messages, read } = reader();
    read(first(9, 4, external(SEND), payload.subarray(0, 1)));
    read(further(9, 3, payload.subarray(1, 200)), further(9, 2));
    expect(under.openSequences).toBe(1);
    // Room for the fragment that is still to come counts too.
    expect(under.heldBytes).toBeGreaterThanOrEqual(200);
    expect(under.heldBytes).toBeLessThanOrEqual(64 * 200);
    expect(messages).toEqual([]);
    read(further(9, 1, payload.subarray(200)));
    expect(messages).toEqual([{ control: SEND, payload: expected }]);
    expect(under.openSequences).toBe(0);
    expect(under.heldBytes).toBe(0);
  });

  test("of several messages may be interleaved, and among whole messages", () => {
    const { messages, read } = reader();
    read(first(1, 2, external(SEND), payload), first(2n ** 64n - 1n, 3, external(SEND)));
    read(header(LINK), further(2n ** 64n - 1n, 2, external(22)), further(1, 1));
    read(first(1, 2, external(SEND)), further(2n ** 64n - 1n, 1), further(1, 1, external(33)));
    expect(messages.map(({ payload }) => payload)).toEqual([false, expected, 22, 33]);
  });

  test("a message may be one fragment", () => {
    const { messages, read } = reader();
    read(first(1, 1, external(SEND), external(1)), first(1, 1, external(LINK)));
    expect(messages.map(({ payload }) => payload)).toEqual([1, false]);
  });

  test("what follows a control message without payload does not count, in fragments either", () => {
    const { messages, read } = reader();
    const link = { control: LINK, payload: false };
    read(header(LINK, 1));
    read(first(1, 2, external(LINK)), further(1, 1));
    read(first(1, 2, external(LINK)), further(1, 1, external(1)));
    expect(messages).toEqual([link, link, link]);
  });

  test("refer to the atoms of their own header, though entries are replaced meanwhile", () => {
    const { messages, read } = reader();
    const announce = (tag: Buffer, name: string): Buffer =>
      Buffer.concat([
        tag,
        Buffer.from([1, 0x08, 5, name.length]),
        Buffer.from(name),
        external(SEND),
      ]);
    read(announce(ids(69, 1, 2), "old"));
    read(Buffer.concat([announce(Buffer.from([131, 68]), "newer"), Buffer.from([82, 0])]));
    read(Buffer.concat([Buffer.from([131, 68, 0]), external(LINK)]));
    read(further(1, 1, Buffer.from([82, 0])));
    expect(messages.map(({ payload }) => payload)).toEqual([atom("newer"), false, atom("old")]);
  });

  test("the control message must be whole in the first", () => {
    const control = external(SEND);
    expect(() => reader().read(first(1, 2, control.subarray(0, -1)))).toThrow(
      expect.objectContaining({ code: "ETF_TRUNCATED" }),
    );
  });

  test("a gap, a repetition or a step back is out of order", () => {
    for (const wrong of [3, 1, 4, 0]) {
      const { read } = reader();
      read(first(1, 3, external(SEND)));
      if (wrong === 3) read(further(1, 2));
      const due = wrong === 3 ? 1 : 2;
      expect(() => read(further(1, wrong))).toThrow(
        error("DIST_FRAGMENT_ORDER", `fragment ${wrong} of sequence 1 where ${due} was due`),
      );
    }
  });

  test("a sequence begun twice, or at 0, is out of order", () => {
    const { read } = reader();
    read(first(7, 2, external(SEND)));
    expect(() => read(first(7, 2, external(SEND)))).toThrow(
      error("DIST_FRAGMENT_ORDER", "sequence 7 again"),
    );
    expect(() => read(first(8, 0, external(SEND), external(1)))).toThrow(
      error("DIST_FRAGMENT_ORDER", "with fragment 0"),
    );
  });

  test("a sequence not begun, or ended, is unknown", () => {
    const { read } = reader();
    expect(() => read(further(3, 1))).toThrow(error("DIST_FRAGMENT_UNKNOWN", "sequence 3"));
    read(first(3, 2, external(SEND)), further(3, 1, external(1)));
    expect(() => read(further(3, 1))).toThrow(error("DIST_FRAGMENT_UNKNOWN", "sequence 3"));
  });

  test("cut short within its ids is malformed", () => {
    for (const frame of [first(1, 2), further(1, 1)]) {
      for (let end = 2; end < 18; end++) {
        expect(() => reader().read(frame.subarray(0, end))).toThrow(
          error("DIST_HEADER_MALFORMED", "fragment"),
        );
      }
    }
  });

  test("no more sequences are open than allowed", () => {
    const { read } = reader({ maxOpenSequences: 2 });
    read(first(1, 2, external(SEND)), first(2, 2, external(SEND)));
    expect(() => read(first(3, 2, external(SEND)))).toThrow(
      error("DIST_FRAGMENT_LIMIT", "2 were open", "maxOpenSequences"),
    );
    read(further(1, 1, external(1)), first(3, 2, external(SEND)));
  });

  test("no more bytes are held than allowed, of all sequences together", () => {
    const { read } = reader({ maxFragmentedBytes: 100 });
    read(
      first(1, 3, external(SEND), Buffer.alloc(40)),
      first(2, 3, external(SEND), Buffer.alloc(60)),
    );
    const limit = error("DIST_FRAGMENT_LIMIT", "more than 100 bytes", "maxFragmentedBytes");
    expect(() => read(further(1, 2, Buffer.alloc(1)))).toThrow(limit);
    expect(() => read(first(3, 3, external(SEND), Buffer.alloc(1)))).toThrow(limit);
    read(further(2, 2), first(3, 3, external(SEND)));
  });

  test("the defaults: 16,384 sequences", () => {
    const { under, read } = reader();
    const frame = first(1, 2, external(SEND));
    for (let id = 1; id <= 16_384; id++) {
      frame.writeBigUInt64BE(BigInt(id), 2);
      read(frame);
    }
    expect(under.openSequences).toBe(16_384);
    frame.writeBigUInt64BE(0n, 2);
    expect(() => read(frame)).toThrow(error("DIST_FRAGMENT_LIMIT", "the limit is 16384"));
  });

  test("a fragment id may claim any number of fragments, and nothing is allocated for it", () => {
    const { under, read } = reader();
    const before = process.memoryUsage().arrayBuffers;
    for (let id = 0; id < 100; id++) {
      const frame = first(id, 1, external(SEND), Buffer.alloc(100));
      frame.writeBigUInt64BE(2n ** 64n - 1n, 10);
      read(frame);
    }
    expect(under.heldBytes).toBe(64 * 10_000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024);
  });
});

describe.each(["25", "29"] as const)("what an OTP %s node sent", (release) => {
  const capture = readCapture(release);

  function readStream(stream: Buffer, chunkBytes: () => number, inPieces: boolean): Read[] {
    const { under, messages } = reader();
    const splitter = new FrameSplitter(
      2 ** 30,
      (bytes, start, end) => {
        if (start < end) under.read(bytes, start, end);
      },
      inPieces ? under : undefined,
    );
    for (let at = 0; at < stream.length; ) {
      const end = at + chunkBytes();
      splitter.push(stream.subarray(at, end));
      at = end;
    }
    expect(under.openSequences).toBe(0);
    return messages;
  }

  const payloads = (messages: readonly Read[], tag: string): Term[] =>
    messages.map(({ payload }) => payload).filter((each) => isTuple(each) && each[0] === atom(tag));

  function expectTerms(given: readonly Term[], expected: readonly Term[]): void {
    // Large messages arrive in another order than they were sent in, from several processes.
    expect(given).toHaveLength(expected.length);
    for (const term of expected) expect(given.some((each) => exactEquals(each, term))).toBe(true);
  }

  const next = random(Number(release));
  test.each([
    ["in one chunk", () => 2 ** 30],
    ["in chunks of 64 KiB", () => 65536],
    ["in random chunks", () => 1 + next(100_000)],
    ["in small random chunks", () => 1 + next(1000)],
  ])("is read as that node had it, %s", (_, chunkBytes) => {
    for (const inPieces of [true, false]) {
      const out = readStream(
        capture.initiator.subarray(capture.initiatorStart),
        chunkBytes,
        inPieces,
      );
      expectTerms(payloads(out, "vector"), capture.sent);
      const back = readStream(
        capture.acceptor.subarray(capture.acceptorStart),
        chunkBytes,
        inPieces,
      );
      expectTerms(payloads(back, "echo"), capture.echoed);
      const ops = new Set(out.concat(back).map(({ control }) => control[0]));
      for (const op of [1, 6, 7, 16, 19, 20, 22, 23, 24, 26, 28, 29, 31, 35, 36]) {
        expect(ops).toContain(op);
      }
      expect(ops).toContain(release === "25" ? 33 : 37);
    }
  });

  test("spoilt, is a documented error or another message, and memory is bounded", () => {
    const part = capture.initiator.subarray(
      capture.initiatorStart,
      capture.initiatorStart + 60_000,
    );
    const frames: Uint8Array[] = [];
    new FrameSplitter(2 ** 30, (bytes, start, end) => frames.push(bytes.subarray(start, end))).push(
      part,
    );
    const codes = new Set<string>();
    for (let round = 0; round < 300; round++) {
      const { under } = reader({ maxFragmentedBytes: 1_000_000 });
      for (const frame of frames.slice(0, 1 + next(frames.length))) {
        const spoilt = next(10) === 0 ? mutant(frame, next) : frame;
        try {
          under.read(spoilt, 0, spoilt.length);
        } catch (error) {
          const { name, code } = error as { name: string; code: string };
          expect(["DistProtocolError", "EtfDecodeError"]).toContain(name);
          codes.add(code);
        }
      }
    }
    for (const code of ["DIST_CACHE_MISS", "DIST_HEADER_MALFORMED", "DIST_FRAME_TYPE"]) {
      expect(codes).toContain(code);
    }
  });
});
