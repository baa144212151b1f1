/**
 * Texts that are constants in Erlang, or look like them: every part in every position, for
 * comparison with erl_parse.
 */

const numbers = (
  "0 1 255 1_000 1__0 1_ _1 1a 1_a 9007199254740993 1.5 1.0e3 1.0E-3 1.0e 1.e5 1e5 .5 1.0e400 1.0e-400 1_0.2_5e1_0 " +
  "16#ff 16#fg 16#f_f 16#f__f 16# 1#0 37#1 16#1.8 16#.8 16#1.8a 16#1.8g 16#1._8 16#1_.8 16#1.8_ 16#1.8_0 " +
  "2#0.1#e3 2#0.1#E+3 2#0.1#e-3 2#0.1#e1_0 2#0.1# 2#0.1#x 2#0.1#e1a 2#1.2 2#0.1e3 16#1.e 16#1#e3 1_6#1_0.8_0#e1 " +
  "10#1.5 10#.5 10#1.5#e3 10#1.5#e400 10#0.1#e-400 10#9007199254740993.0 3#0.1 3#1.000 3#00012.0 36#z.z 36#Z.Z#e2 " +
  "3#0.1111111111111111111111111111111111111111111111111111 35#y.yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy 7#0.1#e-3 " +
  "16#1.00000000000008 16#1.00000000000018 16#1.000000000000080000000000000000001 2#1.1#e1023 2#1.0#e-1074 " +
  "2#1.1#e1024 2#1.1#e-1075 10#1.8#e99999999999 10#1.8#e-99999999999 5#2.4#e300 5#4.321#e-310 23#0.1#e-225 36#1.0#e-200 " +
  "11#123456789a123456789a123456789a.123456789a#e-30 $a $\\n $\\x41 $\\x{3bb} $\\^a $\\s"
).split(" ");

const others = [
  "a",
  "'a b'",
  "true",
  "[]",
  "[1]",
  "[$a]",
  "{}",
  "{1}",
  "#{}",
  "#{a=>1}",
  "#{a:=1}",
  '"abc"',
  '"a" "b"',
  '"a" "b" "c"',
  '"a"\n"b"',
  '""',
  '"\\x{3bb}"',
  "<<>>",
  "<<1>>",
  "<<1:3>>",
  "<<1,2,3>>",
  "fun m:f/1",
  "fun f/1",
  "fun 'a b':'c d'/255",
  "fun m:f/-1",
  "fun (m):f/1",
  "fun m:f/$a",
  "and",
  "Var",
  "_",
  "f()",
  "m:f()",
  "1+1",
  "a b",
  '~"a"',
  '~b"a\\n"',
  '~B"a\\n"',
  '~s"a\\n"',
  '~S"a\\n"',
  "~s(a)",
  "~s[a]",
  "~s{a}",
  "~s<a>",
  "~s/a/",
  "~s|a|",
  "~s'a'",
  "~s`a`",
  "~s#a#",
  "~s!a!",
  "~x(a)",
  "~(a)b",
  '~S"a\\"b"',
  "~S(a\\)b)",
  "~S(a\\\\)",
  "~B[a\\]]",
  '~s"a" "b"',
  '"a" ~s"b"',
  '~"a" "b"',
  '~s"\\x{3bb}"',
  '~"\\x{3bb}"',
  '"""\n a\n b\n """',
  '"""\n  a\n\n   b\n  """',
  '"""\na\n """',
  '"""a"""',
  '"""\n"""',
  '"""\n\n"""',
  '"""\n\na\n\n"""',
  '""""\n"""\n""""',
  '~b"""\n a\\n\\x41\n """',
  '~"""\n a\\n\n """',
  '~S"""\n a\\n\n """',
  '"""\n a\n """ "b"',
  "a % comment\n",
  "% comment\na",
  "a %",
];

const sizes = [
  "",
  ":8",
  ":16",
  ":3",
  ":0",
  ":32",
  ":64",
  ":(8)",
  ":(4)",
  ":((1))",
  ":(+8)",
  ":(-8)",
  ":-8",
].concat([":$a", ":1.0", ":a", ':"a"', ":", ":16#10", ":99"]);

const types = (
  " /integer /float /binary /bytes /bits /bitstring /utf8 /utf16 /utf32 /signed /little /big /native /little-signed " +
  "/integer-unit:2 /integer-unit:8 /unit:8 /unit:1 /binary-unit:1 /binary-unit:4 /binary-unit:8 /bits-unit:8 /bits-unit:1 " +
  "/float-unit:2 /float-little /utf16-little /utf8-unit:8 /integer-integer /integer-float /big-little /big-big " +
  "/signed-unsigned /unit:8-unit:8 /unit:8-unit:4 /unit:0 /unit:257 /unit:256 /binary-bits /bytes-binary /bytes-unit:8 /bytes-unit:1 /bits-bitstring /foo / /integer- /Integer /'integer'"
).split(" ");

const values = [
  "1",
  "-1",
  "+1",
  "- 1",
  "300",
  "1.5",
  "-1.5",
  "$a",
  "-$a",
  '"abc"',
  '""',
  '"\\x{3bb}"',
  "(1)",
  "(-1)",
].concat(
  [
    "-(1)",
    "-(-1)",
    '("abc")',
    "1.0e300",
    "65504.0",
    "65520.0",
    "65519.9",
    "1.0e-7",
    "5.9604644775390625e-8",
    "2.9e-8",
  ],
  [
    "<<1,2>>",
    "(<<1,2>>)",
    "<<5:3>>",
    "(<<1,5:4>>)",
    "(<<>>)",
    '~"ab"',
    '~s"ab"',
    "a",
    "[1]",
    "{}",
    "16#1.8",
    "1 2",
  ],
  [
    "-0.0",
    "2.98023223876953125e-8",
    "1.0009765625",
    "1.00048828125",
    "1.00146484375",
    "2049",
    "0.1",
    "-2.5",
  ],
);

/** All texts, each once. */
export function termTexts(): string[] {
  const texts = new Set<string>();
  for (const text of [...numbers, ...others]) {
    for (const around of [
      "_",
      "(_)",
      "((_))",
      "-_",
      "+_",
      "- _",
      "-(_)",
      "+(_)",
      "-(-_)",
      "- -_",
      "+-_",
      "-((_))",
    ].concat(
      [
        "[_]",
        "[(_)]",
        "{_,(_)}",
        "[_|_]",
        "[a|(_)]",
        "#{_=>_}",
        "#{(_)=>(_)}",
        "#{-_=>1}",
        "<<_>>",
        "<<(_)>>",
        "<<-_>>",
      ],
      ["(_", "_)", "()", "(_,_)", "((_)", "(_) (_)", "[_,]", "[,_]"],
    )) {
      texts.add(around.replaceAll("_", () => text));
    }
  }
  for (const value of values) {
    for (const size of sizes) for (const type of types) texts.add(`<<${value}${size}${type}>>`);
  }
  for (const value of values)
    texts.add(`<<7:3, ${value}/bits, ${value}, 1:1>>`).add(`<<1:5,${value}:8/little>>`);
  return [...texts];
}
