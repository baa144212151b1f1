/**
 * Odd and deprecated forms: ours are read when a release of OTP reads them, and refused when none does.
 * `interop/odd-terms.interop.ts` asks the releases about the same bytes.
 */
import { expect, test } from "vitest";
import { decode, EtfDecodeError, encode, exactEquals, format, Reference } from "../../etf/index.ts";
import oddTerms from "../vectors/odd-terms.json" with { type: "json" };

const bytesOf = (hex: string): Buffer => Buffer.from(`83${hex}`, "hex");

test("what some release reads is read, and comes back the same", () => {
  for (const { name, hex } of oddTerms.filter(({ read }) => read !== "none")) {
    const term = decode(bytesOf(hex));
    expect(exactEquals(decode(encode(term)), term), name).toBe(true);
  }
});

test("what no release reads is refused", () => {
  for (const { name, hex } of oddTerms.filter(({ read }) => read === "none")) {
    expect(() => decode(bytesOf(hex)), name).toThrow(EtfDecodeError);
  }
});

test("an arity that no function has is kept", () => {
  // Not in the table: the emulator of OTP 27 dies of these bytes. Others keep 32 bits.
  for (const [arity, hex] of [
    [256, "6200000100"],
    [2 ** 31, "6e040000000080"],
    [2 ** 32 - 1, "6e0800ffffffffffffff07"],
  ] as const) {
    const fun = decode(bytesOf(`7177016d770166${hex}`));
    expect(fun).toMatchObject({ arity });
    expect(exactEquals(decode(encode(fun)), fun)).toBe(true);
  }
  expect(() => decode(bytesOf("7177016d7701666e08000000000000000008"))).toThrow(EtfDecodeError);
});

test("a reference without words", () => {
  const ref = decode(bytesOf("5a0000770361406200000003")) as Reference;
  expect(format(ref)).toBe("#Ref<a@b>");
  expect(String(ref)).toBe("#Ref<a@b>");
  expect(ref.equals(new Reference("a@b", 3, [0]))).toBe(true);
  expect(Buffer.from(encode(ref)).toString("hex")).toBe("835a0000770361406200000003");
});
