/**
 * What one format may cost. Requests come from other nodes, and none may hold up the program: what a
 * format asks for beyond its own size has a limit.
 *
 * OTP takes whatever time it takes. Here a format has at most 10,000 control sequences, whose widths
 * and precisions add up to at most a million characters; a format beyond that does not fit. Integers
 * beyond 64 KiB are written in base 16, as `16#1F`, and terms of more than 20,000 parts on one line.
 */
import { type FormatOptions, format, type Term } from "../../../etf/index.ts";

/** Characters that all widths and precisions of a format may ask for. */
const MAX_FIELD = 1_000_000;
/** Widths and precisions up to this size are not counted. */
const SMALL_FIELD = 256;
/** Integers of up to this many bytes are always written in decimal. */
const SMALL_INTEGER_BYTES = 1024;
/** The sum of the squared byte counts of larger integers, since writing one in decimal takes that long. */
const DECIMAL_WORK = (64 * 1024) ** 2;
/** Control sequences of one format. */
const MAX_CONTROLS = 10_000;
/** Parts of terms that are laid out in lines. */
const MAX_LAID_OUT = 20_000;

/** The arguments do not fit the format, or it asks for too much. */
export class FormatMismatch extends Error {}

/** What one format, or one term, may still cost. */
export class Work {
  #controls = MAX_CONTROLS;
  #field = MAX_FIELD;
  #decimal = DECIMAL_WORK;
  #laidOut = MAX_LAID_OUT;
  readonly #decimals = new Map<bigint, string>();

  /**
   * Counts a control sequence, with the larger of its width and precision.
   * @throws FormatMismatch when there are too many, or they ask for too much in total
   */
  control(size: number): void {
    this.#controls--;
    if (size > SMALL_FIELD) this.#field -= size;
    if (this.#controls < 0 || this.#field < 0) throw new FormatMismatch();
  }

  /** A term's text. Terms are laid out in lines until they have too many parts in total. */
  text(term: Term, options: FormatOptions): string {
    return format(term, {
      ...options,
      integerText: (value) => this.integer(value),
      mayLayOut: (parts) => {
        if (parts > this.#laidOut) return false;
        this.#laidOut -= parts;
        return true;
      },
    });
  }

  /** An integer in decimal, or as `16#1F`. */
  integer(value: bigint): string {
    return this.digits(value, 10) ?? based16(value);
  }

  /** The sign and digits of an integer; undefined when they take too long. */
  digits(value: bigint, base: number): string | undefined {
    // Integers below 2^1024 do not take long.
    if ((base & (base - 1)) === 0 || Number.isFinite(Number(value))) return value.toString(base);
    // A term that is laid out is written twice.
    const known = base === 10 ? this.#decimals.get(value) : undefined;
    if (known !== undefined) return known;
    const bytes = value.toString(16).length / 2;
    if (bytes > SMALL_INTEGER_BYTES) {
      if (this.#decimal < bytes ** 2) return undefined;
      this.#decimal -= bytes ** 2;
    }
    const text = value.toString(base);
    if (base === 10) this.#decimals.set(value, text);
    return text;
  }
}

function based16(value: bigint): string {
  const digits = (value < 0n ? -value : value).toString(16).toUpperCase();
  return `${value < 0n ? "-" : ""}16#${digits}`;
}
