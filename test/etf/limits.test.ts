import { getHeapStatistics } from "node:v8";
import { deflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  atom,
  BitString,
  type DecodeOptions,
  decode,
  encode,
  exactEquals,
  LocalFun,
  Pid,
  Port,
  Reference,
  type Term,
  TermDecoder,
  type TermInput,
  TermWriter,
  tuple,
} from "../../etf/index.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const code = (name: string) => expect.objectContaining({ code: name });

describe("every code of a decode error", () => {
  test.each<[string, string, DecodeOptions?]>([
    ["ETF_TRUNCATED", ""],
    ["ETF_TRUNCATED", "83"],
    ["ETF_TRUNCATED", "83 6d 00000005 01"],
    ["ETF_BAD_VERSION", "84 61 01"],
    ["ETF_TRAILING_BYTES", "83 61 01 00"],
    ["ETF_UNKNOWN_TAG", "83 ff"],
    ["ETF_UNKNOWN_TAG", "83 68 01 79 00"],
    ["ETF_BAD_FIELD", "83 58 61 01 00000001 00000001 00000001"],
    ["ETF_BAD_FIELD", "83 5a 0006 77 01 61 00000001"],
    ["ETF_BAD_FIELD", "83 67 7701 61 00000001 00000001 04"],
    ["ETF_BAD_FIELD", "83 66 7701 61 00000001 04"],
    ["ETF_BAD_FIELD", "83 65 7701 61 00000001 04"],
    ["ETF_BAD_FIELD", "83 65 7701 61 00040000 01"],
    ["ETF_BAD_FIELD", "83 72 0003 7701 61 01 00040000 00000001 00000001"],
    ["ETF_BAD_FIELD", "83 4d 00000001 09 ff"],
    ["ETF_BAD_FIELD", "83 4d 00000001 00 ff"],
    ["ETF_BAD_FIELD", "83 71 7701 61 7701 62 62 ffffffff"],
    ["ETF_BAD_FIELD", "83 43 00000002 00 77016d 770172 770166 770166 6101 6101"],
    ["ETF_BAD_ATOM", "83 77 01 ff"],
    ["ETF_BAD_ATOM", `83 76 0100 ${"61".repeat(256)}`],
    ["ETF_BAD_ATOM", `83 64 0100 ${"e9".repeat(256)}`],
    ["ETF_BAD_FLOAT", "83 46 7ff0000000000000"],
    ["ETF_BAD_FLOAT", "83 46 7ff8000000000000"],
    ["ETF_BAD_FLOAT", `83 63 ${"78".repeat(31)}`],
    ["ETF_DUPLICATE_KEY", "83 74 00000002 6101 6102 6101 6103"],
    ["ETF_BAD_ATOM_REF", "83 52 00"],
    ["ETF_BAD_COMPRESSED", "83 50 00000005 ffffffffff"],
    ["ETF_LIMIT", "83 50 7fffffff 78", {}],
    ["ETF_LIMIT", "83 68 01 68 01 6a", { maxDepth: 1 }],
    ["ETF_LIMIT", "83 6d 00000004 01020304", { maxTermBytes: 8 }],
    ["ETF_LIMIT", "83 6e 09 00 010203040506070809", { maxIntegerBytes: 8 }],
  ])("%s for %s", (name, text, options) => {
    expect(() => decode(hex(text), options)).toThrow(code(name));
  });

  test("with the offset", () => {
    expect(() => decode(hex("83 68 02 61 01 ff"))).toThrow(expect.objectContaining({ offset: 5 }));
  });
});

test("documented defaults", () => {
  expect(new TermDecoder()).toMatchObject({
    maxDepth: 2_000_000,
    maxTermBytes: 0xffffffff,
    maxIntegerBytes: 4_194_304,
    maxInflatedBytes: 64 * 1024 * 1024,
  });
  expect(new TermWriter().maxDepth).toBe(2_000_000);
});

