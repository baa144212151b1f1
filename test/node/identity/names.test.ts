import { describe, expect, test } from "vitest";
import {
  checkPeerName,
  fullNodeName,
  isPeerName,
  type NodeName,
  nameKind,
  parseNodeName,
  shortHost,
} from "../../../src/node/identity/names.ts";

const INVALID = [
  "",
  "@",
  "gandalf@",
  "@vm",
  "gan dalf@vm",
  "gandalf@v m",
  "gandalf@vm\n",
  "a@b@c",
  "gänd@vm",
  "g.d@vm",
  "gandalf/2@vm",
  `${"a".repeat(250)}@vm.example`,
];

describe("a full name", () => {
  test("has an alive part and a host", () => {
    expect(parseNodeName("gandalf_1-x@vm")).toEqual({ alive: "gandalf_1-x", host: "vm" });
    expect(parseNodeName("g@fe80::1")).toEqual({ alive: "g", host: "fe80::1" });
    expect(parseNodeName("gandalf")).toBeUndefined();
  });

  test.each(INVALID)("rejects %j", (name) => {
    expect(parseNodeName(name)).toBeUndefined();
  });

  test("has at most 255 characters", () => {
    expect(parseNodeName(`${"a".repeat(252)}@vm`)).toBeDefined();
    expect(parseNodeName(`${"a".repeat(253)}@vm`)).toBeUndefined();
  });

  test.each([
    ["gandalf@vm", "short"],
    ["gandalf@localhost", "short"],
    ["gandalf", "short"],
    ["gandalf@vm.example", "long"],
    ["gandalf@192.0.2.1", "long"],
    ["gandalf@fe80::1", "long"],
  ])("%s is %s", (name, kind) => {
    expect(nameKind(name)).toBe(kind);
  });
});

describe("what a user types", () => {
  test.each([
    ["gandalf", "short", "vm.example.org", "gandalf@vm"],
    ["gandalf", "long", "vm.example.org", "gandalf@vm.example.org"],
    ["gandalf@other", "short", "vm", "gandalf@other"],
    ["gandalf@10.0.0.1", "long", "vm", "gandalf@10.0.0.1"],
    ["gandalf@localhost", "long", "vm", "gandalf@localhost"],
    ["gandalf@::1", "long", "vm", "gandalf@::1"],
    ["gandalf@::1", "short", "vm", "gandalf@::1"],
    ["gandalf@", "short", "vm.example.org", "gandalf@vm"],
    ["gandalf@å/#", "short", "vm", "gandalf@å/#"],
  ] as const)("%s as a %s name on %s is %s", (given, kind, hostname, full) => {
    expect(fullNodeName(given, kind, hostname)).toBe(full);
  });

  test.each([
    ...INVALID.filter((name) => name.includes("@") && name !== "gandalf@"),
    "gandalf@ж",
    "nonode@nohost",
  ])("%j is refused", (given) => {
    expect(() => fullNodeName(given, "short", "vm")).toThrow(
      expect.objectContaining({ name: "NodeError", code: "NODE_NAME_INVALID" }),
    );
  });

  test("a host of the other kind is refused, and the error says what to use instead", () => {
    expect(() => fullNodeName("gandalf@vm.example", "short", "vm")).toThrow(
      expect.objectContaining({
        code: "NODE_NAME_KIND",
        message: expect.stringContaining("--name"),
      }),
    );
    expect(() => fullNodeName("gandalf@", "long", "vm.example")).toThrow(
      expect.objectContaining({ code: "NODE_NAME_INVALID" }),
    );
    expect(() => fullNodeName("gandalf", "long", "vm")).toThrow(
      expect.objectContaining({
        code: "NODE_NAME_KIND",
        message: expect.stringContaining("--sname"),
      }),
    );
  });

  test("a short host ends at the first dot", () => {
    expect(shortHost("vm.example.org")).toBe("vm");
    expect(shortHost("vm")).toBe("vm");
  });
});

describe("a peer's name", () => {
  const short: NodeName = "gandalf@vm";
  const long: NodeName = "gandalf@vm.example";

  test("must be of the same kind as this node's", () => {
    expect(checkPeerName("bilbo@other", short)).toBe("bilbo@other");
    expect(checkPeerName("bilbo@10.0.0.1", long)).toBe("bilbo@10.0.0.1");
    for (const [peer, own] of [
      ["bilbo@vm.example", short],
      ["bilbo@vm", long],
    ] as const) {
      expect(() => checkPeerName(peer, own)).toThrow(
        expect.objectContaining({
          code: "NODE_NAME_KIND",
          message: expect.stringContaining(peer),
        }),
      );
    }
  });

  test("must have a host for this kind of names, whatever this node's own host is", () => {
    expect(checkPeerName("bilbo@10.0.0.1", "gandalf@localhost", "long")).toBe("bilbo@10.0.0.1");
    expect(checkPeerName("bilbo@::1", "gandalf@localhost", "long")).toBe("bilbo@::1");
    expect(checkPeerName("bilbo@::1", short)).toBe("bilbo@::1");
    expect(() => checkPeerName("bilbo@localhost", "gandalf@localhost", "long")).toThrow(
      expect.objectContaining({ code: "NODE_NAME_KIND" }),
    );
  });

  test.each(["b c@vm", "b.c@vm", "å@vm", "@vm"])("%j may not connect to this node", (name) => {
    expect(isPeerName(name)).toBe(false);
  });

  test.each(["b@vm", "b@v m", "b@å", "_-1@a.b"])("%j may connect to this node", (name) => {
    expect(isPeerName(name)).toBe(true);
  });

  test.each(["bilbo", ...INVALID])("%j is invalid", (peer) => {
    expect(() => checkPeerName(peer, short)).toThrow(
      expect.objectContaining({ code: "NODE_NAME_INVALID" }),
    );
  });
});
