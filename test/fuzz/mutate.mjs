/** Inputs made of others, at random, the same for the same seed. */

/** Longest input. */
const MAX_BYTES = 4000;
/** Longest of those in which a piece is repeated over and over. */
const MAX_REPEATED_BYTES = 64 * 1024;
/** One input in so many. */
const REPEATED_ONE_IN = 500;

/** Numbers from 0 to `below` - 1, by mulberry32. */
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Bytes of any kind, mostly few. */
export function fresh(next) {
  const bytes = Buffer.alloc(1 + next(next(8) === 0 ? 400 : 60));
  for (let i = 0; i < bytes.length; i++) bytes[i] = next(256);
  return bytes;
}

/** One of the pool with one to four changes, one of which may be a piece of another; or a fresh one. */
export function mutant(pool, next) {
  if (pool.length === 0 || next(8) === 0) return fresh(next);
  let made = Buffer.from(pool[next(pool.length)]);
  for (let changes = 1 + next(4); changes > 0; changes--) made = changed(made, pool, next);
  if (next(REPEATED_ONE_IN) === 0) return repeated(made, next);
  return made.subarray(0, MAX_BYTES);
}

function changed(bytes, pool, next) {
  const at = next(bytes.length + 1);
  const size = 1 + next(8);
  const set = (value) => {
    if (at < bytes.length) bytes[at] = value;
    return bytes;
  };
  const having = (piece) => Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
  switch (next(7)) {
    case 0:
      return set(bytes[at] ^ (1 << next(8)));
    case 1:
      return set(next(256));
    case 2:
      return set([0, 1, 127, 128, 254, 255][next(6)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)]);
    case 4:
      return having(bytes.subarray(at, at + size));
    case 5: {
      const other = pool[next(pool.length)];
      const from = next(other.length);
      return having(other.subarray(from, from + 4 * size));
    }
    default:
      return having(Buffer.of(67 + next(55)));
  }
}

/** A piece many times over: what takes more than its size is worth shows. */
function repeated(bytes, next) {
  const at = next(bytes.length + 1);
  const piece = bytes.subarray(at, at + 1 + next(12));
  if (piece.length === 0) return bytes;
  const times = 1 + next(Math.floor(MAX_REPEATED_BYTES / piece.length));
  const pieces = new Array(times).fill(piece);
  return Buffer.concat([bytes.subarray(0, at), ...pieces, bytes.subarray(at)]);
}

/**
 * Smaller inputs that still fail, as `fails` says, until none of those tried does; `done` ends it
 * before. First pieces are taken out, large ones before small ones, then bytes are made 0.
 */
export async function shrunk(input, fails, done) {
  let best = input;
  for (let size = best.length >> 1; size > 0 && !done(); size >>= 1) {
    for (let at = 0; at + size <= best.length && !done(); ) {
      const tried = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if (await fails(tried)) best = tried;
      else at += size;
    }
  }
  for (let at = 0; at < best.length && at < 500 && !done(); at++) {
    if (best[at] === 0) continue;
    const tried = Buffer.from(best);
    tried[at] = 0;
    if (await fails(tried)) best = tried;
  }
  return best;
}
