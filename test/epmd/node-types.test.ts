import { expect, test } from "vitest";
import { encodeRequest, NODE_TYPE } from "../../src/epmd/messages.ts";

test.each([
  ["a visible node", NODE_TYPE.NORMAL, "M"],
  ["a hidden node", NODE_TYPE.HIDDEN, "H"],
])("%s registers with the letter that epmd has for it", (_, nodeType, letter) => {
  const node = {
    name: "n",
    tcpPort: 1,
    nodeType,
    protocol: 0,
    highestVersion: 6,
    lowestVersion: 5,
  };
  const bytes = encodeRequest({ type: "alive2", node: { ...node, extra: Buffer.alloc(0) } });
  // A length, the request's tag and the port are in front of it.
  expect(String.fromCharCode(bytes[5]!)).toBe(letter);
});
