/**
 * Erlang text to terms: every constant that a shell user can type, and what `format` prints.
 *
 * Nesting is read with an explicit stack, so its limit is an option. A pid, port or reference is
 * read where text says what it is: `<0.1.2>` is one of the node given by `node`, and
 * `<gandalf@host.1.2>` one of that node; their creation is that of the option. A fun with a body
 * cannot be read; `fun m:f/1` can.
 */
import {
  atomTerm,
  checkAtomName,
  hasLoneSurrogate,
  internAtom,
  MAX_ATOM_CHARACTERS,
} from "../atom.ts";
import { utf8Bytes } from "../bytes.ts";
import type { TermSyntaxError, TermSyntaxErrorCode } from "../errors.ts";
import { TermMap } from "../term-map.ts";
import {
  BitString,
  charlist,
  ExternalFun,
  Float,
  ImproperList,
  isList,
  NativeRecord,
  Pid,
  Port,
  Reference,
  type Term,
  tupleFrom,
} from "../terms.ts";
import {
  BinaryBuilder,
  type Room,
  type Segment,
  SegmentError,
  type SegmentValue,
} from "./bitsyntax.ts";
import { Lexer, type Token } from "./lex.ts";

export interface ParseOptions {
  /** The node of `<0.1.2>`, `#Port<0.1>` and `#Ref<0.1.2>`; nonode@nohost by default. */
  node?: string;
  /** The creation of pids, ports and references; 0 by default. */
  creation?: number;
  /** Levels of nesting; 2,000,000 by default. */
  maxDepth?: number;
  /**
   * Bytes of all large segments of binaries together, since text as short as `<<0:1000000000>>` asks
   * for many; 64 MiB by default.
   */
  maxBinaryBytes?: number;
}

/**
 * The term that the text is; a final dot may be there or not.
 *
 * @throws TermSyntaxError with line and column, and the line with a caret
 */
export function parse(text: string, options: ParseOptions = {}): Term {
  const parser = new Parser(text, options);
  const term = parser.term();
  parser.finish();
  return term;
}

/**
 * The terms of a text, a dot behind each, as `file:consult` reads them.
 *
 * @throws TermSyntaxError
 */
export function parseAll(text: string, options: ParseOptions = {}): Term[] {
  const parser = new Parser(text, options);
  const terms: Term[] = [];
  while (!parser.atEnd()) {
    terms.push(parser.term());
    parser.dot();
  }
  return terms;
}

/** A container that is being read. */
interface Frame {
  kind: "list" | "tuple" | "map" | "record" | "binary" | "parentheses" | "minus" | "plus";
  at: number;
  values: Term[];
  /** A list's tail is next, or read. */
  tail: boolean;
  module: string;
  name: string;
  fields: string[];
  /** Of a binary. */
  builder: BinaryBuilder | null;
}

const CLOSING = { list: "]", tuple: "}", map: "}", record: "}", parentheses: ")" };
const NESTED = Symbol("nested");
const PLAIN = { signed: false, text: null };
const SIGNED = { signed: true, text: null };

class Parser {
  private readonly lexer: Lexer;
  private readonly node: string;
  private readonly creation: number;
  private readonly maxDepth: number;
  private readonly room: Room;
  private token: Token;
  private frames: Frame[] = [];
  /** Of the value that was read last, which parentheses may be around. */
  private last: { signed: boolean; text: string | null } = PLAIN;

  constructor(text: string, options: ParseOptions) {
    this.lexer = new Lexer(text);
    this.node = options.node ?? "nonode@nohost";
    this.creation = options.creation ?? 0;
    this.maxDepth = options.maxDepth ?? 2_000_000;
    this.room = { bytes: options.maxBinaryBytes ?? 64 * 1024 * 1024 };
    this.token = this.lexer.next();
  }

  atEnd(): boolean {
    return this.token.kind === "end";
  }

  dot(): void {
    this.expect(".", "after a term");
  }

  finish(): void {
    if (this.is(".")) this.advance();
    if (!this.atEnd()) {
      throw this.unexpected("the term ends before it: is there a comma or a bracket missing?");
    }
  }

