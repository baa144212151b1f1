/**
 * Bytes altered at random, the same way for the same seed.
 */

/** Numbers from 0 to `below` - 1, by mulberry32. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Values at the limits of lengths and tags. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff];

/** A copy with one to three changes: bits, bytes, pieces removed, doubled or cut off. */
export function mutant(bytes: Uint8Array, next: (below: number) => number): Buffer {
  let made = Buffer.from(bytes);
  for (let changes = 1 + next(3); changes > 0; changes--) {
    const at = next(made.length + 1);
    const size = 1 + next(6);
    switch (next(6)) {
      case 0:
        if (at < made.length) made[at]! ^= 1 << next(8);
        break;
      case 1:
        if (at < made.length) made[at] = next(256);
        break;
      case 2:
        if (at < made.length) made[at] = EDGES[next(EDGES.length)]!;
        break;
      case 3:
        made = Buffer.concat([made.subarray(0, at), made.subarray(at + size)]);
        break;
      case 4:
        made = Buffer.concat([made.subarray(0, at + size), made.subarray(at)]);
        break;
      default:
        made = Buffer.concat([
          made.subarray(0, at),
          Buffer.from([67 + next(55)]),
          made.subarray(at),
        ]);
    }
  }
  return made;
}
