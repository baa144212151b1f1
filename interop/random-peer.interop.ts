/**
 * An Erlang node does at random what Erlang programs do, to another Erlang node and to an erldist node, and
 * compares the outcomes: sends, calls, links, monitors, spawns, exits, names, locks, with terms of any kind.
 *
 * `ERLDIST_RANDOM_SECONDS`: how long for each release (default 20). `ERLDIST_RANDOM_SEED`: the seed of a run to
 * repeat; each run prints its seed.
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
