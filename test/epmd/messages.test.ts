import { describe, expect, test } from "vitest";
import {
  type EpmdRequest,
  encodeAlive2Response,
  encodeDumpResponse,
  encodeNamesResponse,
  encodePort2Response,
  encodeRequest,
  MAX_REQUEST_BYTES,
  type NodeEntry,
  parseAlive2Response,
  parseNamesResponse,
  parsePort2Response,
  parseRequest,
} from "../../src/epmd/messages.ts";

const five: NodeEntry = {
  name: "five",
  tcpPort: 1000,
  nodeType: 77,
  protocol: 0,
  highestVersion: 6,
  lowestVersion: 5,
  extra: Buffer.from("xyz"),
};

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytes = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const code = (expected: string) => expect.objectContaining({ name: "EpmdError", code: expected });

const requests: [string, EpmdRequest, string][] = [
  [
    "a registration",
    { type: "alive2", node: five },
    "0014 78 03e8 4d 00 0006 0005 0004 66697665 0003 78797a",
  ],
  ["a look-up", { type: "portPlease2", name: "five" }, "0005 7a 66697665"],
  ["names", { type: "names" }, "0001 6e"],
  ["dump", { type: "dump" }, "0001 64"],
  ["kill", { type: "kill" }, "0001 6b"],
  ["stop", { type: "stop", name: "five" }, "0005 73 66697665"],
];

describe("requests", () => {
  test.each(requests)("%s has the bytes of erl_epmd", (_name, request, expected) => {
    expect(hex(encodeRequest(request))).toBe(expected.replaceAll(" ", ""));
    expect(parseRequest(bytes(expected).subarray(2))).toEqual(request);
  });

  test("a NUL behind a name looked up is tolerated", () => {
    expect(parseRequest(Buffer.from("zfive\0"))).toEqual({ type: "portPlease2", name: "five" });
  });

  test("what follows a registration is tolerated, as epmd does", () => {
    const longer = Buffer.concat([encodeRequest(requests[0]![1]).subarray(2), Buffer.from("!")]);
    expect(parseRequest(longer)).toEqual(requests[0]![1]);
  });

  test("each registration cut short is malformed", () => {
    const whole = encodeRequest(requests[0]![1]).subarray(2);
    for (let length = 0; length < whole.length; length++) {
      expect(() => parseRequest(whole.subarray(0, length))).toThrow(code("EPMD_BAD_REQUEST"));
    }
  });

  test.each([
    ["an unknown tag", Buffer.of(255)],
    ["no name to look up", Buffer.from("z")],
    ["only a NUL as a name", Buffer.from("z\0")],
    ["a NUL within a name", Buffer.from("za\0b")],
    ["bytes that are no UTF-8 in a look-up", Buffer.from("za\xff", "latin1")],
  ])("%s is malformed", (_what, request) => {
    expect(() => parseRequest(request)).toThrow(code("EPMD_BAD_REQUEST"));
  });

  test("a name is 1 to 255 characters of any language", () => {
    const name = `${"é".repeat(254)}😀`;
    const request: EpmdRequest = { type: "alive2", node: { ...five, name } };
    expect(parseRequest(encodeRequest(request).subarray(2))).toEqual(request);
    for (const wrong of ["", "x".repeat(256), "a\0b", "\ud800"]) {
      expect(() => encodeRequest({ type: "portPlease2", name: wrong })).toThrow(
        code("EPMD_NAME_INVALID"),
      );
    }
  });

  test("a registration under no possible name is told apart, for epmd answers it", () => {
    const long = Buffer.from("x".repeat(256));
    const body = encodeRequest(requests[0]![1]).subarray(2);
    const invalid = Buffer.concat([body.subarray(0, 9), Buffer.of(1, 0), long, Buffer.of(0, 0)]);
    expect(() => parseRequest(invalid)).toThrow(code("EPMD_NAME_INVALID"));
    const notUtf8 = Buffer.from(body);
    notUtf8[12] = 0xff;
    expect(() => parseRequest(notUtf8)).toThrow(code("EPMD_NAME_INVALID"));
  });

  test("the longest request is within the limit", () => {
    const name = "😀".repeat(255);
    const extra = Buffer.alloc(1020);
    const length = encodeRequest({ type: "alive2", node: { ...five, name, extra } }).length - 2;
    expect(length).toBeLessThanOrEqual(MAX_REQUEST_BYTES);
  });
});

