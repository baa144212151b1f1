/**
 * An input of the fuzzing, read as a series of choices.
 *
 * What is structured (a term, a control message, a script of a peer) is made by asking for one choice
 * after the other; each takes a byte or more of the input, and behind its end every choice is 0. So
 * any bytes make something sound, a changed byte makes something else of the kind, and taking bytes
 * away makes it simpler, which is how a failing input is shrunk.
 */
export class Choices {
  /** Bytes that the code under test was given for this input, when they are more than the input's own. */
  given: number;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.given = bytes.length;
  }

  get exhausted(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  /** A number from 0 to `below` - 1. */
  below(below: number): number {
    if (below <= 256) return this.byte() % below;
    return this.uint32() % below;
  }

  uint32(): number {
    return ((this.byte() << 24) | (this.byte() << 16) | (this.byte() << 8) | this.byte()) >>> 0;
  }

  /** True once in so many times; false where the choices have ended. */
  oneIn(times: number): boolean {
    return this.byte() % times === times - 1;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    bytes.set(this.#bytes.subarray(this.#at, this.#at + length));
    this.#at += length;
    return bytes;
  }

  /** What is left, as it is. */
  rest(): Uint8Array {
    const rest = this.#bytes.subarray(this.#at);
    this.#at = this.#bytes.length;
    return rest;
  }
}

/** Values that lengths, tags and counts turn on. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff];

/** The bytes with some changes, chosen too: bits, bytes, pieces taken out, doubled, put in or cut off. */
export function spoilt(bytes: Uint8Array, choices: Choices): Uint8Array {
  let made = Buffer.from(bytes);
  for (let changes = 1 + choices.below(3); changes > 0; changes--) {
    const at = choices.below(65_536) % (made.length + 1);
    const size = 1 + choices.below(6);
    switch (choices.below(7)) {
      case 0:
        if (at < made.length) made[at]! ^= 1 << choices.below(8);
        break;
      case 1:
        if (at < made.length) made[at] = choices.byte();
        break;
      case 2:
        if (at < made.length) made[at] = choices.pick(EDGES);
        break;
      case 3:
        made = Buffer.concat([made.subarray(0, at), made.subarray(at + size)]);
        break;
      case 4:
        made = Buffer.concat([made.subarray(0, at + size), made.subarray(at)]);
        break;
      case 5:
        made = made.subarray(0, at);
        break;
      default: {
        const tag = Buffer.of(67 + choices.below(55));
        made = Buffer.concat([made.subarray(0, at), tag, made.subarray(at)]);
      }
    }
  }
  return made;
}

/** A claim about the code under test; what does not hold is a finding. */
export function claim(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`does not hold: ${what}`);
}
