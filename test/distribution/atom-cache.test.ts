import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Atom, atom, decode, TermDecoder, TermWriter } from "../../etf/index.ts";
import { ReceivingAtomCache, SendingAtomCache } from "../../src/distribution/atom-cache.ts";
import { AtomEntries } from "../../src/distribution/atom-entries.ts";
import { type CachedAtom, readAtomCacheRefs } from "../../src/distribution/header.ts";

const decoder = new TermDecoder();
const entries = new AtomEntries();

/** A list of atoms as a message: the header's references, then the term. */
function send(cache: SendingAtomCache, atoms: readonly Atom[]): { head: Buffer; body: Buffer } {
  const writer = new TermWriter();
  expect(cache.begin()).toBe(true);
  writer.atomRefs = cache;
  writer.writeTerm(atoms);
  const head = Buffer.alloc(cache.bytes());
  expect(cache.write(head, 0)).toBe(head.length);
  cache.end();
  return { head, body: Buffer.concat(writer.take()) };
}

function receive(cache: ReceivingAtomCache, { head, body }: ReturnType<typeof send>): unknown {
  const refs: (CachedAtom | undefined)[] = [];
  expect(readAtomCacheRefs(head, 0, head.length, cache, decoder, refs)).toBe(head.length);
  return decoder.decodeAt(body, 0, body.length, refs as CachedAtom[]);
}

const named = (prefix: string, from: number, count: number): Atom[] =>
  Array.from({ length: count }, (_, index) => atom(`${prefix}_${from + index}`));

describe("the atom cache, from sender to receiver", () => {
  test("an atom travels as text once, then as two bytes", () => {
    const sender = new SendingAtomCache(entries);
    const receiver = new ReceivingAtomCache();
    const atoms = [atom("a_rather_long_atom"), atom("kvs"), atom("a_rather_long_atom")];
    const first = send(sender, atoms);
    expect(receive(receiver, first)).toEqual(atoms);
    expect(first.head.includes("a_rather_long_atom")).toBe(true);
    const again = send(sender, atoms);
    expect(receive(receiver, again)).toEqual(atoms);
    expect(again.head).toHaveLength(1 + 2 + 2);
    expect(again.body).toEqual(Buffer.from([108, 0, 0, 0, 3, 82, 0, 82, 1, 82, 0, 106]));
  });

  test("at most 255 atoms are announced, the others are written out", () => {
    const sender = new SendingAtomCache(entries);
    const receiver = new ReceivingAtomCache();
    for (const count of [254, 255, 256, 400]) {
      const atoms = named("many", 0, count);
      const message = send(sender, atoms);
      expect(message.head[0]).toBe(Math.min(count, 255));
      expect(receive(receiver, message)).toEqual(atoms);
      expect(message.body.includes(`many_${count - 1}`)).toBe(count > 255);
      // Each atom beyond is written out as often as it stands there, and those within are not.
      expect(receive(receiver, send(sender, [...atoms, ...atoms]))).toEqual([...atoms, ...atoms]);
    }
  });

  test("atoms of more than 255 bytes, and those beside them", () => {
    const sender = new SendingAtomCache(entries);
    const receiver = new ReceivingAtomCache();
    const atoms = [atom("short"), atom("𝄞".repeat(255)), atom("é".repeat(128)), atom("")];
    for (let round = 0; round < 2; round++) {
      expect(receive(receiver, send(sender, atoms))).toEqual(atoms);
      atoms.reverse();
    }
  });

  test("entries made afresh know nothing of others", () => {
    const text = (cache: SendingAtomCache) => send(cache, [atom("fresh")]).head;
    const used = new AtomEntries();
    expect(text(new SendingAtomCache(used))).toEqual(text(new SendingAtomCache(new AtomEntries())));
    expect(send(new SendingAtomCache(used), [atom("second")]).head[2]).toBe(1);
  });

  test("each connection has a cache of its own", () => {
    const atoms = named("own", 0, 5);
    send(new SendingAtomCache(entries), atoms);
    const other = send(new SendingAtomCache(entries), atoms);
    expect(receive(new ReceivingAtomCache(), other)).toEqual(atoms);
  });

  test("entries are replaced, and replaced atoms come back, on several connections", () => {
    const pool = named("pool", 0, 3000);
    const pairs = [0, 1, 2].map(
      () => [new SendingAtomCache(entries), new ReceivingAtomCache()] as const,
    );
    const message = fc.record({
      pair: fc.nat(2),
      from: fc.nat(2999),
      step: fc.nat(40),
      count: fc.nat(300),
    });
    fc.assert(
      fc.property(fc.array(message, { minLength: 20, maxLength: 60 }), (messages) => {
        for (const { pair, from, step, count } of messages) {
          const atoms = Array.from({ length: count }, (_, i) => pool[(from + i * step) % 3000]!);
          const [sender, receiver] = pairs[pair]!;
          expect(receive(receiver, send(sender, atoms))).toEqual(atoms);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("a message that fails leaves no trace", () => {
    const sender = new SendingAtomCache(entries);
    const writer = new TermWriter();
    expect(sender.begin()).toBe(true);
    writer.atomRefs = sender;
    expect(() => writer.writeTerm([atom("never_sent"), undefined as never])).toThrow();
    sender.end();
    const atoms = [atom("never_sent")];
    expect(receive(new ReceivingAtomCache(), send(sender, atoms))).toEqual(atoms);
  });

  test("a message within a message does without references", () => {
    const outer = new SendingAtomCache(entries);
    const inner = new SendingAtomCache(entries);
    expect(outer.begin()).toBe(true);
    expect(inner.begin()).toBe(false);
    expect(outer.begin()).toBe(false);
    inner.end();
    expect(inner.begin()).toBe(false);
    outer.end();
    expect(inner.begin()).toBe(true);
    inner.end();
  });

  test("the atoms true and false in a pid's or fun's place are kept apart from the booleans", () => {
    const text = Buffer.from([131, 113, 119, 4, 116, 114, 117, 101, 119, 1, 102, 97, 0]);
    const fun = decode(text);
    const sender = new SendingAtomCache(entries);
    const writer = new TermWriter();
    sender.begin();
    writer.atomRefs = sender;
    writer.writeTerm([fun, true]);
    const head = Buffer.alloc(sender.bytes());
    sender.write(head, 0);
    sender.end();
    const body = Buffer.concat(writer.take());
    expect(receive(new ReceivingAtomCache(), { head, body })).toEqual([fun, true]);
  });
});
