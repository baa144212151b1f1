/**
 * Runs beside a copy of bigint-buffer, whose state is the argument: "addon", "plain" or "absent".
 *
 * Prints how many values agreed; anything on standard error is a failure for main.mjs.
 */
import { createRequire } from "node:module";
import { bigintFromBytes, bigintToBytes } from "../../etf/bigint.node.ts";
import { bigintFromBytes as ownFrom, bigintToBytes as ownTo } from "../../etf/bigint.web.ts";
import { decode, encode, exactEquals } from "../../etf/index.ts";

function claim(holds: boolean, what: string): void {
  if (!holds) throw new Error(`does not hold: ${what}`);
}

function refused(run: () => unknown, what: string): void {
  try {
    run();
  } catch (error) {
    claim(error instanceof TypeError || error instanceof RangeError, `${what}: ${error}`);
    return;
  }
  throw new Error(`${what} was not refused`);
}

const state = process.argv[2];
let agreed = 0;
for (let width = 1; width <= 1100; width++) {
  const top = 1n << BigInt(8 * width - 1);
  for (const value of [
    top,
    top - 1n,
    top + 1n,
    2n * top - 1n,
    2n * top - 2n,
    top / 3n,
    top ^ 0x55n,
  ]) {
    const bytes = bigintToBytes(value);
    claim(Buffer.compare(bytes, ownTo(value)) === 0, `bytes of a width of ${width}`);
    claim(bigintFromBytes(bytes) === value && ownFrom(bytes) === value, `width ${width}`);
    claim(exactEquals(decode(encode([value, -value])), [value, -value]), `term of ${width}`);
    agreed++;
  }
}
// What the package's functions abort on, or get wrong, does not reach them.
refused(() => bigintToBytes(5 as unknown as bigint), "a number");
refused(() => bigintToBytes(null as unknown as bigint), "null");
refused(() => bigintToBytes(-5n), "a negative integer");
refused(() => bigintFromBytes(null as unknown as Uint8Array), "null as bytes");
refused(() => bigintFromBytes(1 as unknown as Uint8Array), "a number as bytes");
claim(bigintFromBytes(new Uint8Array(0)) === 0n, "no bytes are 0");
claim(bigintToBytes(0n).length === 1, "0 is one byte");
for (const size of [24, 40, 100, 200]) {
  const plain = new Uint8Array(size).fill(16);
  claim(bigintFromBytes(plain) === BigInt(`0x${"10".repeat(size)}`), "a Uint8Array is no hex");
}
const large = (1n << BigInt(8 * 4_194_304)) - 1n;
claim(bigintFromBytes(bigintToBytes(large)) === large, "4 MiB, the largest that OTP 25 has");

const loaded = Object.keys(createRequire(import.meta.url).cache ?? {});
const addon = loaded.some((file) => file.endsWith("bigint_buffer.node"));
// Without its addon nothing of the package is asked for.
const any = loaded.some((file) => file.includes("bigint-buffer"));
claim(addon === (state === "addon"), `the addon is ${addon ? "" : "not "}loaded`);
claim(any === (state === "addon"), `the package is ${any ? "" : "not "}loaded`);
console.log(`${state}: ${agreed} integers of 1 to 1100 bytes agree`);
