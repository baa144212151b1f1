import { expect, test } from "vitest";
import { ConnectionClosedError, DistProtocolError } from "../../src/distribution/errors.ts";
import { nodedownReason } from "../../src/node/events.ts";

test.each([
  ["CONN_CLOSED", false, "connection_closed"],
  ["CONN_CLOSED", true, "connection_closed"],
  ["CONN_DISCONNECTED", false, "disconnect"],
  ["CONN_DISCONNECTED", true, "net_kernel_terminated"],
  ["CONN_NET_TICK_TIMEOUT", false, "net_tick_timeout"],
  ["CONN_OVERLOADED", false, "shutdown"],
] as const)("%s, the node stopping: %s, is %s", (code, stopping, expected) => {
  expect(nodedownReason(new ConnectionClosedError(code, "over"), stopping).name).toBe(expected);
});

test("a peer that breaks the protocol is killed", () => {
  const error = new DistProtocolError("DIST_FRAME_TYPE", "what is this");
  expect(nodedownReason(error, false).name).toBe("killed");
});
