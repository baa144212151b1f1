/**
 * The External Term Format: Erlang's terms as JavaScript values, their bytes, their order and
 * their text.
 *
 * @module erldist/etf
 */
export { Atom, atom, atomOf, atomTableSize, atomTerm, namedAtom } from "./atom.ts";
export { compare, equals } from "./compare.ts";
export { type DecodeOptions, type DecodePlainOptions, decode } from "./decode.ts";
export { TermDecoder } from "./decode-term.ts";
export {
  type AtomRefTable,
  type EncodeOptions,
  encode,
  TermWriter,
  type TermWriterOptions,
} from "./encode.ts";
export {
  CodedError,
  EtfDecodeError,
  type EtfDecodeErrorCode,
  EtfEncodeError,
  type EtfEncodeErrorCode,
  TermSyntaxError,
  type TermSyntaxErrorCode,
} from "./errors.ts";
export { exactEquals, hashTerm } from "./exact.ts";
export { heapLimitBytes } from "./heap.ts";
export { phash2 } from "./phash2.ts";
export {
  type FromPlainOptions,
  fromPlain,
  type Plain,
  type ToPlainOptions,
  toPlain,
} from "./plain.ts";
export { TAG, VERSION_MAGIC } from "./tags.ts";
export { TermMap } from "./term-map.ts";
export { TermSet } from "./term-set.ts";
export {
  type AnyTuple,
  BitString,
  charlist,
  ExternalFun,
  Float,
  float,
  ImproperList,
  isAtom,
  isBinary,
  isFloat,
  isFun,
  isInteger,
  isList,
  isPid,
  isPort,
  isReference,
  isTuple,
  LocalFun,
  type LocalFunFields,
  NativeRecord,
  OpaqueTerm,
  Pid,
  Port,
  Reference,
  type SizedTuple,
  type Term,
  type TermInput,
  Tuple,
  tuple,
  tupleFrom,
} from "./terms.ts";
export { type FromJsonOptions, fromJson, toJson } from "./text/json.ts";
export { Lexer, type Token } from "./text/lex.ts";
export { type ParseOptions, parse, parseAll } from "./text/parse.ts";
export { type FormatOptions, format } from "./text/print.ts";
export { RESERVED_WORDS } from "./text/quote.ts";
export { copyTerm, toTerm } from "./to-term.ts";
export { Utf8Stream, utf8Text } from "./utf8.ts";
