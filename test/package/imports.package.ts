/** The published entries together, in Node.js and bundled for browsers. */

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { afterAll, expect, it } from "vitest";
import { installPacked } from "./packed.ts";

const packed = installPacked();
afterAll(() => packed[Symbol.dispose]());

/** Runs a module in the consumer's project; returns what it prints, as JSON. */
function run(source: string): unknown {
  const file = join(packed.folder, "program.js");
  writeFileSync(file, source);
  return JSON.parse(execFileSync(process.execPath, [file], { encoding: "utf8" }));
}

it.each(["erldist/etf", "erldist/epmd"])("what %s shares with erldist is the same", (entry) => {
  const { shared, different } = run(`
    import * as main from "erldist";
    import * as other from "${entry}";
    const shared = Object.keys(main).filter((name) => Object.hasOwn(other, name));
    const different = shared.filter((name) => main[name] !== other[name]);
    console.log(JSON.stringify({ shared, different }));
  `) as { shared: string[]; different: string[] };
  expect(shared).toContain(entry === "erldist/etf" ? "Pid" : "EpmdError");
  expect(different).toEqual([]);
});

it("a pid that erldist/etf decodes is an instance of erldist's Pid", () => {
  const holds = run(`
    import { Node, Pid } from "erldist";
    import { decode, encode } from "erldist/etf";
    const node = await Node.start({ name: "packed@localhost", cookie: "c", listen: false });
    const { pid } = node.spawn(async () => {});
    console.log(decode(encode(pid)) instanceof Pid);
    await node.stop();
  `);
  expect(holds).toBe(true);
});

it("a bundle for browsers has the form of #bigint that needs nothing of Node.js", async () => {
  writeFileSync(
    join(packed.folder, "page.js"),
    'import { decode, encode } from "erldist/etf";\nexport const back = decode(encode(2n ** 4000n));\n',
  );
  await build({
    configFile: false,
    root: packed.folder,
    logLevel: "error",
    build: {
      lib: { entry: join(packed.folder, "page.js"), formats: ["es"], fileName: "bundled" },
      outDir: join(packed.folder, "bundled"),
      minify: false,
    },
  });
  const bundled = readFileSync(join(packed.folder, "bundled/bundled.js"), "utf8");
  expect(bundled).not.toMatch(/from "|createRequire/);
  const back = run(
    'import { back } from "./bundled/bundled.js";\nconsole.log(JSON.stringify(back === 2n ** 4000n));',
  );
  expect(back).toBe(true);
});