/** Replies as epmd of OTP 25 sent them. */
describe("replies", () => {
  test.each([
    ["a registration of version 6", { result: 0, creation: 0x6b03de3e }, 6, "76 00 6b03de3e"],
    ["its refusal", { result: 1, creation: 99 }, 6, "76 01 00000063"],
    ["a registration of version 5", { result: 0, creation: 3 }, 5, "79 00 0003"],
    ["its refusal in version 5", { result: 1, creation: 99 }, 5, "79 01 0063"],
  ])("to %s", (_name, response, version, expected) => {
    const whole = bytes(expected);
    expect(hex(encodeAlive2Response(response, version))).toBe(hex(whole));
    expect(parseAlive2Response(whole)).toEqual(response);
    for (let length = 0; length < whole.length; length++) {
      expect(parseAlive2Response(whole.subarray(0, length))).toBeUndefined();
    }
  });

  test("to a look-up", () => {
    const whole = bytes("77 00 03e8 4d 00 0006 0005 0004 66697665 0003 78797a");
    expect(hex(encodePort2Response(five))).toBe(hex(whole));
    expect(parsePort2Response(whole)).toEqual(five);
    for (let length = 0; length < whole.length; length++) {
      expect(parsePort2Response(whole.subarray(0, length))).toBeUndefined();
    }
    expect(hex(encodePort2Response(undefined))).toBe("7701");
    expect(parsePort2Response(bytes("7701"))).toBe("unknown");
  });

  test("to names and dump", () => {
    const one: NodeEntry = { ...five, name: "one" };
    const names = encodeNamesResponse(4562, [five, one]);
    expect(names.toString("latin1")).toBe(
      "\0\0\x11\xd2name five at port 1000\nname one at port 1000\n",
    );
    expect(parseNamesResponse(names)).toEqual([
      { name: "five", tcpPort: 1000 },
      { name: "one", tcpPort: 1000 },
    ]);
    expect(parseNamesResponse(encodeNamesResponse(4369, []))).toEqual([]);
    const dump = encodeDumpResponse(
      4562,
      [{ ...five, descriptor: 8 }],
      [{ name: "gone", tcpPort: 7 }],
    );
    expect(dump.toString("latin1")).toBe(
      "\0\0\x11\xd2active name     <five> at port 1000, fd = 8\n\0old/unused name <gone>, port = 7, fd = -1 \n\0",
    );
  });

  test("with names that are not UTF-8 are malformed", () => {
    expect(() =>
      parsePort2Response(bytes("77 00 03e8 4d 00 0006 0005 0004 66ff7665 0000")),
    ).toThrow(code("EPMD_BAD_REPLY"));
    const names = Buffer.from("\0\0\x11\xd2name f\xffve at port 1000\n", "latin1");
    expect(() => parseNamesResponse(names)).toThrow(code("EPMD_BAD_REPLY"));
    const marked = encodeNamesResponse(4562, [{ ...five, name: "\ufefffünf" }]);
    expect(parseNamesResponse(marked)).toEqual([{ name: "\ufefffünf", tcpPort: 1000 }]);
  });

  test("from something that is no EPMD are malformed", () => {
    const http = Buffer.from("HTTP/1.1 400 Bad Request\r\n");
    for (const parse of [parseAlive2Response, parsePort2Response, parseNamesResponse]) {
      expect(() => parse(http)).toThrow(code("EPMD_BAD_REPLY"));
    }
    expect(() => parseNamesResponse(Buffer.alloc(3))).toThrow(code("EPMD_BAD_REPLY"));
  });
});