  term(): Term {
    this.frames = [];
    for (;;) {
      let value: Term | typeof NESTED = this.begin();
      for (;;) {
        const frame = this.frames[this.frames.length - 1];
        if (value !== NESTED) {
          if (frame === undefined) return value;
          frame.values.push(value);
        }
        if (!this.endsAfterValue(frame!, value === NESTED)) break;
        this.frames.pop();
        value = this.close(frame!);
      }
    }
  }

  private advance(): Token {
    const { token } = this;
    this.token = this.lexer.next();
    return token;
  }

  private is(value: string): boolean {
    return this.token.kind === "punctuation" && this.token.value === value;
  }

  private error(code: TermSyntaxErrorCode, message: string, at = this.token.at): TermSyntaxError {
    return this.lexer.error(code, message, at);
  }

  private unexpected(message: string): TermSyntaxError {
    if (this.token.kind === "end") {
      return this.error("TERM_INCOMPLETE", `the text ends inside a term: ${message}`);
    }
    return this.error("TERM_UNEXPECTED", `unexpected ${describe(this.token)}: ${message}`);
  }

  private expect(value: string, where: string): void {
    if (!this.is(value)) throw this.unexpected(`${value} is expected ${where}`);
    this.advance();
  }

  /** A whole value, or the head of a container, which is then the top frame. */
  private begin(): Term | typeof NESTED {
    const { token } = this;
    this.last = PLAIN;
    switch (token.kind) {
      case "integer":
      case "character":
      case "float":
        return this.number();
      case "string":
        return this.text(this.strings());
      case "sigil":
        this.advance();
        return token.binary ? this.utf8(token) : this.text(token.value);
      case "atom":
        return this.atomOrFun(token);
      case "variable":
        throw this.error(
          "TERM_NOT_CONSTANT",
          `${token.value} is a variable, which has no value here`,
        );
      case "end":
        throw this.unexpected("a term is expected");
    }
    switch (token.value) {
      case "[":
        return this.push("list");
      case "{":
        return this.push("tuple");
      case "#":
        return this.hash(token.at);
      case "<<":
        return this.push("binary");
      case "<":
        return this.pid();
      case "-":
      case "+":
        return this.signed();
      case "(":
        return this.push("parentheses");
      default:
        throw this.unexpected("a term is expected");
    }
  }

  private push(kind: Frame["kind"], module = "", name = ""): typeof NESTED {
    if (this.frames.length >= this.maxDepth) {
      throw this.error("TERM_LIMIT", `nested deeper than maxDepth (${this.maxDepth}) allows`);
    }
    const { at } = this.token;
    const builder = kind === "binary" ? new BinaryBuilder(this.room) : null;
    this.frames.push({ kind, at, values: [], tail: false, module, name, fields: [], builder });
    if (kind !== "minus" && kind !== "plus") this.advance();
    return NESTED;
  }

  /** The number that is the next token. */
  private number(): number | bigint | Float {
    const { kind, value } = this.advance() as Token & { kind: "integer" | "float"; value: number };
    return kind === "float" ? new Float(value) : value;
  }

  /** A list of characters, which in a binary stands for them. */
  private text(text: string): Term {
    this.last = { signed: false, text };
    return charlist(text);
  }

  private utf8(token: Token & { kind: "sigil" }): Uint8Array {
    if (hasLoneSurrogate(token.value)) {
      throw this.error("TERM_BAD_VALUE", "a sigil with a lone surrogate", token.at);
    }
    return utf8Bytes(token.value);
  }