describe("a compressed term", () => {
  const inner = encode("x".repeat(10_000)).subarray(1);
  const compressed = (size: number, data: Uint8Array) => {
    const head = Buffer.from([131, 80, 0, 0, 0, 0]);
    head.writeUInt32BE(size, 2);
    return Buffer.concat([head, data]);
  };

  test("is read, and only that long", () => {
    const bytes = compressed(inner.length, deflateSync(inner));
    expect(decode(bytes)).toEqual(Buffer.alloc(10_000, "x"));
    expect(() => decode(Buffer.concat([bytes, hex("00")]))).toThrow(code("ETF_TRAILING_BYTES"));
    for (let i = 6; i < bytes.length; i++) {
      expect(() => decode(bytes.subarray(0, i))).toThrow(code("ETF_TRUNCATED"));
    }
  });

  test("inflates to its declared size and no further", () => {
    const bomb = deflateSync(Buffer.alloc(50_000_000));
    expect(() => decode(compressed(1000, bomb))).toThrow(code("ETF_BAD_COMPRESSED"));
    expect(() => decode(compressed(inner.length - 1, deflateSync(inner)))).toThrow(
      code("ETF_BAD_COMPRESSED"),
    );
    expect(() => decode(compressed(inner.length + 1, deflateSync(inner)))).toThrow(
      code("ETF_BAD_COMPRESSED"),
    );
  });

  test("holds one term", () => {
    const two = Buffer.concat([inner, hex("6a")]);
    expect(() => decode(compressed(two.length, deflateSync(two)))).toThrow(
      code("ETF_BAD_COMPRESSED"),
    );
  });
});

test("claims of nested containers never add up to more than the bytes", () => {
  // Each of 100,000 lists claims all that is left: in sum 10^10 elements.
  const size = 100_000;
  const bytes = Buffer.alloc(1 + 5 * size, 0x6a);
  bytes[0] = 131;
  for (let i = 0; i < size; i++) {
    bytes[1 + 5 * i] = 108;
    bytes.writeUInt32BE(5 * (size - i - 1), 2 + 5 * i);
  }
  const before = process.memoryUsage().rss;
  expect(() => decode(bytes)).toThrow(code("ETF_TRUNCATED"));
  expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
});

describe("every code of an encode error", () => {
  test.each<[string, () => unknown]>([
    ["ETF_NOT_A_TERM", () => encode(undefined as unknown as TermInput)],
    ["ETF_NOT_A_TERM", () => encode([Symbol("x")] as unknown as TermInput)],
    ["ETF_NOT_A_TERM", () => encode(new Date() as unknown as TermInput)],
    ["ETF_NOT_A_TERM", () => encode(Number.POSITIVE_INFINITY)],
    ["ETF_BAD_TEXT", () => encode("\ud800")],
    ["ETF_BAD_TEXT", () => atom("\udc00")],
    ["ETF_ATOM_BOOLEAN", () => atom("false")],
    ["ETF_ATOM_TOO_LONG", () => atom("é".repeat(256))],
    ["ETF_OUT_OF_RANGE", () => new Pid("a@b", -1, 0, 0)],
    ["ETF_OUT_OF_RANGE", () => new Port("a@b", 2n ** 64n, 0)],
    ["ETF_OUT_OF_RANGE", () => new Reference("a@b", 0, [])],
    ["ETF_LIMIT", () => encode([[[]]], { maxDepth: 2 })],
  ])("%s", (name, run) => {
    expect(run).toThrow(code(name));
  });

  test.each<[unknown, string]>([
    [[1, [2, null]], "[1][1]"],
    [{ a: { "b c": Number.NaN } }, '.a["b c"]'],
    [new Map([["k", [() => 1]]]), '.get("k")[0]'],
    [tuple(atom("ok"), tuple(undefined as unknown as Term)), "[1][0]"],
    [new Map([[null, 1]]), ".key(0)"],
  ])("with the path in %o", (value, path) => {
    expect(() => encode(value as TermInput)).toThrow(expect.objectContaining({ path }));
  });

  test("a path of a million steps is cut", () => {
    let value: unknown = null;
    for (let i = 0; i < 1_000_000; i++) value = [value];
    try {
      encode(value as TermInput);
      expect.unreachable();
    } catch (error) {
      expect((error as { path: string }).path).toMatch(/^(\[0\]){8}\.\.\.(\[0\]){8}$/);
    }
  });
});

