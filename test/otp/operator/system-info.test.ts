import { describe, expect, test } from "vitest";
import { atom, format, parse, type Term } from "../../../etf/index.ts";
import { systemInfo } from "../../../src/otp/operator/system-info.ts";
import { Cluster } from "../../support/cluster.ts";

async function started() {
  const cluster = new Cluster();
  await cluster.clock.advance(250);
  const node = await cluster.start("gandalf@vm");
  const info = (item: string): string => format(systemInfo(node, parse(item)), { mode: "~0tp" });
  return { node, info };
}

describe("system_info", () => {
  test("describes the node", async () => {
    const { node, info } = await started();
    expect(info("creation")).toBe(String(node.creation));
    expect(info("process_count")).toBe(String(node.stats().processes));
    expect(info("start_time")).toBe("250000000");
    expect(info("dist_buf_busy_limit")).toBe(String(1024 * 1024));
    expect(Number(info("atom_count"))).toBeGreaterThan(10);
  });

  test("reports what actually runs, and which release it supports", async () => {
    const { info } = await started();
    expect(info("otp_release")).toBe('"29"');
    expect(info("version")).toBe(`"${process.versions.node}"`);
    expect(info("machine")).toBe('"Node.js"');
    expect(info("system_version")).toMatch(
      /^"Erlang\/OTP 29 \[erldist-\d+\.\d+\.\d+\] \[node-[\d.]+\] \[(32|64)-bit\]\\n"$/,
    );
  });

  test("wordsize is the platform's, in all three forms", async () => {
    const { info } = await started();
    const sizes = ["wordsize", "{wordsize,internal}", "{wordsize,external}"].map(info);
    expect(new Set(sizes).size).toBe(1);
    expect(["4", "8"]).toContain(sizes[0]);
  });

  test.each<[string, Term]>([
    ["an unknown item", atom("bogus")],
    ["a property of objects", atom("constructor")],
    ["a word of no kind", parse("{wordsize,bogus}")],
    ["a number", 1],
  ])("%s is badarg", async (_, item) => {
    const { node } = await started();
    expect(() => systemInfo(node, item)).toThrow(
      expect.objectContaining({ class: "error", reason: atom("badarg") }),
    );
  });
});
