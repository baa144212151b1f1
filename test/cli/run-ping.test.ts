import { hostname } from "node:os";
import { afterEach, expect, test, vi } from "vitest";
import { run } from "../../src/cli/run-ping.ts";
import { Node } from "../../src/index.ts";

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

test.each([
  [undefined, 5000],
  [0.25, 250],
])(
  "with a timeout of %s seconds waits at most %i ms for the answer",
  async (timeout, timeoutMs) => {
    const connect = vi.fn(async () => {});
    const ping = vi.fn(async () => "pang" as const);
    const node = { connect, ping, [Symbol.asyncDispose]: async () => {} };
    vi.spyOn(Node, "start").mockResolvedValue(node as unknown as Node);
    const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    await run({ node: "bilbo", timeout });
    const peer = `bilbo@${hostname().split(".", 1)[0]}`;
    expect(connect.mock.calls).toEqual([[peer]]);
    expect(ping.mock.calls).toEqual([[peer, { timeoutMs }]]);
    expect(write.mock.calls).toEqual([["pang\n"]]);
    expect(process.exitCode).toBe(1);
  },
);
