/**
 * The input of an I/O device: text from a stream. Readers take what they ask for one at a time, and
 * leave the rest to the next.
 *
 * Bytes must be UTF-8. At the first invalid ones, once the text before them is taken, reading fails for
 * good with the code EILSEQ. The stream is not read before a reader asks, and no further than needed.
 */
import { Utf8Stream } from "../../../etf/index.ts";

/** Where text comes from: `process.stdin`, another stream, or any iterable of pieces of text. */
export type TextSource = AsyncIterable<string | Uint8Array>;

/**
 * Cuts what a reader asked for from the start of the available text; undefined if that takes more text.
 * @param ended whether no more text follows
 */
export type Cut<T> = (
  text: string,
  ended: boolean,
) => { readonly value: T; readonly rest: string } | undefined;

/** The text of a stream, with a queue of readers. */
export class TextInput {
  readonly #source: TextSource;
  readonly #decoder = new Utf8Stream();
  #iterator: AsyncIterator<string | Uint8Array> | undefined;
  #reading: Promise<void> | undefined;
  #text = "";
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #lastTurn: Promise<void> = Promise.resolve();

  constructor(source: TextSource) {
    this.#source = source;
  }

  /**
   * Takes what `cut` cuts, after all earlier readers.
   *
   * @param prompt called when the reader's turn comes, and before waiting for each further line
   * @throws the stream's error; the signal's reason, and then no text has been taken
   */
  take<T>(cut: Cut<T>, prompt: () => void, signal: AbortSignal): Promise<T> {
    const taken = this.#lastTurn.then(() => this.#take(cut, prompt, signal));
    const done = (): void => {};
    this.#lastTurn = taken.then(done, done);
    return taken;
  }

  async #take<T>(cut: Cut<T>, prompt: () => void, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    prompt();
    for (let waited = false; ; waited = true) {
      const taken = cut(this.#text, this.#ended);
      if (taken !== undefined) {
        this.#text = taken.rest;
        return taken.value;
      }
      if (this.#failure !== undefined) throw this.#failure.error;
      if (waited && this.#text.endsWith("\n")) prompt();
      await this.#more(signal);
    }
  }

  /** Waits for the next piece of the stream. If the signal fires first, the piece is left to others. */
  #more(signal: AbortSignal): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    const reading = this.#reading;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      signal.addEventListener("abort", onAbort);
      void reading.then(() => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      });
    });
  }

  #decode(bytes: Uint8Array, last: boolean): void {
    const { text, malformed } = this.#decoder.decode(bytes, last);
    this.#text += text;
    if (malformed) throw new NotUtf8Error();
  }

  async #read(): Promise<void> {
    try {
      this.#iterator ??= this.#source[Symbol.asyncIterator]();
      const { done, value } = await this.#iterator.next();
      if (done === true) {
        this.#decode(new Uint8Array(0), true);
        this.#ended = true;
      } else if (typeof value === "string") this.#text += value;
      else this.#decode(value, false);
    } catch (error) {
      this.#failure = { error };
    }
  }
}

/** The stream contains bytes that are not UTF-8. */
class NotUtf8Error extends Error {
  /** The POSIX name of an illegal byte sequence. */
  readonly code = "EILSEQ";
  constructor() {
    super("The input is not UTF-8.");
  }
}

/** Cuts a line with its newline, or the last one without; null at the end of the text. */
export const cutLine: Cut<string | null> = (text, ended) => {
  const end = text.indexOf("\n") + 1;
  if (end > 0) return { value: text.slice(0, end), rest: text.slice(end) };
  return ended ? { value: text === "" ? null : text, rest: "" } : undefined;
};

/** Makes a cut of `count` characters, or of those that are left; null at the end of the text. */
export function cutCharacters(count: number): Cut<string | null> {
  return (text, ended) => {
    let at = 0;
    for (let taken = 0; taken < count && at < text.length; taken++) {
      at += text.codePointAt(at)! > 0xffff ? 2 : 1;
      if (taken === count - 1) return { value: text.slice(0, at), rest: text.slice(at) };
    }
    if (count === 0) return { value: "", rest: text };
    return ended ? { value: text === "" ? null : text, rest: "" } : undefined;
  };
}
