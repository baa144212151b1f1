import { describe, expect, test } from "vitest";
import { atom } from "../../../etf/index.ts";
import type { Connection } from "../../../src/distribution/connection.ts";
import { isNodeKind, type NodeKind, nodesOf } from "../../../src/node/peers/node-kind.ts";
import { Peer } from "../../../src/node/peers/peer.ts";

function peer(name: string, hidden?: boolean): Peer {
  const made = new Peer(atom(name));
  if (hidden !== undefined) made.up({ hidden } as Connection);
  return made;
}

describe("nodesOf", () => {
  const peers = [peer("seen@vm", false), peer("hidden@vm", true), peer("coming@vm")];
  test.each<[NodeKind[], string[]]>([
    [["visible"], ["seen@vm"]],
    [["hidden"], ["hidden@vm"]],
    [["connected"], ["seen@vm", "hidden@vm"]],
    [["known"], ["own@vm", "seen@vm", "hidden@vm", "coming@vm"]],
    [["this"], ["own@vm"]],
    [
      ["this", "hidden"],
      ["own@vm", "hidden@vm"],
    ],
    [[], []],
  ])("%j", (kinds, expected) => {
    expect(nodesOf(kinds, "own@vm", peers)).toEqual(expected);
  });
});

test("isNodeKind knows the kinds", () => {
  expect(["visible", "hidden", "connected", "known", "this"].every(isNodeKind)).toBe(true);
  expect(isNodeKind("bogus")).toBe(false);
});
