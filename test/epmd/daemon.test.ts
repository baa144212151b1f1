import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { daemonArguments, systemEpmd } from "../../src/epmd/daemon.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "epmd-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** An `epmd` of ours, a shell script that notes its arguments first. */
async function installEpmd(script: string): Promise<() => Promise<string[]>> {
  const log = join(folder, "log");
  await writeFile(join(folder, "epmd"), `#!/bin/sh\necho "$@" >> '${log}'\n${script}\n`, {
    mode: 0o755,
  });
  return async () => (await readFile(log, "utf8")).trim().split("\n");
}

const here = () => ({ env: { PATH: `/nowhere:${folder}` }, places: [] });

test("the arguments are epmd's", () => {
  expect(daemonArguments({ tcpPort: 4369 })).toEqual(["-daemon", "-port", "4369"]);
  expect(
    daemonArguments({
      tcpPort: 5000,
      addresses: ["10.0.0.1", "127.0.0.1"],
      relaxedCommandCheck: true,
    }),
  ).toEqual([
    "-daemon",
    "-port",
    "5000",
    "-address",
    "10.0.0.1,127.0.0.1",
    "-relaxed_command_check",
  ]);
});

test("the daemon is started, and asked until it is up", async () => {
  const counter = join(folder, "asked");
  const calls = await installEpmd(
    `case "$*" in *-names) echo x >> '${counter}'; [ $(wc -l < '${counter}') -ge 3 ];; esac`,
  );
  expect(await systemEpmd(here())({ tcpPort: 5000 })).toBe(true);
  expect(await calls()).toEqual([
    "-daemon -port 5000",
    "-port 5000 -names",
    "-port 5000 -names",
    "-port 5000 -names",
  ]);
});

test("the usual places are searched when PATH has none", async () => {
  await installEpmd("exit 0");
  const start = systemEpmd({ env: {}, places: ["/nowhere", folder] });
  expect(await start({ tcpPort: 5000 })).toBe(true);
});

test("a system without epmd, or with one that fails, has none to start", async () => {
  expect(await systemEpmd(here())({ tcpPort: 5000 })).toBe(false);
  const calls = await installEpmd("exit 1");
  expect(await systemEpmd(here())({ tcpPort: 5000 })).toBe(false);
  expect(await calls()).toEqual(["-daemon -port 5000"]);
  await writeFile(join(folder, "epmd"), "no script at all", { mode: 0o755 });
  expect(await systemEpmd(here())({ tcpPort: 5000 })).toBe(false);
});
