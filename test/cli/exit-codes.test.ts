import { describe, expect, test } from "vitest";
import { EXIT_CODE, exitCodeOf } from "../../src/cli/exit-codes.ts";
import {
  atom,
  CallError,
  ConnectionClosedError,
  DistProtocolError,
  EpmdError,
  HandshakeError,
  NodeError,
  parse,
  RemoteError,
  TransportError,
} from "../../src/index.ts";

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

describe("exitCodeOf", () => {
  test.each([
    ["refused", new RemoteError("exit", atom("noproc"))],
    ["refused", new CallError("CALL_NOT_SUPPORTED", "", false)],
    ["usage", thrownBy(() => parse("[1,"))],
    ["usage", new NodeError("NODE_NAME_KIND", "")],
    ["usage", new EpmdError("EPMD_CONFIG", "")],
    ["unreachable", new EpmdError("EPMD_UNREACHABLE", "")],
    ["unreachable", new EpmdError("EPMD_NAME_UNKNOWN", "")],
    ["unreachable", new TransportError("TRANSPORT_REFUSED", "")],
    ["unreachable", new ConnectionClosedError("CONN_CLOSED", "")],
    ["unreachable", new HandshakeError("HS_CLOSED", "")],
    ["cookie", new HandshakeError("HS_BAD_DIGEST", "")],
    ["cookie", new HandshakeError("HS_COOKIE_REFUSED", "")],
    ["name", new EpmdError("EPMD_NAME_TAKEN", "")],
    ["name", new HandshakeError("HS_NOT_ALLOWED", "")],
    ["name", new HandshakeError("HS_MISSING_FLAG", "")],
    ["timeout", new HandshakeError("HS_TIMEOUT", "")],
    ["timeout", new CallError("CALL_TIMEOUT", "", true)],
    ["timeout", new TransportError("TRANSPORT_TIMEOUT", "")],
    ["timeout", new ConnectionClosedError("CONN_NET_TICK_TIMEOUT", "")],
    ["protocol", new DistProtocolError("DIST_FRAME_LIMIT", "")],
    ["protocol", new HandshakeError("HS_MALFORMED", "")],
    ["protocol", new EpmdError("EPMD_BAD_REPLY", "")],
    ["internal", new TypeError("a fault")],
    ["internal", "thrown text"],
  ] as const)("is that of %s for %s", (name, error) => {
    expect(exitCodeOf(error)).toBe(EXIT_CODE[name]);
  });

  test("of a call without a connection is that of what went wrong with the connection", () => {
    const cause = new HandshakeError("HS_COOKIE_REFUSED", "");
    const error = new CallError("CALL_NO_CONNECTION", "", false, { cause });
    expect(exitCodeOf(error)).toBe(EXIT_CODE.cookie);
  });
});
