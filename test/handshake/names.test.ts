import { expect, test } from "vitest";
import { dynamicNodeName, isHostName, splitNodeName } from "../../src/handshake/names.ts";

test("a node name has one @ with something on each side", () => {
  expect(splitNodeName("bilbo@shire.example")).toEqual({ alive: "bilbo", host: "shire.example" });
  for (const wrong of ["bilbo", "@vm", "bilbo@", "a@b@c", "", "@"]) {
    expect(splitNodeName(wrong)).toBeUndefined();
  }
});

test("a host name is something without an @", () => {
  expect(["vm", "a.b", "", "a@b"].map(isHostName)).toEqual([true, true, false, false]);
});

test("a dynamic name is a random number of 64 bits in base 36", () => {
  expect(dynamicNodeName("vm", 0xffff_ffff_ffff_ffffn)).toBe("3W5E11264SGSF@vm");
  expect(dynamicNodeName("vm", -1n)).toBe("3W5E11264SGSF@vm");
});
