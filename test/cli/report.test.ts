import { expect, test, vi } from "vitest";
import { report } from "../../src/cli/report.ts";
import { CallError, EpmdError, NodeError } from "../../src/index.ts";

function reported(error: unknown): string {
  let text = "";
  const write = vi.spyOn(process.stderr, "write").mockImplementation((more) => {
    text += String(more);
    return true;
  });
  report(error);
  write.mockRestore();
  return text;
}

test.each<[string, unknown, string]>([
  ["an error with its code", new NodeError("NODE_NAME_KIND", "No."), "No. [NODE_NAME_KIND]"],
  [
    "the codes of its causes after it",
    new CallError("CALL_NO_CONNECTION", "No.", false, {
      cause: new EpmdError("EPMD_UNREACHABLE", "Nobody.", {
        cause: new NodeError("NODE_NAME_KIND", "No."),
      }),
    }),
    "No. [CALL_NO_CONNECTION: EPMD_UNREACHABLE: NODE_NAME_KIND]",
  ],
  [
    "no code of the system",
    new EpmdError("EPMD_UNREACHABLE", "Nobody.", {
      cause: Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
    }),
    "Nobody. [EPMD_UNREACHABLE]",
  ],
  [
    "no code of Node.js",
    new EpmdError("EPMD_UNREACHABLE", "Nobody.", {
      cause: Object.assign(new Error("socket"), { code: "ERR_SOCKET_CLOSED" }),
    }),
    "Nobody. [EPMD_UNREACHABLE]",
  ],
  [
    "no cause that is not an error",
    new EpmdError("EPMD_UNREACHABLE", "Nobody.", { cause: { code: "EPMD_TIMEOUT" } }),
    "Nobody. [EPMD_UNREACHABLE]",
  ],
  ["a text that was thrown", "a text", "a text"],
  ["nothing that was thrown", undefined, "undefined"],
])("reports %s", (_, error, text) => {
  expect(reported(error)).toBe(`erldist: ${text}\n`);
});

test("reports a fault of the program with its stack", () => {
  expect(reported(new TypeError("a fault"))).toMatch(
    /^erldist: TypeError: a fault\n\s+at .*report\.test/,
  );
});
