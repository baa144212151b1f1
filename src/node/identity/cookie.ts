/**
 * The magic cookie and its file, as OTP's auth.erl treats them: `~/.erlang.cookie`, else (OTP 24 and
 * later) `$XDG_CONFIG_HOME/erlang/.erlang.cookie`; readable by its owner only; created with mode 0400
 * and twenty random capital letters when there is none.
 *
 * A cookie that is given, as with `-setcookie`, may have blanks and Latin-1 letters, which no cookie
 * file can hold. `erl` takes control characters and an empty cookie as well; ours refuses both, which are
 * mistakes: the line end of a file that was read, a variable that was not set.
 */
import { randomInt } from "node:crypto";
import { link, open, readFile, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { NodeError } from "../errors.ts";

const COOKIE_LETTERS = 20;
const MAX_COOKIE_CHARACTERS = 255;
const GIVEN = /^[\x20-\x7e\xa0-\xff]{1,255}$/;

/** @throws NodeError NODE_COOKIE_INVALID */
export function checkCookie(cookie: string): string {
  if (!GIVEN.test(cookie)) {
    throw new NodeError(
      "NODE_COOKIE_INVALID",
      "A cookie has 1 to 255 characters of Latin-1, none of them a tab, a line end or another control character; the given one does not.",
    );
  }
  return cookie;
}

/**
 * Reads the user's cookie, creating the file when there is none.
 *
 * @param env where HOME and XDG_CONFIG_HOME are looked up
 * @throws NodeError NODE_COOKIE_FILE, NODE_COOKIE_INVALID
 */
export async function userCookie(
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const home = env.HOME ?? env.USERPROFILE;
  if (home === undefined || home === "") {
    throw new NodeError(
      "NODE_COOKIE_FILE",
      "There is no home directory to read .erlang.cookie from. Set HOME, or give the cookie (--setcookie).",
    );
  }
  const main = join(home, ".erlang.cookie");
  const config = join(env.XDG_CONFIG_HOME || join(home, ".config"), "erlang", ".erlang.cookie");
  const found = (await readCookie(main)) ?? (await readCookie(config));
  return found ?? createCookie(main);
}

async function readCookie(path: string): Promise<string | undefined> {
  let text: string;
  try {
    const status = await stat(path);
    if (!status.isFile()) throw new Error("not a regular file");
    if (process.platform !== "win32" && (status.mode & 0o077) !== 0) {
      throw new NodeError(
        "NODE_COOKIE_FILE",
        `The cookie file ${path} can be read by others than its owner. Run: chmod 400 ${path}`,
      );
    }
    text = await readFile(path, "latin1");
  } catch (error) {
    if (error instanceof NodeError) throw error;
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new NodeError("NODE_COOKIE_FILE", `The cookie file ${path} cannot be read.`, {
      cause: error,
    });
  }
  const cookie = cookieIn(text);
  if (cookie === undefined) {
    throw new NodeError(
      "NODE_COOKIE_FILE",
      `The cookie file ${path} does not hold a cookie: 1 to 255 characters from blank to "~" on its first line, and nothing but blanks and line ends behind them.`,
    );
  }
  return cookie;
}

/** Blanks are part of the cookie, in front of it and behind it too. */
function cookieIn(text: string): string | undefined {
  const end = text.search(/[^ -~]/);
  if (end < 0) return text === "" || text.length > MAX_COOKIE_CHARACTERS ? undefined : text;
  if (end === 0 || end > MAX_COOKIE_CHARACTERS) return undefined;
  return /[^\n\r ]/.test(text.slice(end)) ? undefined : text.slice(0, end);
}

async function createCookie(path: string): Promise<string> {
  const cookie = Array.from({ length: COOKIE_LETTERS }, () =>
    String.fromCharCode(65 + randomInt(26)),
  ).join("");
  // Written aside and linked into place: another program that starts now sees a whole cookie.
  const draft = `${path}.${process.pid}.${randomInt(2 ** 32)}`;
  try {
    const file = await open(draft, "wx", 0o400);
    try {
      await file.writeFile(cookie);
    } finally {
      await file.close();
    }
    try {
      await link(draft, path);
    } finally {
      await unlink(draft);
    }
    return cookie;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      const other = await readCookie(path);
      if (other !== undefined) return other;
    }
    throw new NodeError(
      "NODE_COOKIE_FILE",
      `The cookie file ${path} does not exist and cannot be created. Give the cookie (--setcookie), or make the home directory writable.`,
      { cause: error },
    );
  }
}
