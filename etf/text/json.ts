/**
 * Terms as JSON that loses nothing: what JSON has no word for is an object with a key that begins
 * with `$`. `fromJson` gives the same term again, `=:=` to the first.
 *
 *   integer    1; {"$i":"9007199254740993"} beyond the safe integers
 *   float      1.5; {"$f":1} when it has no fraction, {"$f":"-0.0"}
 *   atom       {"$a":"ok"}; true and false are themselves
 *   binary     "text" when it is UTF-8, else {"$b":"base64"}; bitstring {"$b":"base64","bits":3}
 *   list       [1,2]; improper {"$l":[1],"tail":2}
 *   tuple      {"$t":[...]}
 *   map        {"key":...} when all keys are UTF-8 binaries not beginning with "$", else {"$m":[[key,value],...]}
 *   pid        {"$pid":[node,id,serial,creation]}
 *   port       {"$port":[node,id,creation]}
 *   reference  {"$ref":[node,creation,[word,...]]}, the words as `ids` of `Reference` has them
 *   fun        {"$fun":"fun lists:map/2"}; one with code of its own {"$fun":{"module":...,"free":[...]}}
 *   record     {"$record":{"module":"m","name":"r","exported":true,"fields":["f"],"values":[...]}}
 *   LOCAL_EXT  {"$opaque":"base64"}
 *
 * Neither way recurses, so terms may be as deep as they are elsewhere.
 */
import { Atom, atom, checkAtomName, hasLoneSurrogate, internAtom } from "../atom.ts";
import { allocBytes, utf8Bytes } from "../bytes.ts";
import { EtfEncodeError, TermSyntaxError, type TermSyntaxErrorCode } from "../errors.ts";
import { normalize } from "../exact.ts";
import { MapBase } from "../map-base.ts";
import { notATerm } from "../refusal.ts";
import { TermMap } from "../term-map.ts";
import {
  BitString,
  ExternalFun,
  Float,
  ImproperList,
  isList,
  LocalFun,
  NativeRecord,
  OpaqueTerm,
  Pid,
  Port,
  Reference,
  type Term,
  type TermInput,
  Tuple,
  tupleFrom,
} from "../terms.ts";
import { utf8Text } from "../utf8.ts";
import { MAX_DEPTH } from "../walk.ts";
import { type FlatParts, flatText } from "./flat.ts";
import { Lexer } from "./lex.ts";
import { parse } from "./parse.ts";
import { quoteAtom } from "./quote.ts";

/**
 * A term as JSON text of one line, in the forms above.
 *
 * @throws EtfEncodeError with the path inside the value when it is not a term; ETF_CYCLE; ETF_LIMIT
 */
export function toJson(term: TermInput): string {
  return flatText(term, open).text;
}

const comma = (place: number): string => (place === 0 ? "" : ",");

function open(value: unknown): string | FlatParts {
  const term = normalize(value);
  switch (typeof term) {
    case "number":
      if (!Number.isFinite(term)) throw notATerm(term);
      return String(term);
    case "boolean":
      return String(term);
    case "bigint":
      return `{"$i":"${term}"}`;
  }
  if (term instanceof Float) return floatText(term.value);
  if (term instanceof Atom) return `{"$a":${JSON.stringify(term.name)}}`;
  if (term instanceof Uint8Array) return binaryText(term);
  if (term instanceof BitString) return `{"$b":"${base64(term.bytes)}","bits":${term.lastBits}}`;
  if (Array.isArray(term)) {
    if (term instanceof Tuple) return { open: '{"$t":[', close: "]}", items: term, before: comma };
    return { open: "[", close: "]", items: term, before: comma };
  }
  if (term instanceof ImproperList) {
    const items = [...term.elements, term.tail];
    const before = (place: number) => (place === items.length - 1 ? '],"tail":' : comma(place));
    return { open: '{"$l":[', close: "}", items, before };
  }
  if (term instanceof Pid) return pidText(term);
  if (term instanceof Port) {
    return `{"$port":[${JSON.stringify(term.node.name)},${open(term.id)},${term.creation}]}`;
  }
  if (term instanceof Reference) {
    return `{"$ref":[${JSON.stringify(term.node.name)},${term.creation},[${term.ids.join(",")}]]}`;
  }
  if (term instanceof ExternalFun) {
    const { module, function: fun, arity } = term;
    const text = `fun ${quoteAtom(module.name)}:${quoteAtom(fun.name)}/${arity}`;
    return `{"$fun":${JSON.stringify(text)}}`;
  }
  if (term instanceof LocalFun) return localFun(term);
  if (term instanceof NativeRecord) return record(term);
  if (term instanceof OpaqueTerm) return `{"$opaque":"${base64(term.bytes)}"}`;
  return mapText(MapBase.require(term));
}

