/** The table of docs/otp-releases.md fits the flags and the releases of the sources. */
import { expect, test } from "vitest";
import { SUPPORTED_RELEASES } from "../interop/index.ts";
import { releaseRows } from "../interop/support/release-table.ts";
import { DFLAG, FLAGS, type FlagName, MANDATORY_25 } from "../src/distribution/flags.ts";
import { OTP_RELEASE } from "../src/otp/operator/version.ts";

const rows = releaseRows();
const names = Object.keys(FLAGS) as FlagName[];

test("has a row for each release, the newest last", () => {
  expect(rows.map(({ release }) => release)).toEqual([23, 24, 25, 26, 27, 28, 29]);
  expect(rows.at(-1)?.release).toBe(Number(OTP_RELEASE));
  expect(rows.at(-1)?.release).toBe(Math.max(...names.map((name) => FLAGS[name].since)));
  expect(rows.map(({ release }) => String(release))).toEqual(
    expect.arrayContaining([...SUPPORTED_RELEASES]),
  );
});

test.each(rows)("OTP $release offers the flags known since then", ({ release, offers, added }) => {
  const known = names.filter((name) => FLAGS[name].offered && FLAGS[name].since <= release);
  expect(offers).toBe(known.reduce((bits, name) => bits | DFLAG[name], 0n));
  expect(added).toEqual(
    release === 23 ? [] : known.filter((name) => FLAGS[name].since === release),
  );
});

test("OTP 25 demands what its digest stands for, later releases two flags more", () => {
  const later = MANDATORY_25 | DFLAG.UNLINK_ID | DFLAG.V4_NC;
  for (const { release, demands } of rows.filter(({ release }) => release >= 25)) {
    expect(demands, `OTP ${release}`).toBe(release === 25 ? MANDATORY_25 : later);
  }
});
