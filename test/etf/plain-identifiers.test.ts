import { expect, test } from "vitest";
import { Reference, toPlain } from "../../etf/index.ts";

test.each([
  [[1], "#Ref<a@b.1>"],
  [[1, 2], "#Ref<a@b.2.1>"],
  [[1, 2, 3], "#Ref<a@b.3.2.1>"],
  [[1, 2, 3, 4, 5], "#Ref<a@b.5.4.3.2.1>"],
])("a reference of the words %j is %s as plain data", (ids, text) => {
  expect(toPlain(new Reference("a@b", 9, ids))).toBe(text);
});
