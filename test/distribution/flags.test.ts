import { describe, expect, test } from "vitest";
import {
  DFLAG,
  expandDigest,
  flagNames,
  MANDATORY_25,
  missingFlags,
  negotiate,
  releaseWith,
} from "../../src/distribution/flags.ts";

describe("flags", () => {
  test("have the runtime's values", () => {
    expect(MANDATORY_25).toBe(0x1070f94n);
    expect(DFLAG.MANDATORY_25_DIGEST).toBe(0x4000000n);
    expect(DFLAG.SPAWN).toBe(0x1_0000_0000n);
    expect(DFLAG.ALTACT_SIG).toBe(0x20_0000_0000n);
  });

  test("are each one bit of its own", () => {
    const bits = Object.values(DFLAG);
    expect(new Set(bits).size).toBe(bits.length);
    for (const bit of bits) expect(bit & (bit - 1n)).toBe(0n);
  });

  test("the digest stands for the mandatory ones", () => {
    expect(expandDigest(DFLAG.MANDATORY_25_DIGEST)).toBe(MANDATORY_25 | DFLAG.MANDATORY_25_DIGEST);
    expect(expandDigest(DFLAG.SPAWN)).toBe(DFLAG.SPAWN);
    expect(missingFlags(DFLAG.MANDATORY_25_DIGEST, MANDATORY_25)).toEqual([]);
  });

  test("hints at the release that has all of them", () => {
    expect(releaseWith(["MAP_TAG"])).toBe(23);
    expect(releaseWith(["V4_NC", "ALTACT_SIG", "FUN_TAGS"])).toBe(28);
  });

  test("what is missing is named, lowest bit first", () => {
    const offered = MANDATORY_25 & ~DFLAG.MAP_TAG & ~DFLAG.FUN_TAGS;
    expect(missingFlags(offered, MANDATORY_25)).toEqual(["FUN_TAGS", "MAP_TAG"]);
    expect(flagNames(DFLAG.V4_NC | DFLAG.PUBLISHED)).toEqual(["PUBLISHED", "V4_NC"]);
  });

  test("are in force when both sides offer them, by digest or one by one", () => {
    const digest = DFLAG.MANDATORY_25_DIGEST;
    expect(negotiate(digest | DFLAG.SPAWN, MANDATORY_25 | DFLAG.ALIAS)).toBe(MANDATORY_25);
    expect(negotiate(digest | DFLAG.SPAWN, digest | DFLAG.SPAWN) & DFLAG.SPAWN).toBe(DFLAG.SPAWN);
  });
});
