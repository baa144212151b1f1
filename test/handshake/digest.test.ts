import { expect, test } from "vitest";
import { cookieDigest, sameDigest } from "../../src/handshake/digest.ts";

test("the digest is that of erlang:md5([Cookie|integer_to_list(Challenge)])", () => {
  // OTP 25: [erlang:md5(["secret"|integer_to_list(N)]) || N <- [0, 4294967295]]
  expect(Buffer.from(cookieDigest("secret", 0)).toString("hex")).toBe(
    "175ec77a7f63082590987d0d8b051aff",
  );
  expect(Buffer.from(cookieDigest("secret", 0xffffffff)).toString("hex")).toBe(
    "5dfd181e69aa587cc812eb333e6536b6",
  );
  // OTP 25: erlang:md5([[229]|"7"])
  expect(Buffer.from(cookieDigest("å", 7)).toString("hex")).toBe(
    "f7bf37c70771593d498bd511257c75b3",
  );
});

test("digests are the same only when every byte is", () => {
  const digest = cookieDigest("secret", 7);
  expect(sameDigest(digest, cookieDigest("secret", 7))).toBe(true);
  for (let at = 0; at < digest.length; at++) {
    const other = Uint8Array.from(digest);
    other[at] = other[at]! ^ 1;
    expect(sameDigest(digest, other)).toBe(false);
  }
  expect(sameDigest(digest, digest.subarray(1))).toBe(false);
});

test("a cookie that no Erlang node can have is refused, and not shown", () => {
  const digest = () => cookieDigest("geheim€", 1);
  expect(digest).toThrow(expect.objectContaining({ code: "HS_COOKIE_INVALID" }));
  expect(digest).not.toThrow("geheim");
});
