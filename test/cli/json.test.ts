import { expect, test } from "vitest";
import { toTaggedJson } from "../../src/cli/json.ts";
import { parse } from "../../src/index.ts";

test.each([
  ["1", 1],
  ["9007199254740993", { $i: "9007199254740993" }],
  ["1.5", 1.5],
  ["1.0", { $f: 1 }],
  ["ok", { $a: "ok" }],
  ["true", true],
  ['<<"text">>', "text"],
  ["<<255>>", { $b: "/w==" }],
  ["<<5:3>>", { $b: "oA==", bits: 3 }],
  ["[1,[]]", [1, []]],
  ["[1|2]", { $l: [1], tail: 2 }],
  ["{a,{}}", { $t: [{ $a: "a" }, { $t: [] }] }],
  ['#{<<"k">> => 1}', { k: 1 }],
  ['#{<<"$k">> => 1}', { $m: [["$k", 1]] }],
  ["#{k => 1}", { $m: [[{ $a: "k" }, 1]] }],
  ["fun lists:map/2", { $fun: "fun lists:map/2" }],
])("%s as JSON", (text, json) => {
  expect(toTaggedJson(parse(text))).toEqual(json);
});
