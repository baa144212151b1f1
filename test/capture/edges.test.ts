/** Captures that begin, end or break at every place, and limits to the byte. */
import { describe, expect, test } from "vitest";
import { atom, encode, Pid, type TermInput, tuple } from "../../etf/index.ts";
import { type Capture, explainCapture } from "../../src/capture/explain.ts";
import { encodeMessage } from "../../src/handshake/messages.ts";

const explain = (capture: Capture, options = {}) => [...explainCapture(capture, options)];
const pid = new Pid(atom("x@y"), 1, 2, 3);

function framed(width: 2 | 4, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(width);
  length.writeUIntBE(body.length, 0, width);
  return Buffer.concat([length, body]);
}
const passThrough = (...terms: TermInput[]): Buffer =>
  framed(4, Buffer.of(112), ...terms.map((term) => encode(term)));
/** An atom cache header with new atoms, in a frame with a control message that needs none. */
function withNewAtoms(names: readonly string[], start = Buffer.of(131, 68)): Buffer {
  const flags = Buffer.alloc(names.length === 0 ? 0 : (names.length >> 1) + 1);
  names.forEach((_, at) => {
    flags[at >> 1]! |= 8 << (4 * (at & 1));
  });
  const atoms = names.map((name, at) => {
    const text = Buffer.from(name);
    return Buffer.concat([Buffer.of(at, text.length), text]);
  });
  const control = encode(tuple(1, pid, pid)).subarray(1);
  return framed(4, start, Buffer.of(names.length), flags, ...atoms, control);
}
const LINK = "LINK, fromPid <x@y.1.2>, toPid <x@y.1.2>";

describe("frames", () => {
  test("a length cut short says how much of it there is", () => {
    for (const left of [1, 2, 3]) {
      expect(explain({ unknown: passThrough(1).subarray(0, left) })).toEqual([
        {
          side: "unknown",
          offset: 0,
          bytes: left,
          kind: "incomplete",
          text: `${left} bytes of a frame's length`,
        },
      ]);
    }
  });

  test("a frame cut short says how much of it there is", () => {
    const frame = passThrough(tuple(1, pid, pid));
    for (let end = 4; end < frame.length; end++) {
      expect(
        explain({ acceptor: Buffer.concat([Buffer.alloc(4), frame.subarray(0, end)]) }),
      ).toEqual([
        { side: "acceptor", offset: 0, bytes: 4, kind: "tick", text: "tick" },
        {
          side: "acceptor",
          offset: 4,
          bytes: end,
          kind: "incomplete",
          text: `${end - 4} of ${frame.length - 4} bytes of a frame`,
        },
      ]);
    }
  });

  test("a frame may be as long as the limit, by default 512 MiB, and no longer", () => {
    const frame = passThrough(tuple(1, pid, pid));
    const length = frame.length - 4;
    const kinds = (bytes: Uint8Array, options = {}) =>
      explain({ unknown: bytes }, options).map(({ kind }) => kind);
    expect(kinds(frame, { maxFrameBytes: length })).toEqual(["message"]);
    expect(kinds(frame, { maxFrameBytes: length - 1 })).toEqual(["error"]);
    expect(kinds(Buffer.from("20000000", "hex"))).toEqual(["incomplete"]);
    expect(kinds(Buffer.from("20000001", "hex"))).toEqual(["error"]);
  });

  test("up to eight new atoms are named, with up to 40 characters each", () => {
    const text = (...names: string[]) => explain({ unknown: withNewAtoms(names) })[0]!.text;
    const names = (count: number) => Array.from({ length: count }, (_, at) => `atom_${at}`);
    expect(text()).toBe(LINK);
    expect(text("one")).toBe(`${LINK} [new atoms: one]`);
    expect(text(...names(8))).toBe(`${LINK} [new atoms: ${names(8).join(", ")}]`);
    expect(text(...names(9))).toBe(`${LINK} [new atoms: ${names(8).join(", ")} and 1 more]`);
    const long = "a".repeat(40);
    expect(text(long, `${long}a`)).toBe(`${LINK} [new atoms: ${long}, ${long}...]`);
  });

  test("atoms are new in the frame that brings them only", () => {
    const known = framed(4, Buffer.of(131, 68, 1, 0, 0), encode(tuple(1, pid, pid)).subarray(1));
    const explained = explain({ unknown: Buffer.concat([withNewAtoms(["one"]), known]) });
    expect(explained.map(({ text }) => text)).toEqual([`${LINK} [new atoms: one]`, LINK]);
  });

  test("a message in one fragment is a message", () => {
    const head = Buffer.alloc(18);
    head.set([131, 69]);
    head[9] = 5;
    head[17] = 1;
    const [only] = explain({ unknown: withNewAtoms(["one"], head) });
    expect(only).toMatchObject({
      kind: "message",
      text: `fragment 1 of sequence 5, the only one: ${LINK} [new atoms: one]`,
    });
  });

  test("a fragment needs its sequence and fragment ids", () => {
    const head = Buffer.alloc(18);
    for (const tag of [69, 70]) {
      head.set([131, tag]);
      for (let end = 2; end < 18; end++) {
        expect(explain({ unknown: framed(4, head.subarray(0, end)) })).toMatchObject([
          { kind: "error", text: "a fragment that ends within its sequence and fragment id" },
        ]);
      }
    }
  });

  test.each([
    [Buffer.of(131), "131"],
    [Buffer.of(112), "112"],
    [Buffer.of(131, 71, 1), "131, 71"],
    [Buffer.of(112, 68, 1), "112, 68"],
    [Buffer.of(68, 68, 1), "68, 68"],
    [Buffer.of(0, 69, 1), "0, 69"],
  ])("a frame of %j is an error that shows its first bytes", (body, shown) => {
    expect(explain({ unknown: framed(4, body) })).toMatchObject([
      { kind: "error", text: `a frame that begins with ${shown} [DIST_FRAME_TYPE]` },
    ]);
  });

  test("without payloads, reasons and results are hidden, and nothing else", () => {
    const shown = (...terms: TermInput[]) =>
      explain({ unknown: passThrough(...terms) }, { payloads: false })[0]!.text;
    expect(shown(tuple(3, pid, pid, atom("secret")))).toBe(
      "EXIT, fromPid <x@y.1.2>, toPid <x@y.1.2>, reason ...",
    );
    expect(shown(tuple(1, pid, pid))).toBe(LINK);
    expect(shown(tuple(2, atom(""), pid), "secret")).toBe(
      "SEND, unused '', toPid <x@y.1.2>, payload: 11 bytes",
    );
    expect(shown(tuple(99, atom("secret")))).toBe("operation 99, secret");
  });

  test("bytes behind a payload are an error that counts them", () => {
    const [one] = explain({ unknown: passThrough(tuple(2, atom(""), pid), 1, 2) });
    expect(one).toMatchObject({
      kind: "error",
      text: "SEND, unused '', toPid <x@y.1.2>, payload: 1, and 3 bytes too many",
    });
  });
});