  /** Behind a value, or behind what opens a container: whether the container ends. */
  private endsAfterValue(frame: Frame, opened: boolean): boolean {
    const { kind } = frame;
    if (kind === "minus" || kind === "plus") return !opened;
    if (kind === "binary") return this.endsAfterSegment(frame, opened);
    if (kind === "parentheses") {
      if (!opened) this.expect(")", "after a term in parentheses");
      return !opened;
    }
    if (kind === "map" && frame.values.length % 2 === 1) {
      if (this.is(":=")) throw this.unexpected("in a new map a key is followed by =>");
      this.expect("=>", "after a map's key");
      return false;
    }
    if (this.is(CLOSING[kind])) {
      this.advance();
      return true;
    }
    if (!opened) {
      if (kind === "list" && !frame.tail && this.is("|")) {
        frame.tail = true;
        this.advance();
        return false;
      }
      if (frame.tail) throw this.unexpected("] is expected after a list's tail");
      if (!this.is(",")) throw this.unexpected(`a comma or ${CLOSING[kind]} is expected`);
      this.advance();
    }
    if (kind === "record") this.field(frame);
    return false;
  }

  private close(frame: Frame): Term {
    const { values } = frame;
    switch (frame.kind) {
      case "parentheses":
        return values[0]!;
      case "minus":
      case "plus":
        return this.withSign(frame, values[0]!);
    }
    this.last = PLAIN;
    switch (frame.kind) {
      case "binary":
        return frame.builder!.finish();
      case "tuple":
        return tupleFrom(values);
      case "map": {
        const map = new TermMap();
        for (let i = 0; i < values.length; i += 2) map.set(values[i]!, values[i + 1]!);
        return map;
      }
      case "record":
        return this.record(frame);
      case "list":
        return frame.tail ? withTail(values) : values;
    }
  }

  private record(frame: Frame): Term {
    const fields = frame.fields.map(internAtom);
    if (new Set(fields).size !== fields.length) {
      throw this.error("TERM_BAD_VALUE", `record ${frame.name} has a field twice`, frame.at);
    }
    const [module, name] = [internAtom(frame.module), internAtom(frame.name)];
    return new NativeRecord(module, name, true, fields, frame.values);
  }

  private field(frame: Frame): void {
    const { token } = this;
    if (token.kind !== "atom") throw this.unexpected("the name of a field is expected");
    frame.fields.push(token.value);
    this.advance();
    this.expect("=", "after the name of a field");
  }

  /** Strings side by side are one. */
  private strings(): string {
    let text = "";
    while (this.token.kind === "string") text += this.advance().value;
    return text;
  }

  private atomOrFun(token: Token & { kind: "atom" }): Term {
    this.advance();
    if (!token.quoted) {
      if (token.value === "fun") return this.fun(token.at);
      if (EXPRESSION_WORDS.has(token.value)) {
        throw this.error(
          "TERM_NOT_CONSTANT",
          `${token.value} is a reserved word, no atom`,
          token.at,
        );
      }
    }
    if (this.is("(") || this.is(":")) {
      throw this.error(
        "TERM_NOT_CONSTANT",
        `a call of ${token.value} is not a term on its own`,
        token.at,
      );
    }
    return this.atom(token);
  }

  private atom(token: Token & { kind: "atom" }): Term {
    const name = this.atomName(token);
    return atomTerm(internAtom(name));
  }

  private atomName(token: Token): string {
    const name = String(token.value);
    if (name.length > MAX_ATOM_CHARACTERS && [...name].length > MAX_ATOM_CHARACTERS) {
      const message = `an atom has at most ${MAX_ATOM_CHARACTERS} characters`;
      throw this.error("TERM_BAD_VALUE", message, token.at);
    }
    if (hasLoneSurrogate(name)) {
      throw this.error("TERM_BAD_VALUE", "an atom with a lone surrogate", token.at);
    }
    return name;
  }

  private name(what: string): string {
    if (this.token.kind !== "atom") throw this.unexpected(`${what} is expected`);
    return this.atomName(this.advance());
  }

  private integer(what: string): number {
    if (this.token.kind !== "integer") throw this.unexpected(`${what} is expected`);
    return Number(this.advance().value);
  }

