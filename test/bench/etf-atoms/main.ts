/**
 * npm run bench:atoms [-- COUNT]
 *
 * A stream of distinct atoms (50 million by default) through one decoder, as a hostile peer could send
 * it: the heap must stay where it was. Prints it after every twentieth of the way, with the garbage
 * collected, and the most that it was on the way there, with the garbage of the moment.
 */
import { setImmediate } from "node:timers/promises";
import { atomTableSize } from "../../../etf/atom.ts";
import { atom, TermDecoder } from "../../../etf/index.ts";

const count = Number(process.argv[2] ?? 50_000_000);
/** Atoms of one frame, after which the event loop goes round as it does between frames. */
const FRAME_ATOMS = 1000;

const decoder = new TermDecoder();
const frame = Buffer.alloc(FRAME_ATOMS * 16);
const held = atom("held_all_the_time");
const gc = (globalThis as { gc?: () => void }).gc ?? (() => {});
let done = 0;
let peak = 0;
const started = performance.now();

async function report(): Promise<void> {
  gc();
  await setImmediate(); // what is told of a collection is told afterwards
  gc();
  const { heapUsed, rss } = process.memoryUsage();
  const [heap, most, resident] = [heapUsed, peak, rss].map((bytes) => (bytes / 2 ** 20).toFixed(1));
  peak = 0;
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `${String(done).padStart(9)} atoms  heap ${heap} MiB, at most ${most}  rss ${resident} MiB  table ${atomTableSize()}  ${seconds} s`,
  );
}

await report();
while (done < count) {
  let at = 0;
  for (let i = 0; i < FRAME_ATOMS; i++, done++) {
    const size = frame.write(`atom_${done.toString(36)}`, at + 2, "latin1");
    frame[at] = 119;
    frame[at + 1] = size;
    at += 2 + size;
  }
  for (let offset = 0; offset < at; offset = decoder.offset) decoder.decodeAt(frame, offset, at);
  if (done % (20 * FRAME_ATOMS) === 0) {
    peak = Math.max(peak, process.memoryUsage().heapUsed);
    await setImmediate();
  }
  if (done % Math.max(FRAME_ATOMS, count / 20) === 0) await report();
}
const bytes = Buffer.from("\x77\x11held_all_the_time", "latin1");
if (decoder.decodeAt(bytes, 0, bytes.length) !== held) throw new Error("the held atom was lost");