function floatText(value: number): string {
  if (!Number.isInteger(value)) return String(value);
  // Whoever reads it as a number and writes it again would lose the sign of zero.
  return `{"$f":${Object.is(value, -0) ? '"-0.0"' : value}}`;
}

function binaryText(bytes: Uint8Array): string {
  const text = utf8Text(bytes);
  return text === null ? `{"$b":"${base64(bytes)}"}` : JSON.stringify(text);
}

function pidText({ node, id, serial, creation }: Pid): string {
  return `{"$pid":[${JSON.stringify(node.name)},${id},${serial},${creation}]}`;
}

function localFun(fun: LocalFun): FlatParts {
  const module = JSON.stringify(fun.module.name);
  const head =
    `{"$fun":{"module":${module},"arity":${fun.arity},"index":${fun.index},"uniq":"${base64(fun.uniq)}",` +
    `"oldIndex":${fun.oldIndex},"oldUniq":${fun.oldUniq},"pid":${pidText(fun.pid)},"free":[`;
  return { open: head, close: "]}}", items: fun.freeVariables, before: comma };
}

function record(term: NativeRecord): FlatParts {
  const { module, recordName, exported, fields } = term;
  const names = JSON.stringify(fields.map((field) => field.name));
  const head =
    `{"$record":{"module":${JSON.stringify(module.name)},"name":${JSON.stringify(recordName.name)},` +
    `"exported":${exported},"fields":${names},"values":[`;
  return { open: head, close: "]}}", items: term.values, before: comma };
}

function mapText(map: MapBase): string | FlatParts {
  const pairs = map.toPairs();
  if (pairs.length === 0) return "{}";
  const names: (string | null)[] = [];
  const values: unknown[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i];
    names.push(key instanceof Uint8Array ? utf8Text(key) : null);
    values.push(pairs[i + 1]);
  }
  if (names.every((name) => name !== null && !name.startsWith("$"))) {
    const before = (place: number) => `${comma(place)}${JSON.stringify(names[place])}:`;
    const step = (place: number) => `.get(${JSON.stringify(names[place])})`;
    return { open: "{", close: "}", items: values, before, step };
  }
  const before = (place: number) => (place % 2 === 1 ? "," : place === 0 ? "[" : "],[");
  return { open: '{"$m":[', close: "]]}", items: pairs, before };
}

export interface FromJsonOptions {
  /** Levels of arrays and objects, of which a level of a term takes up to three; 6,000,000 by default. */
  maxDepth?: number;
}

/**
 * The term of a JSON text that `toJson` wrote, or somebody else in those forms. Numbers without a
 * fraction or exponent are integers of any size, all others floats; a key may be there once.
 *
 * @throws TermSyntaxError with line and column: TERM_UNEXPECTED, TERM_INCOMPLETE for what is not JSON;
 * TERM_BAD_VALUE for what is JSON but no term, such as `null`; TERM_LIMIT
 */
export function fromJson(text: string, options: FromJsonOptions = {}): Term {
  return new JsonReader(text, options.maxDepth ?? 3 * MAX_DEPTH).read();
}

/** An array that is being read, or an object with the keys of its values. */
interface Frame {
  at: number;
  keys: string[] | null;
  values: Term[];
}

const NESTED = Symbol("nested");
const BLANK = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[a-zA-Z]+/y;

class JsonReader {
  private readonly text: string;
  private readonly maxDepth: number;
  private readonly frames: Frame[] = [];
  private at = 0;

  constructor(text: string, maxDepth: number) {
    this.text = text;
    this.maxDepth = maxDepth;
  }

  read(): Term {
    for (;;) {
      let value: Term | typeof NESTED = this.begin();
      for (;;) {
        const frame = this.frames[this.frames.length - 1];
        if (value !== NESTED) {
          if (frame === undefined) return this.end(value);
          frame.values.push(value);
        }
        if (!this.closes(frame!, value === NESTED)) break;
        this.frames.pop();
        value = frame!.keys === null ? frame!.values : this.object(frame!, frame!.keys);
      }
    }
  }

  private end(value: Term): Term {
    this.match(BLANK);
    if (this.at < this.text.length) throw this.unexpected("the end of the text");
    return value;
  }

  private error(code: TermSyntaxErrorCode, message: string, at = this.at): TermSyntaxError {
    return new Lexer(this.text).error(code, message, at);
  }

  private unexpected(what: string): TermSyntaxError {
    const found = this.text[this.at];
    if (found === undefined) return this.error("TERM_INCOMPLETE", `the text ends before ${what}`);
    return this.error("TERM_UNEXPECTED", `unexpected ${found}: ${what} is expected`);
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return null;
    this.at += found[0].length;
    return found[0];
  }

