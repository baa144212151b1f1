import { expect, test } from "vitest";
import { atom, parse, type Term, tuple } from "../../../etf/index.ts";
import { ErlangError } from "../../../src/node/exceptions.ts";
import { type Bif, badarg, exposeBifs, functionClause } from "../../../src/otp/operator/bifs.ts";
import { Cluster } from "../../support/cluster.ts";

/** The outcome of a call of a function of the module `m` with the arguments 1 and 2. */
async function called(bif: Bif): Promise<unknown> {
  const cluster = new Cluster();
  const [gandalf, bilbo] = await cluster.pair();
  exposeBifs(gandalf, "m", { "f/2": bif });
  const call = bilbo.rpc.call(gandalf.name, "m", "f", [1, 2]).catch((error: unknown) => error);
  return cluster.settled(call);
}

test("a function gets its context and its arguments", async () => {
  expect(
    await called(({ self, caller }, a, b) => tuple(self.alive, caller !== undefined, a, b)),
  ).toStrictEqual(tuple(true, true, 1, 2));
});

test.each<[string, () => Error, string]>([
  ["badarg", badarg, "[{m,f,[1,2],[]}]"],
  ["function_clause", functionClause, "[{m,f,[1,2],[]}]"],
])("an error names the call, thrown at once or later: %s", async (reason, error, stack) => {
  const throwing: Bif = () => {
    throw error();
  };
  for (const bif of [throwing, async (...args: Parameters<Bif>) => throwing(...args)]) {
    expect(await called(bif as Bif)).toMatchObject({
      code: "REMOTE_ERROR",
      reason: atom(reason),
      stackTrace: parse(stack),
    });
  }
});

test("an exit and a fault of the program are passed on", async () => {
  const exits = called(() => {
    throw ErlangError.exit(atom("oops"));
  });
  expect(await exits).toMatchObject({ code: "REMOTE_EXIT", reason: atom("oops") });
  const faulty = (await called(() => {
    throw new TypeError("no");
  })) as { reason: readonly Term[] };
  expect(faulty.reason[0]).toBe(atom("javascript_error"));
});