  private fun(at: number): Term {
    // Names that Erlang reserves stand there without quotes where Erlang has printed them.
    const module = this.token.kind === "atom" ? this.atomName(this.advance()) : null;
    if (module === null || !this.is(":")) {
      throw this.error("TERM_NOT_CONSTANT", "of funs only fun Module:Function/Arity is a term", at);
    }
    this.advance();
    const fun = this.name("a function");
    this.expect("/", "after a fun's function");
    const place = this.token.at;
    const arity = this.integer("an arity");
    if (arity > 255)
      throw this.error("TERM_BAD_VALUE", `an arity is 0 to 255, not ${arity}`, place);
    return new ExternalFun(module, fun, arity);
  }

  /** A sign is followed by a number, which may be in parentheses but has no sign itself. */
  private signed(): Term | typeof NESTED {
    const { token } = this;
    const kind = token.value === "-" ? "minus" : "plus";
    this.advance();
    switch (this.token.kind) {
      case "integer":
      case "character":
      case "float": {
        const value = this.number();
        this.last = SIGNED;
        return kind === "minus" ? negated(value) : value;
      }
    }
    if (!this.is("(")) throw this.unexpected("a number is expected after a sign");
    return this.push(kind);
  }

  private withSign(frame: Frame, value: Term): Term {
    const isNumber =
      typeof value === "number" || typeof value === "bigint" || value instanceof Float;
    if (!isNumber || this.last.signed) {
      throw this.error("TERM_NOT_CONSTANT", "a sign is followed by a number without one", frame.at);
    }
    this.last = SIGNED;
    return frame.kind === "minus" ? negated(value) : value;
  }

  /** `#{`, `#module:record{`, `#Port<`, `#Ref<`, `#Fun<`. */
  private hash(at: number): Term | typeof NESTED {
    this.advance();
    if (this.is("{")) return this.push("map");
    const { token } = this;
    if (token.kind === "variable") {
      const words = this.lexer.match(/<([^<>]*)>/y);
      if (words !== null) {
        this.advance();
        if (token.value === "Port") return this.port(words[1]!, at);
        if (token.value === "Ref") return this.reference(words[1]!, at);
        const what = `#${token.value}<...> is how a term is shown whose value text cannot hold`;
        throw this.error("TERM_NOT_CONSTANT", what, at);
      }
    }
    if (token.kind !== "atom") throw this.unexpected("# begins a map #{...} or a record");
    const module = this.name("a module");
    if (!this.is(":")) {
      const what = `what record #${module}{...} is, only a program's definitions say`;
      throw this.error("TERM_NOT_CONSTANT", what, at);
    }
    this.advance();
    const name = this.name("a record's name");
    if (!this.is("{")) throw this.unexpected("{ is expected after a record's name");
    return this.push("record", module, name);
  }

