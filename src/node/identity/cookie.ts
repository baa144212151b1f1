/**
 * The cookie and its file, as OTP's auth.erl treats them: `~/.erlang.cookie`, else (OTP 24 and later)
 * `$XDG_CONFIG_HOME/erlang/.erlang.cookie`. The file must be readable by its owner only. If neither
 * exists, the first is created with mode 0400 and twenty random capital letters.
 *
 * A cookie passed as an option, as with `-setcookie`, may contain Latin-1 letters, which a cookie file
 * cannot hold. `erl` accepts control characters and an empty cookie as well. erldist refuses both, since
 * they are mistakes: the newline of a file that the program read, or a variable that is not set.
 */
import { randomInt } from "node:crypto";
import { link, open, readFile, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { NodeError } from "../errors.ts";

const COOKIE_LETTERS = 20;
const MAX_COOKIE_CHARACTERS = 255;
const GIVEN = /^[\x20-\x7e\xa0-\xff]{1,255}$/;

/** Returns the cookie if it is valid. @throws NodeError NODE_COOKIE_INVALID */
export function checkCookie(cookie: string): string {
  if (!GIVEN.test(cookie)) {
    throw new NodeError(
      "NODE_COOKIE_INVALID",
      "The cookie is invalid: use 1 to 255 Latin-1 characters without tabs, newlines or other control characters.",
    );
  }
  return cookie;
}

/**
 * Reads the user's cookie, and creates the file if it does not exist.
 *
 * @param env the environment, with HOME and XDG_CONFIG_HOME
 * @throws NodeError NODE_COOKIE_FILE, NODE_COOKIE_INVALID
 */
export async function userCookie(
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const home = env.HOME ?? env.USERPROFILE;
  if (home === undefined || home === "") {
    throw new NodeError(
      "NODE_COOKIE_FILE",
      "Cannot find the home directory to read .erlang.cookie from. Set HOME, or pass the cookie (--setcookie).",
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
        `Users other than the owner can read the cookie file ${path}. Run: chmod 400 ${path}`,
      );
    }
    text = await readFile(path, "latin1");
  } catch (error) {
    if (error instanceof NodeError) throw error;
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new NodeError("NODE_COOKIE_FILE", `Cannot read the cookie file ${path}.`, {
      cause: error,
    });
  }
  const cookie = cookieIn(text);
  if (cookie === undefined) {
    throw new NodeError(
      "NODE_COOKIE_FILE",
      `The cookie file ${path} does not contain a cookie: its first line must have 1 to 255 printable ASCII characters, with only spaces and newlines after it.`,
    );
  }
  return cookie;
}

/** The cookie in a file's text, if it has one. Spaces before and after the cookie belong to it. */
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
  // Written to a draft and then linked, so that a program that starts meanwhile never reads half a cookie.
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
      `The cookie file ${path} does not exist and cannot be created. Pass the cookie (--setcookie), or make the home directory writable.`,
      { cause: error },
    );
  }
}
