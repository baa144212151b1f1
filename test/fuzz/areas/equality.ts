/**
 * `=:=`, `==`, the term order, hashes, keys of maps and the deterministic form of two terms, against
 * what the fuzzing's own terms say. The second term is the first, or differs from it in one place.
 */
import {
  compare,
  decode,
  encode,
  equals,
  exactEquals,
  hashTerm,
  phash2,
  type Term,
  TermMap,
} from "../../../etf/index.ts";
import type { Area } from "../area.ts";
import { type Choices, claim } from "../choices.ts";
import { makeModel, near } from "../make.ts";
import type { Model } from "../model.ts";
import { orderOf } from "../order.ts";
import { canonical, write } from "../write.ts";

export const equality: Area = {
  name: "equality",
  share: 110,
  run(choices) {
    const a = makeModel(choices);
    const b = choices.below(5) === 4 ? makeModel(choices) : near(a, choices);
    const [x, y] = [a, b].map((model) => decoded(model, choices)) as [Term, Term];
    const exact = canonical(a) === canonical(b);
    claim(exactEquals(x, y) === exact, `=:= is ${exact}`);
    claim(exactEquals(y, x) === exact, `=:= is ${exact} the other way round`);
    claim(equals(x, x) && exactEquals(x, x), "a term equals itself");
    if (exact) claim(hashTerm(x) === hashTerm(y) && phash2(x) === phash2(y), "the same hash");
    checkOrder(a, b, x, y, exact);
    checkKeys(x, y, exact);
    const deterministic = [x, y].map((term) => encode(term, { deterministic: true }));
    const [first, second] = deterministic as [Uint8Array, Uint8Array];
    // Funs are the same whoever made them, and references with words of 0 behind them.
    if (!exact) claim(Buffer.compare(first, second) !== 0, "other deterministic bytes");
  },
};

function decoded(model: Model, choices: Choices): Term {
  return decode(Buffer.concat([Buffer.of(131), write(model, choices)]));
}

function checkOrder(a: Model, b: Model, x: Term, y: Term, exact: boolean): void {
  const [order, back] = [Math.sign(compare(x, y)), Math.sign(compare(y, x))];
  claim(order === -back, "the order is the same seen from the other side");
  claim(equals(x, y) === (order === 0), "== is what is neither less nor greater");
  if (exact) claim(order === 0, "what is =:= is ==");
  const expected = orderOf(a, b);
  if (expected !== undefined) claim(order === expected, `the order is ${expected}`);
}

function checkKeys(x: Term, y: Term, exact: boolean): void {
  const map = new TermMap<Term, number>();
  map.set(x, 1);
  claim(map.has(y) === exact && map.get(y) === (exact ? 1 : undefined), "found as a key");
  map.set(y, 2);
  claim(map.size === (exact ? 1 : 2), "as many keys as there are terms");
  const two = decode(encode(map)) as TermMap<Term, number>;
  claim(two.get(x) === (exact ? 2 : 1) && two.get(y) === 2, "found after a round trip");
  map.delete(x);
  claim(map.has(y) !== exact, "deleted is the key that was named");
}
