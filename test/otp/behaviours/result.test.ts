import { expect, test } from "vitest";
import { asResult } from "../../../src/otp/behaviours/result.ts";

const KEYS = new Set(["reply", "stop"]);

test("nothing and plain objects of the keys allowed are results", () => {
  expect(asResult(undefined, KEYS)).toEqual({});
  expect(asResult({ reply: undefined }, KEYS)).toEqual({ reply: undefined });
  expect(asResult(Object.assign(Object.create(null), { stop: 1 }), KEYS)).toEqual({ stop: 1 });
});

test.each([null, 1, "x", [], new Date(), { reply: 1, other: 2 }])("%o is none", (value) => {
  expect(asResult(value, KEYS)).toBeUndefined();
});
