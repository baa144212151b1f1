/**
 * A genuine node that does at random what Erlang programs do, to a genuine node and to one of ours, and
 * compares the outcomes: sends, calls, links, monitors, spawns, exits, names, locks, with terms of any kind.
 *
 * `ERLDIST_RANDOM_SECONDS` is how long for each release (default 20), `ERLDIST_RANDOM_SEED` does the same
 * again: the seed is printed.
 */
import { expect, it } from "vitest";
import { startCompared } from "./support/compared.ts";
import { serveRandomActor } from "./support/random-actor.ts";
import { eachOtp } from "./support/vitest.ts";

const SECONDS = Number(process.env.ERLDIST_RANDOM_SECONDS ?? 20);
const SEED = Number(process.env.ERLDIST_RANDOM_SEED ?? Math.floor(Math.random() * 2 ** 31));

eachOtp((otp) => {
  it("the same happens on both nodes", { timeout: (SECONDS + 400) * 1000 }, async () => {
    process.stderr.write(`ERLDIST_RANDOM_SEED=${SEED}\n`);
    await using nodes = await startCompared(otp, ["erldist_random"]);
    const { caller, genuine, ours } = nodes;
    serveRandomActor(ours);
    const outcome = await caller.eval(
      `erldist_random:run('${genuine.name}', '${ours.name}', ${SEED}, ${SECONDS * 1000})`,
      { timeoutMs: (SECONDS + 360) * 1000 },
    );
    if (!outcome.startsWith("{ok,"))
      expect.fail(`seed ${SEED}: ${outcome.replaceAll("\\n", "\n")}`);
    expect(Number(/\d+/.exec(outcome)?.[0])).toBeGreaterThan(0);
  });
});
