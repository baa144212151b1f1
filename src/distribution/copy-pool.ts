/**
 * Buffers for the copies of large binaries on their way out, used again when the operating system has
 * them: to make one of a megabyte and to collect it takes longer than the copy.
 */
const SMALLEST_BYTES = 32 * 1024;
/** Larger copies get a buffer of their own. */
const LARGEST_BYTES = 4 * 1024 * 1024;
/** Bytes of idle buffers that are kept. */
const MAX_IDLE_BYTES = 16 * 1024 * 1024;

export class CopyPool {
  /** By the power of two that their size is. */
  readonly #idle: Uint8Array[][] = Array.from({ length: 32 }, () => []);
  #idleBytes = 0;

  /** A copy of the bytes, in the beginning of a buffer that is to be given back if it fits. */
  copy(bytes: Uint8Array): { copy: Uint8Array; buffer: Uint8Array } {
    const { length } = bytes;
    const buffer = length > LARGEST_BYTES ? Buffer.allocUnsafeSlow(length) : this.#take(length);
    buffer.set(bytes);
    return { copy: buffer.subarray(0, length), buffer };
  }

  /** Nobody reads these buffers any more. */
  giveBack(buffers: readonly Uint8Array[]): void {
    for (const buffer of buffers) {
      const { length } = buffer;
      if (length > LARGEST_BYTES || this.#idleBytes + length > MAX_IDLE_BYTES) continue;
      this.#idle[sizeClass(length)]!.push(buffer);
      this.#idleBytes += length;
    }
  }

  #take(length: number): Uint8Array {
    const power = sizeClass(Math.max(length, SMALLEST_BYTES));
    const idle = this.#idle[power]!.pop();
    if (idle === undefined) return Buffer.allocUnsafeSlow(2 ** power);
    this.#idleBytes -= idle.length;
    return idle;
  }
}

/** The least power of two that has room for so many bytes. */
function sizeClass(length: number): number {
  return 32 - Math.clz32(length - 1);
}