describe("the handshake", () => {
  const digest = Buffer.alloc(16, 0xab);
  const name = encodeMessage({ type: "sendName", flags: 5n, creation: 1, name: "a@h" });
  const status = encodeMessage({ type: "status", status: "ok" });
  const reply = encodeMessage({ type: "challengeReply", challenge: 7, digest });
  const ack = encodeMessage({ type: "challengeAck", digest });
  const challenge = encodeMessage({
    type: "challenge",
    flags: 6n,
    challenge: 8,
    creation: 2,
    name: "b@h",
  });
  const tick = Buffer.alloc(4);

  test.each([2, 4] as const)(
    "of an unknown side with lengths of %i bytes is recognized",
    (width) => {
      const initiator = Buffer.concat([framed(width, name), framed(width, reply), tick]);
      const acceptor = Buffer.concat([
        framed(width, status),
        framed(width, challenge),
        framed(width, ack),
        tick,
      ]);
      const kinds = (bytes: Uint8Array) =>
        explain({ unknown: bytes }).map(({ side, kind, offset }) => [side, kind, offset]);
      const [n, s, c] = [name, status, challenge].map(({ length }) => width + length);
      expect(kinds(initiator)).toEqual([
        ["initiator", "handshake", 0],
        ["initiator", "handshake", n],
        ["initiator", "tick", n! + width + 21],
      ]);
      expect(kinds(acceptor)).toEqual([
        ["acceptor", "handshake", 0],
        ["acceptor", "handshake", s],
        ["acceptor", "handshake", s! + c!],
        ["acceptor", "tick", s! + c! + width + 17],
      ]);
    },
  );

  test("is not looked for in what the other side could have written", () => {
    expect(explain({ acceptor: framed(2, name) })[0]!.kind).not.toBe("handshake");
    expect(explain({ initiator: framed(2, status) })[0]!.kind).not.toBe("handshake");
  });

  test("begins with a message of 1 to 1023 bytes", () => {
    const message = (length: number) =>
      framed(2, Buffer.concat([name, Buffer.alloc(2000)]).subarray(0, length));
    const kind = (length: number) => explain({ unknown: message(length) })[0]!.kind;
    expect([kind(1023), kind(1024)]).toEqual(["handshake", "incomplete"]);
    // A message of one byte is wrong, but a message.
    expect(explain({ unknown: message(1) })).toMatchObject([{ side: "initiator", kind: "error" }]);
    expect(explain({ unknown: Buffer.of(0, 0) })).toMatchObject([{ side: "unknown" }]);
    expect(explain({ unknown: Buffer.of(0, 1) })).toMatchObject([{ side: "unknown" }]);
  });

  test("that is not complete has nothing behind it", () => {
    for (let end = 3; end < 2 + name.length; end++) {
      expect(explain({ initiator: framed(2, name).subarray(0, end) })).toEqual([
        {
          side: "initiator",
          offset: 0,
          bytes: end,
          kind: "incomplete",
          text: `handshake message, ${end} bytes of it`,
        },
      ]);
    }
    const begun = Buffer.concat([framed(2, name), Buffer.of(0)]);
    expect(explain({ initiator: begun })).toMatchObject([
      { kind: "handshake" },
      { kind: "incomplete", offset: 2 + name.length, bytes: 1 },
    ]);
  });

  test("of both sides is shown in its order, and with what they agreed on at its end", () => {
    const initiator = Buffer.concat([framed(2, name), framed(2, reply)]);
    const acceptor = [status, challenge, ack].map((body) => framed(2, body));
    const both = explain({ acceptor: Buffer.concat(acceptor), initiator });
    expect(both.map(({ text }) => text.split(/[ ,]/, 1)[0])).toEqual([
      "send_name",
      "send_status",
      "send_challenge",
      "send_challenge_reply",
      "send_challenge_ack",
      "connected",
    ]);
    expect(both.at(-1)).toEqual({
      side: "acceptor",
      offset: Buffer.concat(acceptor).length,
      bytes: 0,
      kind: "handshake",
      text: "connected with flags 0x4 (EXTENDED_REFERENCES)",
    });
    const unfinished = explain({ initiator, acceptor: Buffer.concat(acceptor.slice(0, 2)) });
    expect(unfinished.map(({ text }) => text.split(/[ ,]/, 1)[0])).not.toContain("connected");
  });
});
