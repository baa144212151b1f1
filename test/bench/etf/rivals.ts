/**
 * What our codec is compared with, each as one pair of functions: values to bytes and back.
 *
 * The packages are installed into a folder of the benchmark's own: this package does not depend on
 * them. Each is asked only for what it can do: its bytes must decode, here, to the value it was given.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  Atom,
  atom,
  decode,
  encode,
  type Plain,
  type TermInput,
  toPlain,
} from "../../../etf/index.ts";

/** A codec, and how it gets at one row's data. */
export interface Rival {
  readonly name: string;
  /** ETF, or another format for the same data. */
  readonly kind: "ours" | "etf" | "other";
  /**
   * The calls to be timed for a row; those it cannot do are left out. `old` is the same term with atoms
   * as OTP up to 25 writes them to files, all that some packages read.
   */
  calls(term: Uint8Array, old: Uint8Array): { encode?: () => unknown; decode?: () => unknown };
}

const ours: Rival = {
  name: "erldist",
  kind: "ours",
  calls(bytes) {
    const term = decode(bytes);
    return { encode: () => encode(term), decode: () => decode(bytes) };
  },
};

const oursPlain: Rival = {
  name: "plain",
  kind: "ours",
  calls(bytes) {
    const value = withoutNull(inputOf(bytes));
    return { encode: () => encode(value), decode: () => decode(bytes, PLAIN) };
  },
};

const PLAIN = { plain: true } as const;

const json: Rival = {
  name: "JSON",
  kind: "other",
  calls(bytes) {
    const plain = toPlain(decode(bytes), { integers: "string" });
    if (plain instanceof Uint8Array) return {}; // there is no text for it
    const text = JSON.stringify(plain);
    return { encode: () => JSON.stringify(plain), decode: () => JSON.parse(text) };
  },
};

/** What a row's data are to a codec of JavaScript values: floats and `null` as such, no atoms. */
function inputOf(bytes: Uint8Array): Plain {
  return toPlain(decode(bytes));
}

/** Which of Erlang's nothings is meant has to be said. */
function withoutNull(value: Plain): TermInput {
  if (value === null) return atom("nil");
  if (Array.isArray(value)) return value.map(withoutNull);
  if (typeof value !== "object" || value instanceof Uint8Array || value instanceof Atom) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, at]) => [key, withoutNull(at)]));
}

interface Codec {
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

/** A format of its own: big integers beyond 64 bits as text where it has none. */
function other(name: string, { encode, decode }: Codec): Rival {
  return {
    name,
    kind: "other",
    calls(bytes) {
      let value = inputOf(bytes);
      let packed = attempt(() => Uint8Array.prototype.slice.call(encode(value)));
      if (packed === undefined) {
        value = toPlain(decodeOurs(bytes), { integers: "string" });
        packed = attempt(() => Uint8Array.prototype.slice.call(encode(value)));
      }
      if (packed === undefined) return {};
      const own = Buffer.from(packed);
      return { encode: () => encode(value), decode: () => decode(own) };
    },
  };
}

const decodeOurs = decode;

/** An ETF package for plain values. */
function plainEtf(name: string, codec: Codec): Rival {
  return {
    name,
    kind: "etf",
    calls(bytes, old) {
      const value = inputOf(bytes);
      const input = [bytes, old].find((one) => attempt(() => codec.decode(one)) !== undefined);
      const can = attempt(() => isDeepStrictEqual(toPlain(decode(codec.encode(value))), value));
      return {
        ...(can === true ? { encode: () => codec.encode(value) } : {}),
        ...(input === undefined ? {} : { decode: () => codec.decode(input) }),
      };
    },
  };
}

/** With classes of its own for terms, so it encodes what it decoded. */
function erlangJs(erlang: {
  binary_to_term(bytes: Uint8Array, done: (error: unknown, term: unknown) => void): void;
  term_to_binary(term: unknown, done: (error: unknown, bytes: Uint8Array) => void): void;
}): Rival {
  let result: unknown;
  const done = (error: unknown, value: unknown): void => {
    if (error) throw error;
    result = value;
  };
  return {
    name: "erlang_js",
    kind: "etf",
    calls(bytes) {
      const decodeIt = () => {
        erlang.binary_to_term(bytes, done);
        return result;
      };
      const term = attempt(decodeIt);
      if (term === undefined) return {};
      const encodeIt = () => {
        erlang.term_to_binary(term, done);
        return result;
      };
      const can = attempt(() =>
        isDeepStrictEqual(toPlain(decode(encodeIt() as Uint8Array)), inputOf(bytes)),
      );
      // It makes floats of integers above 64 bits: that is not decoding them.
      const lossy = (attempt(() => (encodeIt() as Uint8Array).length) ?? 0) < bytes.length / 2;
      if (lossy) return {};
      return { decode: decodeIt, ...(can === true ? { encode: encodeIt } : {}) };
    },
  };
}

function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}

/** Ours, then the packages, installed if they are not, then JSON; with their versions. */
export function loadRivals(
  source: string,
  folder: string,
): { rivals: Rival[]; versions: Record<string, string> } {
  mkdirSync(folder, { recursive: true });
  const wanted = readFileSync(join(source, "package.json"), "utf8");
  const manifest = join(folder, "package.json");
  const present = existsSync(manifest) && readFileSync(manifest, "utf8") === wanted;
  if (!present || !existsSync(join(folder, "node_modules"))) {
    copyFileSync(join(source, "package.json"), manifest);
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock"], {
      cwd: folder,
      stdio: ["ignore", 2, 2],
    });
  }
  const require = createRequire(manifest);
  const names = Object.keys(JSON.parse(wanted).dependencies as object);
  const versions = Object.fromEntries(
    names.map((name) => [name, JSON.parse(wanted).dependencies[name] as string]),
  );
  const etfJs = require("etf.js") as { pack: Codec["encode"]; unpack: Codec["decode"] };
  const rivals = [ours, oursPlain];
  // A C++ addon, which not every machine can build.
  const erlpack = attempt(() => require("erlpack") as typeof etfJs);
  if (erlpack === undefined) process.stderr.write("erlpack: its addon did not build; left out\n");
  else rivals.push(plainEtf("erlpack", { encode: erlpack.pack, decode: erlpack.unpack }));
  const msgpackr = require("msgpackr") as { pack: Codec["encode"]; unpack: Codec["decode"] };
  rivals.push(
    erlangJs(require("erlang_js").Erlang),
    plainEtf("ftee", require("@typescord/ftee") as Codec),
    plainEtf("etf.js", { encode: etfJs.pack, decode: etfJs.unpack }),
    other("msgpackr", { encode: msgpackr.pack, decode: msgpackr.unpack }),
    other("@msgpack/msgpack", require("@msgpack/msgpack") as Codec),
    json,
  );
  return { rivals, versions };
}
