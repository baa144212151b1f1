import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkCookie, userCookie } from "../../../src/node/identity/cookie.ts";

let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "cookie-"));
});
afterEach(() => rm(home, { recursive: true }));

const mode = async (path: string) => (await stat(path)).mode & 0o777;

async function put(path: string, text: string, permissions = 0o400): Promise<void> {
  await writeFile(path, text);
  await chmod(path, permissions);
}

describe("a cookie", () => {
  test.each(["x", "!~", "A".repeat(255), " ", "two words", " first and last ", "é", "ÿ\u00a0"])(
    "may be %j",
    (cookie) => {
      expect(checkCookie(cookie)).toBe(cookie);
    },
  );

  test.each(["", "tab\t", "line\n", "\x7f", "ж", "A".repeat(256)])("may not be %j", (cookie) => {
    expect(() => checkCookie(cookie)).toThrow(
      expect.objectContaining({ name: "NodeError", code: "NODE_COOKIE_INVALID" }),
    );
  });

  test("does not appear in the error", () => {
    expect(() => checkCookie("secret\tword")).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("secret") }),
    );
  });
});

describe("the user's cookie", () => {
  test("is read from the home directory, without the newline", async () => {
    await put(join(home, ".erlang.cookie"), "PRECIOUS\n");
    expect(await userCookie({ HOME: home })).toBe("PRECIOUS");
    expect(await userCookie({ USERPROFILE: home })).toBe("PRECIOUS");
  });

  test("is read from the configuration directory if the home directory has none", async () => {
    await mkdir(join(home, ".config", "erlang"), { recursive: true });
    await put(join(home, ".config", "erlang", ".erlang.cookie"), "CONFIGURED");
    expect(await userCookie({ HOME: home })).toBe("CONFIGURED");
    await mkdir(join(home, "xdg", "erlang"), { recursive: true });
    await put(join(home, "xdg", "erlang", ".erlang.cookie"), "XDG");
    expect(await userCookie({ HOME: home, XDG_CONFIG_HOME: join(home, "xdg") })).toBe("XDG");
    await put(join(home, ".erlang.cookie"), "HOME");
    expect(await userCookie({ HOME: home, XDG_CONFIG_HOME: join(home, "xdg") })).toBe("HOME");
  });

  test("is created if missing: twenty capital letters, readable by the owner only", async () => {
    const cookie = await userCookie({ HOME: home });
    const path = join(home, ".erlang.cookie");
    expect(cookie).toMatch(/^[A-Z]{20}$/);
    expect(await readFile(path, "utf8")).toBe(cookie);
    expect(await mode(path)).toBe(0o400);
    expect(await userCookie({ HOME: home })).toBe(cookie);
    expect(await readdir(home)).toEqual([".erlang.cookie"]);
  });

  test("programs that start at once agree on one", async () => {
    const cookies = await Promise.all(Array.from({ length: 20 }, () => userCookie({ HOME: home })));
    expect(new Set(cookies).size).toBe(1);
    expect(await readdir(home)).toEqual([".erlang.cookie"]);
  });

  test.each([0o440, 0o404, 0o644, 0o420])("is refused when its mode is %o", async (permissions) => {
    const path = join(home, ".erlang.cookie");
    await put(path, "PRECIOUS", permissions);
    await expect(userCookie({ HOME: home })).rejects.toMatchObject({
      code: "NODE_COOKIE_FILE",
      message: expect.stringContaining(`chmod 400 ${path}`),
    });
  });

  test.each([
    ["abc", "abc"],
    ["abc\n", "abc"],
    ["abc\r\n", "abc"],
    ["abc\r", "abc"],
    ["abc\n\r \r\n ", "abc"],
    ["two words\n", "two words"],
    [" abc", " abc"],
    ["abc  \n", "abc  "],
    [" ", " "],
    ["A".repeat(255), "A".repeat(255)],
  ])("of %j is %j", async (text, cookie) => {
    await put(join(home, ".erlang.cookie"), text);
    expect(await userCookie({ HOME: home })).toBe(cookie);
  });

  test.each([
    "",
    "\n",
    "\ntwo",
    "two\nlines",
    "two\n lines",
    "two\t\n",
    "two\n\t",
    "two\0",
    "two\x7f",
    "é",
    "\ufefftwo",
    "A".repeat(256),
    `${"A".repeat(255)} `,
  ])("rejects %j", async (text) => {
    await put(join(home, ".erlang.cookie"), text);
    const error = await userCookie({ HOME: home }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "NodeError", code: "NODE_COOKIE_FILE" });
    expect((error as Error).message).not.toContain("two");
  });

  test("is not a directory", async () => {
    await mkdir(join(home, ".erlang.cookie"));
    await expect(userCookie({ HOME: home })).rejects.toMatchObject({
      code: "NODE_COOKIE_FILE",
      cause: expect.any(Error),
    });
  });

  test("needs a home directory that is writable", async () => {
    await expect(userCookie({})).rejects.toMatchObject({ code: "NODE_COOKIE_FILE" });
    await expect(userCookie({ HOME: "" })).rejects.toMatchObject({ code: "NODE_COOKIE_FILE" });
    await expect(userCookie({ HOME: join(home, "nowhere") })).rejects.toMatchObject({
      code: "NODE_COOKIE_FILE",
      message: expect.stringContaining("cannot be created"),
    });
  });
});