test("a local fun goes back as it came", () => {
  const fun = new LocalFun({
    arity: 1,
    uniq: new Uint8Array(16).fill(7),
    index: 3,
    module: atom("m"),
    oldIndex: 3,
    oldUniq: 12345,
    pid: new Pid("a@b", 1, 2, 3),
    freeVariables: [tuple(1, [2]), atom("x")],
  });
  const bytes = encode([fun]);
  expect(encode(decode(bytes))).toEqual(bytes);
});

test("bytes that the distribution keeps by reference", () => {
  const large = new Uint8Array(100).fill(1);
  const writer = new TermWriter({ byReferenceBytes: 64 });
  writer.writeTerm(tuple(1, large, 2));
  expect(writer.length).toBe(2 + 2 + 105 + 2);
  const chunks = writer.take();
  expect(chunks[1]).toBe(large);
  expect(writer.length).toBe(0);
  const bytes = Buffer.concat([Buffer.from([131]), ...chunks]);
  expect(decode(bytes)).toEqual(decode(encode(tuple(1, large, 2))));
});

test("what was handed over is not written to again", () => {
  const writer = new TermWriter({ initialBytes: 64 });
  const taken: [Buffer, string][] = [];
  for (let i = 0; i < 200; i++) {
    writer.writeTerm([i, "x".repeat(i)]);
    const [chunk] = writer.take();
    taken.push([chunk as Buffer, Buffer.from(chunk!).toString("hex")]);
  }
  for (const [chunk, before] of taken) expect(chunk.toString("hex")).toBe(before);
});

test("a decoded binary does not pin a large frame", () => {
  const frame = Buffer.alloc(10_000);
  frame.set([131, 104, 2, 109, 0, 0, 0, 64]);
  frame.set([109, 0, 0, 19, 136], 72);
  const decoder = new TermDecoder({ binaries: "view" });
  const [small, large] = decoder.decodeAt(frame, 1, frame.length) as unknown as Buffer[];
  expect(small!.buffer).not.toBe(frame.buffer);
  expect(large!.length).toBe(5000);
  expect(large!.buffer).toBe(frame.buffer);
});

test("the size of a local fun is not looked at, as OTP 23 may write a wrong one", () => {
  const fun = new LocalFun({
    arity: 0,
    uniq: new Uint8Array(16),
    index: 0,
    module: atom("m"),
    oldIndex: 0,
    oldUniq: 1,
    pid: new Pid("a@b", 1, 2, 3),
    freeVariables: [1],
  });
  const bytes = Buffer.from(encode([fun]));
  bytes.writeUInt32BE(bytes.readUInt32BE(7) + 12, 7);
  expect(exactEquals(decode(bytes), [fun])).toBe(true);
});

