import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Atom, decode, type FormatOptions, format } from "../../etf/index.ts";

interface Vectors {
  release: string;
  range: "latin1" | "unicode";
  nodes: Record<string, number>;
  terms: [hex: string, pretty: string, written: string, flat: string][];
}

const folder = process.env.TEXT_VECTORS ?? new URL("../vectors/", import.meta.url).pathname;
const files = readdirSync(folder).filter((name) => /^text-.*\.json$/.test(name));

describe.each(files)("%s", (name) => {
  const vectors = JSON.parse(readFileSync(`${folder}/${name}`, "utf8")) as Vectors;
  const options: FormatOptions = {
    release: Number(vectors.release),
    printableRange: vectors.range,
    nodeNumber: (node: Atom) => vectors.nodes[node.name] ?? -1,
  };

  test.each(["~tp", "~tw", "~0tp"] as const)("%s", (mode) => {
    expect(vectors.terms.length).toBeGreaterThan(90);
    const column = { "~tp": 1, "~tw": 2, "~0tp": 3 }[mode] as 1;
    for (const vector of vectors.terms) {
      const term = decode(Buffer.from(vector[0], "hex"));
      expect(format(term, { ...options, mode }), vector[0]).toBe(vector[column]);
    }
  });
});
