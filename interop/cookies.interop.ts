/** Cookies: what each release takes from a file and from the command line, and ours; and what goes into the digest. */

import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { checkCookie, userCookie } from "../src/node/identity/cookie.ts";
import { hostPath, interopRun, type OtpRelease, runOtp, startOtpNode } from "./index.ts";
import { runCommand, startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

/** What stands in the file, as Latin-1, and the cookie that it is. */
const FILES: [text: string, cookie: string | undefined][] = [
  ["abc", "abc"],
  ["abc\n", "abc"],
  ["abc\r\n", "abc"],
  ["abc\r", "abc"],
  ["abc\n\n\r \n ", "abc"],
  ["abc def\n", "abc def"],
  [" abc", " abc"],
  ["abc  \n", "abc  "],
  [" ", " "],
  ["a~!z'\"", "a~!z'\""],
  ["A".repeat(255), "A".repeat(255)],
  ["A".repeat(256), undefined],
  [`${"A".repeat(255)} `, undefined],
  ["", undefined],
  ["\n", undefined],
  ["\nabc", undefined],
  ["abc\ndef", undefined],
  ["abc\n def", undefined],
  ["abc\t\n", undefined],
  ["a\tbc", undefined],
  ["abc\n\t", undefined],
  ["abc\0", undefined],
  ["abc\v", undefined],
  ["abc\x7f", undefined],
  ["ab\xe5", undefined],
  ["\xef\xbb\xbfabc", undefined],
];

const HOME_FILE = ".erlang.cookie";
const CONFIG_FILE = ".config/erlang/.erlang.cookie";

type Layout = (home: string) => void;

const put =
  (text: string, mode = 0o400, file = HOME_FILE): Layout =>
  (home) => {
    const path = join(home, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { encoding: "latin1" });
    chmodSync(path, mode);
  };

/** Homes, and the cookie read there: undefined for an error, "new" for one made. */
const HOMES: [what: string, layout: Layout, cookie: string | undefined][] = [
  ["no file", () => {}, "new"],
  ["mode 600", put("abc", 0o600), "abc"],
  ["mode 700", put("abc", 0o700), "abc"],
  ["mode 440", put("abc", 0o440), undefined],
  ["mode 404", put("abc", 0o404), undefined],
  ["mode 401", put("abc", 0o401), undefined],
  ["a folder", (home) => mkdirSync(join(home, HOME_FILE)), undefined],
  ["a device", (home) => symlinkSync("/dev/null", join(home, HOME_FILE)), undefined],
  ["a link to nowhere", (home) => symlinkSync("/nowhere/else", join(home, HOME_FILE)), undefined],
  [
    "a link to a file",
    (home) => {
      put("linked", 0o400, "real")(home);
      symlinkSync("real", join(home, HOME_FILE));
    },
    "linked",
  ],
  [
    "two files",
    (home) => {
      put("home")(home);
      put("config", 0o400, CONFIG_FILE)(home);
    },
    "home",
  ],
  [
    "a bad file before a good one",
    (home) => {
      put("\n")(home);
      put("config", 0o400, CONFIG_FILE)(home);
    },
    undefined,
  ],
  ["the file of the configuration", put("config", 0o400, CONFIG_FILE), "config"],
  ["a bad file of the configuration", put("\t", 0o400, CONFIG_FILE), undefined],
  ["a file of the configuration for all", put("config", 0o444, CONFIG_FILE), undefined],
];

/** The cookie that `erl ARGS` has, or undefined when it does not start. */
async function erlCookie(otp: OtpRelease, home: string, args: readonly string[] = []) {
  const { uniqueName } = await interopRun();
  const { output } = await runOtp({
    otp,
    command: [
      "erl",
      "-noshell",
      ...["-sname", uniqueName("cookie")],
      ...args,
      "-eval",
      'io:format("cookie ~w.~n", [[x | atom_to_list(erlang:get_cookie())]]), halt()',
    ],
    env: { HOME: home, ERL_CRASH_DUMP_SECONDS: "0", LANG: "C.UTF-8" },
  });
  const codes = /cookie \[x([\d,\s]*)\]\./.exec(output)?.[1];
  return codes && String.fromCodePoint(...codes.slice(1).split(",").map(Number));
}

eachOtp((otp) => {
  const release = Number(otp.release);

  /** Runs with a home that the release sees too. */
  async function withHome<T>(layout: Layout, run: (there: string, here: string) => Promise<T>) {
    const here = mkdtempSync(join(hostPath(otp, "/tmp"), "erldist-cookie-"));
    try {
      layout(here);
      return await run(`/tmp/${here.split("/").at(-1)}`, here);
    } finally {
      rmSync(here, { recursive: true, force: true });
    }
  }

  const ourCookie = (home: string): Promise<string | undefined> =>
    userCookie({ HOME: home }).catch((error: { code: string }) => {
      expect(error.code).toBe("NODE_COOKIE_FILE");
      return undefined;
    });

  it("a file is read as erl reads it", async () => {
    for (const [text, cookie] of FILES) {
      const hint = JSON.stringify(text);
      await withHome(put(text), async (there, here) => {
        expect(await erlCookie(otp, there), `erl: ${hint}`).toBe(cookie);
        expect(await ourCookie(here), `ours: ${hint}`).toBe(cookie);
      });
    }
  });

  it("the file is found, made and refused as by erl", async () => {
    for (const [what, layout, cookie] of HOMES) {
      // Releases before 24 do not look into the configuration.
      const made = release < 24 && what.includes("of the configuration");
      const wanted = made ? "new" : cookie;
      const expected = (found: string | undefined): string | undefined =>
        wanted === "new" && found !== undefined && /^[A-Z]{20}$/.test(found) ? "new" : found;
      await withHome(layout, async (there) => {
        expect(expected(await erlCookie(otp, there)), `erl: ${what}`).toBe(wanted);
      });
      await withHome(layout, async (there, here) => {
        const ours = await ourCookie(here);
        if (!made) expect(expected(ours), `ours: ${what}`).toBe(wanted);
        // What we made, erl reads.
        if (wanted === "new" && !made) expect(await erlCookie(otp, there)).toBe(ours);
      });
    }
  });

  it("a cookie that is given may have blanks and Latin-1 letters", async () => {
    for (const cookie of ["abc def", " abc ", " ", "å", "ÿa", "é".repeat(255), "a'b"]) {
      await withHome(put("other"), async (there) => {
        expect(await erlCookie(otp, there, ["-setcookie", cookie])).toBe(cookie);
        expect(checkCookie(cookie)).toBe(cookie);
      });
    }
    const long = "é".repeat(256);
    await withHome(put("other"), async (there) => {
      expect(await erlCookie(otp, there, ["-setcookie", long])).toBeUndefined();
    });
    expect(() => checkCookie(long)).toThrow(
      expect.objectContaining({ code: "NODE_COOKIE_INVALID" }),
    );
  });

  it("nodes prove cookies with blanks and Latin-1 letters to each other, in both roles", async () => {
    for (const cookie of ["abc def", " é ÿ "]) {
      await using genuine = await startOtpNode({ otp, args: ["-setcookie", cookie] });
      await using ours = await startOurNode({ cookie });
      await ours.connect(genuine.name);
      ours.disconnect(genuine.name);
      await expect.poll(() => genuine.eval("nodes(hidden)")).toBe("[]");
      expect(await genuine.eval(`net_kernel:connect_node('${ours.name}')`)).toBe("true");
      const args = ["ping", genuine.name, "--setcookie", cookie];
      expect(await runCommand(args)).toMatchObject({ code: 0, stdout: "pong\n" });
    }
  });

  it("a cookie outside Latin-1 never matches, between Erlang nodes either", async () => {
    const args = ["-setcookie", "ж"];
    await using one = await startOtpNode({ otp, args });
    await using other = await startOtpNode({ otp, args });
    expect(await one.eval("erlang:get_cookie()")).toBe("'ж'");
    expect(await one.eval(`net_kernel:connect_node('${other.name}')`)).toBe("false");
    expect(() => checkCookie("ж")).toThrow(
      expect.objectContaining({ code: "NODE_COOKIE_INVALID" }),
    );
  });
});
