import { expect, test } from "vitest";
import { epmdAddressesFromEnv, epmdPortFromEnv, epmdRelaxedFromEnv } from "../../src/epmd/env.ts";

test("ERL_EPMD_PORT is a TCP port, 4369 unless set", () => {
  expect(epmdPortFromEnv({})).toBe(4369);
  expect(epmdPortFromEnv({ ERL_EPMD_PORT: "" })).toBe(4369);
  expect(epmdPortFromEnv({ ERL_EPMD_PORT: "5000" })).toBe(5000);
  for (const wrong of ["0", "65536", "4369x", "-1", "1e3"]) {
    expect(() => epmdPortFromEnv({ ERL_EPMD_PORT: wrong })).toThrow(
      expect.objectContaining({ code: "EPMD_CONFIG", message: expect.stringContaining(wrong) }),
    );
  }
});

test("ERL_EPMD_ADDRESS is a list, all interfaces unless set", () => {
  expect(epmdAddressesFromEnv({})).toBeUndefined();
  expect(epmdAddressesFromEnv({ ERL_EPMD_ADDRESS: " , " })).toBeUndefined();
  expect(epmdAddressesFromEnv({ ERL_EPMD_ADDRESS: "10.0.0.1, 127.0.0.1,::1" })).toEqual([
    "10.0.0.1",
    "127.0.0.1",
    "::1",
  ]);
});

test("ERL_EPMD_RELAXED_COMMAND_CHECK only has to be there", () => {
  expect(epmdRelaxedFromEnv({})).toBe(false);
  expect(epmdRelaxedFromEnv({ ERL_EPMD_RELAXED_COMMAND_CHECK: "" })).toBe(true);
});
