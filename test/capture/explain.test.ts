import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { atom, encode, Pid, type TermInput, tuple } from "../../etf/index.ts";
import {
  type Capture,
  type Explained,
  explainCapture,
  explainedLine,
} from "../../src/capture/explain.ts";
import { run as decode } from "../../src/cli/run-decode.ts";
import { encodeMessage } from "../../src/handshake/messages.ts";
import { readCapture } from "../support/capture.ts";
import { mutant, random } from "../support/mutate.ts";

const explain = (capture: Capture, options = {}): Explained[] => [
  ...explainCapture(capture, options),
];
const texts = (explained: readonly Explained[]): string[] => explained.map(({ text }) => text);

const pid = new Pid(atom("x@y"), 1, 2, 3);
const frameOf = (body: Uint8Array): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
};
const passThrough = (...terms: TermInput[]): Buffer =>
  frameOf(Buffer.concat([Buffer.from([112]), ...terms.map((term) => encode(term))]));

describe.each(["25", "29"] as const)("what two OTP %s nodes said to each other", (release) => {
  const capture = readCapture(release);
  const { initiator, acceptor } = capture;
  const both = explain({ initiator, acceptor });

  test("begins with the handshake in its order", () => {
    const start = both.slice(0, 6);
    expect(start.map(({ side }) => side)).toEqual([
      "initiator",
      "acceptor",
      "acceptor",
      "initiator",
      "acceptor",
      "acceptor",
    ]);
    expect(texts(start).map((text) => text.split(/[ ,]/, 1)[0])).toEqual([
      "send_name",
      "send_status",
      "send_challenge",
      "send_challenge_reply",
      "send_challenge_ack",
      "connected",
    ]);
    expect(start[0]!.text).toMatch(/send_name a@127\.0\.0\.1, creation \d+, flags 0x.*FRAGMENTS/);
    expect(start[5]!.text).toMatch(/flags 0x.*DIST_HDR_ATOM_CACHE.*FRAGMENTS/);
  });

  test("has no errors, and covers every byte once", () => {
    expect(both.filter(({ kind }) => kind === "error" || kind === "incomplete")).toEqual([]);
    for (const [side, stream] of [
      ["initiator", initiator],
      ["acceptor", acceptor],
    ] as const) {
      let at = 0;
      for (const each of both.filter((one) => one.side === side)) {
        expect(each.offset).toBe(at);
        at += each.bytes;
      }
      expect(at).toBe(stream.length);
    }
  });

  test("names the control messages and their fields, and shows what they carry", () => {
    const all = texts(both).join("\n");
    expect(all).toMatch(
      /REG_SEND, fromPid <'a@127\.0\.0\.1'\.\d+\.0>, unused '', toName echo, payload: \{vector,<'a@127\.0\.0\.1'\.\d+\.0>,1,ok\}/,
    );
    expect(all).toMatch(
      /SPAWN_REQUEST, reqId #Ref<.*mfa \{erpc,execute_call,4\}, optList \[monitor\]/,
    );
    expect(all).toMatch(
      release === "25"
        ? /ALIAS_SEND, fromPid <.*, alias #Ref</
        : /ALTACT_SIG_SEND, altactFlags 21, fromPid <.*, to #Ref</,
    );
    expect(all).toMatch(/UNLINK_ID, id \d+, fromPid/);
    expect(all).toMatch(/\[new atoms: .*atom_1, atom_2.* and 24\d more\]/);
    expect(all).toMatch(/fragment 4 of sequence \d+: REG_SEND, .* bytes of payload/);
    expect(all).toMatch(
      /fragment 1 of sequence \d+, the last: .*a tuple of 4 elements that begins with vector, \d+ bytes encoded/,
    );
    expect(both.filter(({ kind }) => kind === "tick").map(({ side }) => side)).toEqual([
      "initiator",
      "acceptor",
    ]);
  });

  test("is the same from one direction, whose side is found out", () => {
    for (const [side, stream] of [
      ["initiator", initiator],
      ["acceptor", acceptor],
    ] as const) {
      const expected = both.filter(
        (each) => each.side === side && !each.text.startsWith("connected"),
      );
      expect(explain({ unknown: stream })).toEqual(expected);
      expect(explain({ [side]: stream })).toEqual(expected);
    }
  });

  test("is understood without the handshake, but for whose it is", () => {
    const at = capture.initiatorStart;
    const expected = explain({ initiator }).filter(({ kind }) => kind !== "handshake");
    expect(explain({ unknown: initiator.subarray(at) })).toEqual(
      expected.map((each) => ({ ...each, side: "unknown", offset: each.offset - at })),
    );
  });

  test("cut short anywhere is what was whole, and at most one part", () => {
    const next = random(7);
    for (const [side, stream] of [
      ["initiator", initiator],
      ["acceptor", acceptor],
    ] as const) {
      const whole = explain({ [side]: stream });
      const ends = Array.from({ length: 700 }, (_, end) => end);
      for (let round = 0; round < 40; round++) ends.push(next(stream.length));
      for (const end of ends) {
        const part = explain({ [side]: stream.subarray(0, end) });
        const complete = part.filter(({ kind }) => kind !== "incomplete");
        expect(complete).toEqual(whole.slice(0, complete.length));
        const cut = part.filter(({ bytes, kind }) => kind === "incomplete" && bytes > 0);
        const last = complete.at(-1);
        const at = last === undefined ? 0 : last.offset + last.bytes;
        expect(cut.map(({ offset, bytes }) => [offset, bytes])).toEqual(
          at === end ? [] : [[at, end - at]],
        );
      }
    }
  });

  test("fragments that are missing at the end are told", () => {
    const third = both.find(({ text }) => /^fragment 3 of .*bytes of payload$/.test(text))!;
    const stream = third.side === "initiator" ? initiator : acceptor;
    const last = explain({ [third.side]: stream.subarray(0, third.offset) }).at(-1)!;
    expect(last).toMatchObject({ kind: "incomplete", offset: third.offset, bytes: 0 });
    expect(last.text).toMatch(/^sequence \d+, (REG_SEND|SEND_SENDER), .*: further fragments$/);
  });

  test("shows no payload when told so, and never a digest", () => {
    const hidden = texts(explain({ initiator, acceptor }, { payloads: false })).join("\n");
    expect(hidden).toMatch(/REG_SEND, .*toName echo, payload: \d+ bytes/);
    expect(hidden).not.toMatch(/\{vector,|\{echo,/);
    const reply = initiator.subarray(capture.initiatorStart - 16, capture.initiatorStart);
    for (const text of texts(both))
      expect(text.toLowerCase()).not.toContain(reply.toString("hex").slice(0, 8));
  });

  test("spoilt, is explained all the same", () => {
    const next = random(Number(release));
    const kinds = new Set<string>();
    for (let round = 0; round < 60; round++) {
      const spoilt = mutant(initiator.subarray(0, 3000), next);
      for (const each of explainCapture({ initiator: spoilt })) kinds.add(each.kind);
    }
    expect([...kinds]).toEqual(
      expect.arrayContaining(["handshake", "message", "error", "incomplete"]),
    );
  });
});

describe("the handshake of a capture", () => {
  const frame = (message: Parameters<typeof encodeMessage>[0], width: 2 | 4 = 2): Buffer => {
    const body = encodeMessage(message);
    const length = Buffer.alloc(width);
    length.writeUIntBE(body.length, 0, width);
    return Buffer.concat([length, body]);
  };
  const digest = Buffer.alloc(16, 0xab);
  const sides = (width: 2 | 4 = 2) => ({
    initiator: Buffer.concat([
      frame({ type: "oldSendName", version: 5, flags: 0x7499cn, name: "a@h" }, width),
      frame({ type: "status", status: "true" }, width),
      frame({ type: "sendComplement", flags: 0xdn << 32n, creation: 4 }, width),
      frame({ type: "challengeReply", challenge: 7, digest }, width),
      passThrough(tuple(1, pid, pid)),
    ]),
    acceptor: Buffer.concat([
      frame({ type: "status", status: "alive" }, width),
      frame({ type: "challenge", flags: 0x5n, challenge: 8, creation: 2, name: "b@h" }, width),
      frame({ type: "challengeAck", digest }, width),
    ]),
  });

  test.each([2, 4] as const)("may have every message, with lengths of %i bytes", (width) => {
    const explained = explain(sides(width));
    expect(texts(explained)).toEqual([
      expect.stringMatching(/^send_name a@h of version 5, flags 0x7499C/),
      "send_status alive",
      "send_status true",
      expect.stringMatching(
        /^send_challenge 8 of b@h, creation 2, flags 0x5 \(PUBLISHED, EXTENDED_REFERENCES\)/,
      ),
      expect.stringMatching(
        /^send_complement, creation 4, flags 0xD00000000 \(SPAWN, V4_NC, ALIAS\)/,
      ),
      "send_challenge_reply, challenge 7 and a digest",
      "send_challenge_ack, a digest",
      expect.stringMatching(/^connected with flags 0x4 \(EXTENDED_REFERENCES\)$/),
      "LINK, fromPid <x@y.1.2>, toPid <x@y.1.2>",
    ]);
  });

  test("a name given to a node that asked for one", () => {
    const named = frame({ type: "named", name: "3P5Z@h", creation: 9 });
    expect(texts(explain({ acceptor: named }))).toEqual(["send_status named: 3P5Z@h, creation 9"]);
  });

  test("what is no handshake message is an error, and nothing follows", () => {
    const { initiator } = sides();
    const wrong = Buffer.concat([
      initiator.subarray(0, 12),
      Buffer.from([0, 2, 120, 121]),
      initiator.subarray(12),
    ]);
    const explained = explain({ initiator: wrong });
    expect(explained.map(({ kind }) => kind)).toEqual(["handshake", "error"]);
    expect(explained[1]).toMatchObject({
      offset: 12,
      text: expect.stringContaining("unknown byte 120"),
    });
  });
});

describe("frames of a capture", () => {
  const good = passThrough(tuple(2, atom(""), pid), atom("hello"));
  const goodText = "SEND, unused '', toPid <x@y.1.2>, payload: hello";

  test.each<[string, Buffer, RegExp, number]>([
    ["no frame type", frameOf(Buffer.from([1, 2, 3])), /begins with 1, 2 \[DIST_FRAME_TYPE\]/, 0],
    ["no term", frameOf(Buffer.from([112, 131, 104, 1, 200])), /\[ETF_UNKNOWN_TAG\]/, 8],
    ["a payload too many", passThrough(tuple(1, pid, pid), 1), /LINK.*3 bytes too many/, 0],
    ["a payload missing", passThrough(tuple(2, atom(""), pid)), /SEND.*without the payload/, 0],
    ["a miss", frameOf(Buffer.from([131, 68, 1, 0, 5])), /entry 5 .*\[DIST_CACHE_MISS\]/, 0],
    [
      "a fragment without a beginning",
      frameOf(Buffer.concat([Buffer.from([131, 70]), Buffer.alloc(15), Buffer.from([1])])),
      /\[DIST_FRAGMENT_UNKNOWN\]/,
      0,
    ],
    ["a fragment cut short", frameOf(Buffer.from([131, 69, 0])), /ends within its sequence/, 0],
  ])("%s is an error where it is, and the next frame is explained", (_, bad, text, at) => {
    const explained = explain({ unknown: Buffer.concat([good, bad, good]) });
    expect(explained.map(({ kind }) => kind)).toEqual(["message", "error", "message"]);
    expect(explained[1]!.text).toMatch(text);
    expect(explained[1]!.offset).toBe(good.length + at);
    expect(explained[2]!.text).toBe(goodText);
  });

  test("a spoilt payload of a fragmented message is an error", () => {
    const ids = Buffer.alloc(16);
    ids[7] = 3;
    ids[15] = 2;
    const control = encode(tuple(2, atom(""), pid)).subarray(1);
    const first = Buffer.concat([
      Buffer.from([131, 69]),
      ids,
      Buffer.from([0]),
      control,
      Buffer.from([97]),
    ]);
    ids[15] = 1;
    const last = Buffer.concat([Buffer.from([131, 70]), ids]);
    const explained = explain({ unknown: Buffer.concat([first, last].map(frameOf)) });
    expect(texts(explained)[1]).toMatch(
      /^fragment 1 of sequence 3, the last: SEND.*byte 1 of its payload.*\[ETF_TRUNCATED\]/,
    );
  });

  test("an unknown operation is shown with its number", () => {
    const frame = passThrough(tuple(99, 1, pid), atom("data"));
    expect(texts(explain({ unknown: frame }))).toEqual([
      "operation 99, 1, <x@y.1.2>, payload: data",
    ]);
    expect(texts(explain({ unknown: passThrough([1]) }))).toEqual(["no control message: [1]"]);
  });

  test("a length that cannot be ends it", () => {
    const explained = explain({ unknown: Buffer.concat([good, Buffer.alloc(9, 255)]) });
    expect(explained.at(-1)).toMatchObject({ kind: "error", offset: good.length, bytes: 9 });
  });

  test("long terms are cut, at the width given", () => {
    const frame = passThrough(tuple(2, atom(""), pid), "x".repeat(500));
    expect(explain({ unknown: frame })[0]!.text).toMatch(/<<"x{197}\.\.\. \(505 bytes encoded\)$/);
    expect(explain({ unknown: frame }, { maxTermCharacters: 20 })[0]!.text).toMatch(
      /<<"x{17}\.\.\./,
    );
  });

  test("a line has direction, offset, bytes and text", () => {
    const [one, two] = explain({ acceptor: Buffer.concat([Buffer.alloc(4), Buffer.alloc(1)]) });
    expect(explainedLine(one!)).toBe("<-        0       4  tick");
    expect(explainedLine(two!)).toBe("<-        4       1  incomplete 1 bytes of a frame's length");
  });
});

describe("erldist decode", () => {
  const folder = mkdtempSync(join(tmpdir(), "decode-"));
  afterEach(() => {
    process.exitCode = undefined;
    vi.restoreAllMocks();
  });

  async function run(args: Parameters<typeof decode>[0]): Promise<string> {
    let text = "";
    const keep = (more: unknown): boolean => {
      text += String(more);
      return true;
    };
    vi.spyOn(process.stdout, "write").mockImplementation(keep);
    vi.spyOn(process.stderr, "write").mockImplementation(keep);
    await decode(args);
    vi.restoreAllMocks();
    return text;
  }

  test("explains files, of both directions or of one", async () => {
    const capture = readCapture("29");
    const [initiator, acceptor] = [join(folder, "i"), join(folder, "a")];
    writeFileSync(initiator, capture.initiator.subarray(0, 400));
    writeFileSync(acceptor, capture.acceptor.subarray(0, 400));
    const text = await run({ initiator, acceptor });
    expect(text).toMatch(/^-> +0 +28 {2}send_name a@127/);
    expect(text).toMatch(/\n<- +0 +5 {2}send_status ok\n/);
    expect(process.exitCode).toBeUndefined();
    expect(await run({ file: initiator, payload: false })).toMatch(/payload: \d+ bytes/);
  });

  test("exits with 7 after an error in the capture, with 2 when there is no such file", async () => {
    const file = join(folder, "wrong");
    writeFileSync(file, frameOf(Buffer.from([9, 9])));
    expect(await run({ file })).toMatch(/^-- +0 +6 {2}ERROR a frame that begins with 9, 9/);
    expect(process.exitCode).toBe(7);
    expect(await run({ file: join(folder, "missing") })).toMatch(/^erldist: ENOENT/);
    expect(process.exitCode).toBe(2);
    rmSync(folder, { recursive: true });
  });
});
