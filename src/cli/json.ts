/**
 * Terms as JSON that loses nothing: what JSON has no word for is an object with one key that
 * begins with `$`, or two.
 *
 *   integer    1, or {"$i":"9007199254740993"} beyond the safe integers
 *   float      1.5, or {"$f":1} when it has no fraction
 *   atom       {"$a":"ok"}; true and false are themselves
 *   binary     "text" when it is UTF-8, else {"$b":"base64"}; bitstring {"$b":"base64","bits":3}
 *   list       [1,2]; improper {"$l":[1],"tail":2}
 *   tuple      {"$t":[...]}
 *   map        {"key":...} when all keys are UTF-8 binaries not beginning with "$", else {"$m":[[key,value],...]}
 *   others     {"$pid":"<...>"}, "$port", "$ref", "$fun": their text
 */
import {
  Atom,
  BitString,
  Float,
  format,
  ImproperList,
  isFun,
  isTuple,
  Pid,
  Port,
  Reference,
  type Term,
  TermMap,
} from "../index.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function toTaggedJson(term: Term): Json {
  if (typeof term === "number" || typeof term === "boolean") return term;
  if (typeof term === "bigint") return { $i: term.toString() };
  if (term instanceof Float) {
    return Number.isInteger(term.value) ? { $f: term.value } : term.value;
  }
  if (term instanceof Atom) return { $a: term.name };
  if (term instanceof Uint8Array) return utf8Text(term) ?? { $b: base64(term) };
  if (term instanceof BitString) return { $b: base64(term.bytes), bits: term.lastBits };
  if (isTuple(term)) return { $t: (term as readonly Term[]).map(toTaggedJson) };
  if (Array.isArray(term)) return (term as readonly Term[]).map(toTaggedJson);
  if (term instanceof ImproperList) {
    return { $l: term.elements.map(toTaggedJson), tail: toTaggedJson(term.tail) };
  }
  if (term instanceof TermMap) return mapJson(term);
  const kind =
    term instanceof Pid
      ? "$pid"
      : term instanceof Port
        ? "$port"
        : term instanceof Reference
          ? "$ref"
          : isFun(term)
            ? "$fun"
            : "$term";
  return { [kind]: format(term) };
}

function mapJson(map: TermMap): Json {
  const entries = [...map.entries()].map(([key, value]) => [key, toTaggedJson(value)] as const);
  const names = entries.map(([key]) => (key instanceof Uint8Array ? utf8Text(key) : undefined));
  if (names.every((name) => name !== undefined && !name.startsWith("$"))) {
    return Object.fromEntries(entries.map(([, value], index) => [names[index], value]));
  }
  return { $m: entries.map(([key, value]) => [toTaggedJson(key), value]) };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
