/**
 * Chardata: the text that Erlang code passes to `io`, as binaries, lists of code points, and such lists.
 *
 * Spec: stdlib, unicode:chardata().
 */
import { isList, type Term, utf8Text } from "../../../etf/index.ts";

/**
 * The text of chardata; undefined if a term is not chardata.
 * @param latin1 whether binaries and code points are Latin-1, and not UTF-8 and Unicode
 * @param orBytes whether a binary that is not UTF-8 is read as Latin-1
 */
export function chardataToText(chars: Term, latin1: boolean, orBytes = false): string | undefined {
  if (typeof chars === "number") return undefined;
  const text = new TextBuilder();
  const lists: { readonly items: readonly Term[]; next: number }[] = [];
  let list = { items: [chars] as readonly Term[], next: 0 };
  for (;;) {
    while (list.next === list.items.length) {
      const outer = lists.pop();
      if (outer === undefined) return text.done();
      list = outer;
    }
    const item = list.items[list.next++];
    if (typeof item === "number") {
      if (item < 0 || item > 0x10ffff || (item >= 0xd800 && item <= 0xdfff)) return undefined;
      if (latin1 && item > 255) return undefined;
      text.point(item);
    } else if (item instanceof Uint8Array) {
      const decoded = latin1 ? null : utf8Text(item);
      if (decoded === null && !latin1 && !orBytes) return undefined;
      text.text(decoded ?? latin1Text(item));
    } else if (isList(item)) {
      if (item.length === 0) continue;
      lists.push(list);
      list = { items: item, next: 0 };
    } else {
      return undefined;
    }
  }
}

/** Builds a text from single characters and pieces. */
class TextBuilder {
  readonly #parts: string[] = [];
  readonly #units: number[] = [];

  point(code: number): void {
    const units = this.#units;
    if (code < 0x10000) units.push(code);
    else units.push(0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
    if (units.length >= 4096) this.#flush();
  }

  text(piece: string): void {
    this.#flush();
    this.#parts.push(piece);
  }

  done(): string {
    this.#flush();
    return this.#parts.join("");
  }

  #flush(): void {
    if (this.#units.length === 0) return;
    this.#parts.push(String.fromCharCode(...this.#units));
    this.#units.length = 0;
  }
}

function latin1Text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