  private pid(): Term {
    const { at } = this.token;
    // The lexer has read the token `<` and nothing beyond.
    const found = this.lexer.match(/((?:[^<>\s'"]+|'[^']*'))\.(\d+)\.(\d+)>/y);
    if (found === null) throw this.unexpected("a pid looks like <0.1.2>");
    this.advance();
    const [id, serial] = [this.word(found[2]!, at), this.word(found[3]!, at)];
    return new Pid(this.nodeOf(found[1]!, at), id, serial, this.creation);
  }

  private port(words: string, at: number): Term {
    const found = /^(.+)\.(\d+)$/.exec(words);
    if (found === null) throw this.error("TERM_BAD_VALUE", "a port looks like #Port<0.1>", at);
    const id = BigInt(found[2]!);
    if (id >= 2n ** 64n)
      throw this.error("TERM_BAD_VALUE", `${id} is not the number of a port`, at);
    return new Port(this.nodeOf(found[1]!, at), id, this.creation);
  }

  private reference(words: string, at: number): Term {
    const found = /^(.+?)((?:\.\d+){1,5})$/.exec(words);
    if (found === null)
      throw this.error("TERM_BAD_VALUE", "a reference looks like #Ref<0.1.2.3>", at);
    const ids = found[2]!
      .slice(1)
      .split(".")
      .map((id) => this.word(id, at));
    return new Reference(this.nodeOf(found[1]!, at), this.creation, ids.reverse());
  }

  private word(digits: string, at: number): number {
    const value = Number(digits);
    if (value > 0xffffffff) throw this.error("TERM_BAD_VALUE", `${digits} is above 32 bits`, at);
    return value;
  }

  private nodeOf(text: string, at: number): string {
    if (text === "0") return this.node;
    if (/^\d+$/.test(text)) {
      const message = `which node number ${text} is, only the node knows that printed it`;
      throw this.error("TERM_BAD_VALUE", message, at);
    }
    const name = text.replace(/^'(.*)'$/, "$1");
    try {
      checkAtomName(name);
    } catch (error) {
      throw this.error("TERM_BAD_VALUE", (error as Error).message, at);
    }
    return name;
  }

  /** Behind the value of a segment, `Value:Size/type-type-unit:Unit`: whether the binary ends. */
  private endsAfterSegment(frame: Frame, opened: boolean): boolean {
    if (!opened) {
      const { at } = this.token;
      const value = frame.values.pop()!;
      const segment: Segment = {
        value: this.last.text ?? this.segmentValue(value, frame.at),
        size: null,
        types: [],
        units: [],
      };
      this.specification(segment);
      try {
        frame.builder!.add(segment);
      } catch (error) {
        if (error instanceof SegmentError) throw this.error("TERM_BAD_VALUE", error.message, at);
        throw error;
      }
      if (!this.is(",") && !this.is(">>")) {
        throw this.unexpected("a comma or >> is expected in a binary");
      }
      if (this.is(",")) {
        this.advance();
        return false;
      }
    }
    if (!this.is(">>")) return false;
    this.advance();
    return true;
  }

  private segmentValue(value: Term, at: number): SegmentValue {
    if (
      typeof value === "number" ||
      typeof value === "bigint" ||
      value instanceof Float ||
      value instanceof Uint8Array ||
      value instanceof BitString
    ) {
      return value;
    }
    const what = "in a binary stand numbers, strings and other binaries";
    throw this.error("TERM_BAD_VALUE", what, at);
  }

  private specification(segment: Segment): void {
    if (this.is(":")) {
      this.advance();
      segment.size = this.size();
    }
    if (this.is("/")) {
      do {
        this.advance();
        const type = this.name("the type of a segment");
        if (type === "unit") {
          this.expect(":", "after unit");
          segment.units.push(this.integer("a unit"));
        } else segment.types.push(type);
      } while (this.is("-"));
    }
  }

  /** An integer, in any parentheses, which may be around its sign as well. */
  private size(): number | bigint {
    let open = 0;
    for (; this.is("("); open++) this.advance();
    const sign = open > 0 && (this.is("-") || this.is("+")) ? this.advance().value : "+";
    let signed = 0;
    for (; this.is("("); signed++) this.advance();
    if (this.token.kind !== "integer" && this.token.kind !== "character") {
      throw this.unexpected("a size is expected");
    }
    const { value } = this.advance() as { value: number | bigint };
    for (let i = 0; i < open + signed; i++) this.expect(")", "after a size");
    return sign === "-" ? -value : value;
  }
}

/** Words that begin or continue an expression. */
const EXPRESSION_WORDS: ReadonlySet<string> = new Set(
  (
    "after and andalso band begin bnot bor bsl bsr bxor case catch cond div end if let not of or " +
    "orelse receive rem try when xor"
  ).split(" "),
);

function negated(value: number | bigint | Float): number | bigint | Float {
  if (value instanceof Float) return new Float(-value.value);
  return value === 0 ? 0 : -value;
}

function withTail(values: Term[]): Term {
  const tail = values.pop()!;
  if (tail instanceof ImproperList)
    return new ImproperList([...values, ...tail.elements], tail.tail);
  if (isList(tail)) return values.concat(tail);
  return new ImproperList(values, tail);
}

function describe(token: Token): string {
  switch (token.kind) {
    case "string":
    case "sigil":
      return "string";
    case "character":
      return "character";
    case "atom":
      return `atom ${token.value.slice(0, 40)}`;
    default:
      return String(token.value).slice(0, 40);
  }
}