describe("what a term costs in heap", () => {
  const list = (element: number[], size: number): Uint8Array => {
    const bytes = Buffer.alloc(7 + element.length * size, 106);
    bytes.set([131, 108]);
    bytes.writeUInt32BE(size, 2);
    for (let i = 0; i < size; i++) bytes.set(element, 6 + i * element.length);
    return bytes;
  };
  const atoms = (size: number): Uint8Array => {
    const names = Array.from({ length: size }, (_, i) => [
      119,
      9,
      ...Buffer.from(`unseen${100 + i}`),
    ]);
    return Buffer.concat([
      list([], 0).subarray(0, 2),
      uint32(size),
      Buffer.from([...names.flat(), 106]),
    ]);
  };
  const uint32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const deep = (levels: number): Uint8Array =>
    Buffer.concat([
      Buffer.from([131]),
      Buffer.alloc(2 * levels, Buffer.from([104, 1])),
      Buffer.from([106]),
    ]);

  test.each<[string, Uint8Array]>([
    ["nils", list([106], 1000)],
    ["tuples", list([104, 1, 106], 1000)],
    ["floats", list([70, 63, 240, 0, 0, 0, 0, 0, 0], 1000)],
    ["empty binaries", list([109, 0, 0, 0, 0], 1000)],
    ["maps", list([116, 0, 0, 0, 1, 97, 1, 97, 2], 1000)],
    ["strings", list([107, 0, 1, 97], 1000)],
    ["pids", list([88, 119, 1, 97, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1], 1000)],
    ["references", list([90, 0, 1, 119, 1, 97, 0, 0, 0, 1, 0, 0, 0, 1], 1000)],
    ["big integers", list([110, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 1000)],
    ["funs", list([113, 119, 1, 97, 119, 1, 98, 97, 1], 1000)],
    ["atoms nobody has seen", atoms(800)],
    ["levels", deep(5000)],
  ])("%s: counted before it is taken, in both forms", (_, bytes) => {
    const decoder = new TermDecoder();
    decoder.decodeAt(bytes, 1, bytes.length);
    const cost = decoder.heapBytes;
    expect(cost).toBeGreaterThan(7000);
    const over = { code: "ETF_LIMIT", message: expect.stringContaining("maxHeapBytes") };
    expect(() => decode(bytes, { maxHeapBytes: 5000 })).toThrow(expect.objectContaining(over));
    expect(() => decode(bytes, { maxHeapBytes: 5000, plain: true })).toThrow(
      expect.objectContaining(over),
    );
  });

  test("by default a quarter of what the heap may grow to", () => {
    const { heap_size_limit: limit } = getHeapStatistics();
    expect(new TermDecoder().maxHeapBytes).toBe(limit / 4);
  });

  test("of one term does not count for the next", () => {
    const decoder = new TermDecoder({ maxHeapBytes: 9000 });
    const bytes = list([106], 1000);
    for (let i = 0; i < 3; i++) expect(decoder.decodeAt(bytes, 1, bytes.length)).toHaveLength(1000);
  });

  test("empty lists are arrays of their own, but of tens of thousands in one term", () => {
    const few = decode(list([106], 1000)) as Term[][];
    few[0]!.push(1);
    expect(few[1]).toEqual([]);
    const many = decode(list([106], 200_000)) as Term[][];
    expect(many.every((nil) => Array.isArray(nil) && nil.length === 0)).toBe(true);
    expect(many[199_998]).toBe(many[199_999]);
    expect(() => many[199_999]!.push(1)).toThrow(TypeError);
  });
});

describe("binaries of what was decoded", () => {
  const large = encode([Buffer.alloc(1000, 65), "a"]);

  test("do not change with the bytes given", () => {
    const bytes = Uint8Array.from(large);
    const [binary] = decode(bytes) as Uint8Array[];
    const plain = decode(bytes, { plain: { binaries: "bytes" } }) as Uint8Array[];
    bytes.fill(66);
    expect(binary).toEqual(Buffer.alloc(1000, 65));
    expect(plain[0]).toEqual(Buffer.alloc(1000, 65));
  });

  test("nor do the fields of funs, bitstrings and opaque terms", () => {
    const fun = new LocalFun({
      arity: 1,
      uniq: Buffer.alloc(16, 7),
      index: 0,
      module: atom("m"),
      oldIndex: 0,
      oldUniq: 0,
      pid: new Pid("a@b", 1, 2, 3),
      freeVariables: [],
    });
    const opaque = Buffer.from([131, 121, 1, 2, 3, 4]);
    const odd = Buffer.from([131, 77, 0, 0, 0, 1, 3, 255]);
    for (const bytes of [Buffer.from(encode(fun)), opaque, odd]) {
      // In a frame of a connection, which is overwritten by the next one.
      const decoder = new TermDecoder({ binaries: "view" });
      const term = decoder.decodeAt(bytes, 1, bytes.length);
      const before = Buffer.from(bytes);
      expect(exactEquals(term, decode(bytes))).toBe(true);
      bytes.fill(0);
      expect(exactEquals(term, decode(before))).toBe(true);
    }
  });

  test("of a program are not written to", () => {
    const bytes = Buffer.from([255]);
    expect(new BitString(bytes, 3).bytes).toEqual(Buffer.from([0xe0]));
    expect(bytes).toEqual(Buffer.from([255]));
  });

  test("are views on them when asked for", () => {
    const bytes = Uint8Array.from(large);
    const [binary] = decode(bytes, { binaries: "view" }) as Uint8Array[];
    bytes.fill(66);
    expect(binary).toEqual(Buffer.alloc(1000, 66));
  });
});