  /** A whole value, or the head of an array or object, which is then the top frame. */
  private begin(): Term | typeof NESTED {
    this.match(BLANK);
    const { at } = this;
    const character = this.text[at];
    if (character === "[" || character === "{") {
      if (this.frames.length >= this.maxDepth) {
        throw this.error("TERM_LIMIT", `nested deeper than maxDepth (${this.maxDepth}) allows`);
      }
      this.at++;
      this.frames.push({ at, keys: character === "{" ? [] : null, values: [] });
      return NESTED;
    }
    if (character === '"') return utf8Bytes(this.string());
    const number = this.match(NUMBER);
    if (number !== null) return this.number(number, at);
    const word = this.match(WORD);
    if (word === "true" || word === "false") return word === "true";
    this.at = at;
    if (word === "null") {
      throw this.error("TERM_BAD_VALUE", 'null is not a term: write {"$a":"null"} for the atom');
    }
    throw this.unexpected("a value");
  }

  /** Behind a value, or behind what opens an array or object: whether that ends. */
  private closes({ keys, at }: Frame, opened: boolean): boolean {
    this.match(BLANK);
    const close = keys === null ? "]" : "}";
    if (this.text[this.at] === close) {
      this.at++;
      return true;
    }
    if (!opened) {
      if (this.text[this.at] !== ",") throw this.unexpected(`a comma or ${close}`);
      this.at++;
      this.match(BLANK);
    }
    if (keys === null) return false;
    if (this.text[this.at] !== '"') throw this.unexpected(`a key of the object at ${at}`);
    keys.push(this.string());
    this.match(BLANK);
    if (this.text[this.at] !== ":") throw this.unexpected("a colon behind the key");
    this.at++;
    return false;
  }

  private string(): string {
    const start = this.at;
    let end = start;
    let escaped: boolean;
    do {
      end = this.text.indexOf('"', end + 1);
      if (end < 0) {
        throw this.error("TERM_INCOMPLETE", 'no closing " to the one that opens here', start);
      }
      let before = end - 1;
      while (this.text[before] === "\\") before--;
      escaped = (end - before) % 2 === 0;
    } while (escaped);
    this.at = end + 1;
    let text: string;
    try {
      text = JSON.parse(this.text.slice(start, this.at)) as string;
    } catch {
      throw this.error(
        "TERM_UNEXPECTED",
        "a string with an escape or a character not in JSON",
        start,
      );
    }
    if (hasLoneSurrogate(text)) {
      throw this.error("TERM_BAD_VALUE", "a string with a lone surrogate has no UTF-8 form", start);
    }
    return text;
  }

  private number(digits: string, at: number): Term {
    if (digits !== "-0" && !/[.eE]/.test(digits)) return integerOf(digits);
    const value = Number(digits);
    if (!Number.isFinite(value)) {
      throw this.error("TERM_BAD_VALUE", "this float is larger than any float", at);
    }
    return new Float(value);
  }

  private object(frame: Frame, keys: readonly string[]): Term {
    const { values, at } = frame;
    if (keys.some((key) => key.startsWith("$"))) {
      try {
        return tagged(keys, values);
      } catch (error) {
        if (error instanceof WrongForm || error instanceof EtfEncodeError) {
          throw this.error("TERM_BAD_VALUE", `${keys[0]}: ${error.message}`, at);
        }
        throw error;
      }
    }
    const map = new TermMap();
    for (const [i, key] of keys.entries()) map.set(key, values[i]!);
    if (map.size < keys.length) {
      throw this.error("TERM_BAD_VALUE", "an object with the same key twice", at);
    }
    return map;
  }
}

/** An object whose first key begins with `$`, but which is not one of the forms. */
class WrongForm extends Error {}

function tagged(keys: readonly string[], values: readonly Term[]): Term {
  const [tag] = keys;
  const [value, second] = values as [Term, Term?];
  const form = [...keys].join();
  switch (form) {
    case "$i":
      return integerOf(textOf(value));
    case "$f":
      if (value instanceof Uint8Array && textOf(value) === "-0.0") return new Float(-0);
      return value instanceof Float ? value : new Float(Number(wholeOf(value)));
    case "$a":
      return atomOf(value);
    case "$b":
      return bytesOf(value);
    case "$b,bits":
      return new BitString(bytesOf(value), numberOf(second));
    case "$l,tail":
      return new ImproperList(listOf(value), second!);
    case "$t":
      return tupleFrom(listOf(value));
    case "$m":
      return mapOf(listOf(value));
    case "$pid": {
      const [node, ...numbers] = listOf(value, 4);
      const [id, serial, creation] = numbers.map(numberOf) as [number, number, number];
      return new Pid(textOf(node), id, serial, creation);
    }
    case "$port": {
      const [node, id, creation] = listOf(value, 3);
      return new Port(textOf(node), wholeOf(id), numberOf(creation));
    }
    case "$ref": {
      const [node, creation, ids] = listOf(value, 3);
      const words = listOf(ids).map(numberOf);
      return words.length === 0
        ? Reference.withoutWords(internAtom(textOf(node)), numberOf(creation))
        : new Reference(textOf(node), numberOf(creation), words);
    }
    case "$fun":
      return value instanceof TermMap ? localFunOf(value) : externalFunOf(textOf(value));
    case "$record":
      return recordOf(value);
    case "$opaque":
      return new OpaqueTerm(bytesOf(value));
  }
  throw new WrongForm(
    `an object with the keys ${form} is not one of the forms, of which ${tag} may be one`,
  );
}

