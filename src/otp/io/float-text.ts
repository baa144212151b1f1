/** Floats as `~f`, `~e` and `~g` of io_lib write them. */
import { FormatMismatch } from "./format-limits.ts";

/** The number of significant digits, as in float_to_list/1. */
const DIGITS = 21;

/** The digits of a float, and the power of ten of the first one. */
function decimal(value: number): { digits: string; power: number } {
  const [mantissa = "", power = ""] = Math.abs(value)
    .toExponential(DIGITS - 1)
    .split("e");
  return { digits: mantissa.replace(".", ""), power: Number(power) };
}

/** Digits times a power of ten, rounded half up to an integer. */
function scaled(digits: string, power: number): string {
  if (power >= 0) return digits.replace(/^0+(?=.)/, "") + "0".repeat(power);
  // The value is below a half, so it rounds to 0.
  if (-power > digits.length) return "0";
  const divisor = 10n ** BigInt(-power);
  return String((BigInt(digits) + divisor / 2n) / divisor);
}

function sign(value: number): string {
  return value < 0 || Object.is(value, -0) ? "-" : "";
}

/** As `~f`: with a number of decimal places. @throws FormatMismatch below 1 place */
export function fixed(value: number, places: number): string {
  if (places < 1) throw new FormatMismatch();
  const { digits, power } = decimal(value);
  const text = scaled(digits, power - DIGITS + 1 + places).padStart(places + 1, "0");
  return `${sign(value)}${text.slice(0, -places)}.${text.slice(-places)}`;
}

/** As `~e`: with an exponent and a number of digits. @throws FormatMismatch below 2 digits */
export function exponential(value: number, precision: number): string {
  if (precision < 2) throw new FormatMismatch();
  const { digits, power } = decimal(value);
  const text = scaled(digits, precision - DIGITS).padEnd(precision, "0");
  // Rounding may add a digit, as from 9.99 to 10.0.
  const raised = power + text.length - precision;
  const mantissa = `${text[0]}.${text.slice(1, precision)}`;
  return `${sign(value)}${mantissa}e${raised < 0 ? "-" : "+"}${Math.abs(raised)}`;
}

/** As `~g`: without an exponent from 0.1 to 9999, if the digits suffice. @throws FormatMismatch below 1 digit */
export function general(value: number, precision: number): string {
  if (precision < 1) throw new FormatMismatch();
  const size = Math.abs(value);
  const power = [0.1, 1, 10, 100, 1000, 10_000].findIndex((limit) => size < limit) - 2;
  const places = precision - 1 - power;
  if (size >= 0.1 && size < 10_000 && places > 0) return fixed(value, places);
  return exponential(value, Math.max(precision, 2));
}
