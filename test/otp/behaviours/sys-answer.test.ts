import { expect, test } from "vitest";
import { atom, charlist, type Term, tuple } from "../../../etf/index.ts";
import { stateAnswer, tagsStates } from "../../../src/otp/behaviours/sys-answer.ts";
import { Cluster } from "../../support/cluster.ts";

test.each<[string, unknown, boolean]>([
  ["OTP 23", "3.14", false],
  ["OTP 26.0", "5.0.2", false],
  ["OTP 26.1", "5.1", true],
  ["OTP 29", "8.1", true],
  ["what does not tell", undefined, true],
])("%s", async (_, version, tagged) => {
  const cluster = new Cluster();
  const [gandalf, bilbo] = await cluster.pair();
  if (version !== undefined) {
    bilbo.expose("application", {
      get_key: (_app: Term, _key: Term) => tuple(atom("ok"), charlist(version as string)),
    });
  }
  expect(await cluster.settled(tagsStates(gandalf, "bilbo@vm"))).toBe(tagged);
  const from = tuple(bilbo.groupLeader, 1) as Term;
  const answer = await cluster.settled(stateAnswer(gandalf, from, 7));
  expect(answer).toStrictEqual(tagged ? tuple(atom("ok"), 7) : 7);
});

test("a node that does not answer counts as a newer one", async () => {
  const cluster = new Cluster();
  const [gandalf, bilbo] = await cluster.pair();
  bilbo.expose("application", { get_key: (_app: Term, _key: Term) => new Promise(() => {}) });
  const answer = tagsStates(gandalf, "bilbo@vm");
  await cluster.clock.advance(5000);
  expect(await answer).toBe(true);
  expect(await tagsStates(gandalf, "gandalf@vm")).toBe(true);
});
