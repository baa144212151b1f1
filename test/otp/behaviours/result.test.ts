import { expect, test } from "vitest";
import { asResult } from "../../../src/otp/behaviours/result.ts";

const KEYS = new Set(["reply", "stop"]);

test("nothing, and a plain object with allowed keys, are results", () => {
  expect(asResult(undefined, KEYS)).toEqual({});
  expect(asResult({ reply: undefined }, KEYS)).toEqual({ reply: undefined });
  expect(asResult(Object.assign(Object.create(null), { stop: 1 }), KEYS)).toEqual({ stop: 1 });
});

test.each([null, 1, "x", [], new Date(), { reply: 1, other: 2 }])("%o is not a result", (value) => {
  expect(asResult(value, KEYS)).toBeUndefined();
});
