import { expect, test } from "vitest";
import { CookieTable } from "../../../src/node/identity/cookie-table.ts";

const invalid = expect.objectContaining({ code: "NODE_COOKIE_INVALID" });

test("a peer has its own cookie or the common one", () => {
  const table = new CookieTable("common", { "bilbo@vm": "ring" });
  expect([table.of("bilbo@vm"), table.of("sam@vm"), table.common]).toEqual([
    "ring",
    "common",
    "common",
  ]);
  table.common = "new";
  table.set("sam@vm", "taters");
  expect([table.of("bilbo@vm"), table.of("sam@vm"), table.of("frodo@vm")]).toEqual([
    "ring",
    "taters",
    "new",
  ]);
});

test("an invalid cookie is refused, and the old one stays", () => {
  expect(() => new CookieTable("")).toThrow(invalid);
  expect(() => new CookieTable("common", { "bilbo@vm": "two\tcolumns" })).toThrow(invalid);
  const table = new CookieTable("common");
  expect(() => table.set("bilbo@vm", "\u0436")).toThrow(invalid);
  expect(() => {
    table.common = "a\n";
  }).toThrow(invalid);
  expect(table.of("bilbo@vm")).toBe("common");
});