/** Digits of more bits than any integer of Erlang's takes need not be read. */
const MAX_DIGITS = 10_110_000;

function integerOf(digits: string): number | bigint {
  if (!/^-?\d+$/.test(digits)) throw new WrongForm("an integer is written in digits");
  if (digits.length > MAX_DIGITS)
    throw new WrongForm("this integer is larger than any of Erlang's");
  const small = Number(digits);
  return Number.isSafeInteger(small) ? small + 0 : BigInt(digits);
}

function textOf(term: Term | undefined): string {
  const text = term instanceof Uint8Array ? utf8Text(term) : null;
  if (text === null) throw new WrongForm("a string is expected");
  return text;
}

function numberOf(term: Term | undefined): number {
  if (typeof term !== "number") throw new WrongForm("a number is expected");
  return term;
}

function wholeOf(term: Term | undefined): number | bigint {
  return typeof term === "bigint" ? term : numberOf(term);
}

function listOf(term: Term | undefined, size?: number): readonly Term[] {
  if (!isList(term) || (size !== undefined && term.length !== size)) {
    throw new WrongForm(`an array${size === undefined ? "" : ` of ${size}`} is expected`);
  }
  return term;
}

function atomOf(term: Term | undefined): Atom | boolean {
  const name = textOf(term);
  return name === "true" || name === "false" ? name === "true" : atom(name);
}

/** The atom of a field, where `true` and `false` are atoms as well. */
function nameOf(term: Term | undefined): Atom {
  const name = textOf(term);
  checkAtomName(name);
  return internAtom(name);
}

function mapOf(pairs: readonly Term[]): TermMap {
  const map = new TermMap();
  for (const pair of pairs) {
    const [key, value] = listOf(pair, 2) as [Term, Term];
    map.set(key, value);
  }
  if (map.size < pairs.length) throw new WrongForm("a map with the same key twice");
  return map;
}

function fieldOf(fields: TermMap, name: string): Term {
  const value = fields.get(name);
  if (value === undefined) throw new WrongForm(`${name} is missing`);
  return value;
}

function localFunOf(fields: TermMap): LocalFun {
  const number = (name: string) => numberOf(fieldOf(fields, name));
  const pid = fieldOf(fields, "pid");
  if (!(pid instanceof Pid)) throw new WrongForm("pid is not a pid");
  return new LocalFun({
    module: nameOf(fieldOf(fields, "module")),
    arity: number("arity"),
    index: number("index"),
    uniq: bytesOf(fieldOf(fields, "uniq")),
    oldIndex: number("oldIndex"),
    oldUniq: number("oldUniq"),
    pid,
    freeVariables: listOf(fieldOf(fields, "free")),
  });
}

function externalFunOf(text: string): ExternalFun {
  const [, names, arity] = /^(.*)\/(\d+)$/s.exec(text) ?? [];
  let fun: Term | undefined;
  try {
    // What a peer sends may have any arity, and what is parsed may not.
    fun = parse(`${names}/0`);
  } catch (error) {
    if (!(error instanceof TermSyntaxError)) throw error;
  }
  if (!(fun instanceof ExternalFun)) throw new WrongForm("fun Module:Function/Arity is expected");
  return ExternalFun.received(fun.module, fun.function, Number(arity));
}

function recordOf(term: Term): NativeRecord {
  if (!(term instanceof TermMap)) throw new WrongForm("an object is expected");
  return new NativeRecord(
    nameOf(fieldOf(term, "module")),
    nameOf(fieldOf(term, "name")),
    fieldOf(term, "exported") === true,
    listOf(fieldOf(term, "fields")).map(nameOf),
    listOf(fieldOf(term, "values")),
  );
}

/** Bytes that become characters at once: as many as a call takes arguments. */
const CHUNK = 8192;

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(text);
}

function bytesOf(term: Term | undefined): Uint8Array {
  const text = textOf(term);
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw new WrongForm("this is not base64");
  }
  const characters = atob(text);
  const bytes = allocBytes(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}
