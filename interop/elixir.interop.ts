/** Terms in Elixir's syntax, compared with what Elixir itself prints. */

import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { decode, encode, format, type Term, type Tuple } from "../etf/index.ts";
import type { OtpNode } from "./index.ts";
import { startElixirNode } from "./support/elixir.ts";
import { startOurNode } from "./support/our-node.ts";
import "./support/vitest.ts";

const RANDOM_TERMS = fileURLToPath(new URL("../test/vectors/random_terms.erl", import.meta.url));
const INSPECT =
  "'Elixir.Kernel':inspect(T, [{limit, infinity}, {printable_limit, infinity}, {width, infinity}])";

const seed = Number(process.env.ERLDIST_CODEC_SEED ?? Math.floor(Math.random() * 2 ** 30));
let node: OtpNode;
let charlists: "sigil" | "quotes";

beforeAll(async () => {
  const started = await startElixirNode();
  node = started.node;
  charlists = started.minor < 15 ? "quotes" : "sigil";
  await node.loadModule(RANDOM_TERMS);
  await node.loadModule("erldist_terms");
});
afterAll(() => node?.kill());

/** Without the number by which the printing node knows another. */
const nodeless = (text: string): string =>
  text.replace(/(#(?:PID|Port|Reference)<)[^<>\s]*?((?:\.\d+)+>)/g, (_, head, words: string) => {
    return `${head}N${words}`;
  });

async function compared(terms: string): Promise<[Term, string, string][]> {
  const bytes = await node.evalBytes(`[{T, ${INSPECT}} || T <- ${terms}]`, { timeoutMs: 60_000 });
  const pairs = decode(bytes) as Tuple<[Term, Uint8Array]>[];
  return pairs.map(([term, text]) => {
    const printed = format(term, { syntax: "elixir", charlists, nodeNumber: () => 0 });
    return [term, nodeless(printed), nodeless(Buffer.from(text).toString())];
  });
}

it("random terms", async () => {
  const results = await compared(`erldist_terms:batch(${seed}, 1500, 20)`);
  let equal = 0;
  for (const [term, printed, expected] of results) {
    // The name of the function that a fun was made in is only in its module.
    if (/#Function</.test(expected)) continue;
    // Which letters beyond ASCII go without quotes is a table of Elixir's own.
    const quotes = /[^\0-\x7f]/.test(expected) ? /"/g : /(?!)/g;
    expect(
      printed.replace(quotes, ""),
      `seed ${seed}: ${Buffer.from(encode(term)).toString("hex")}`,
    ).toBe(expected.replace(quotes, ""));
    equal++;
  }
  expect(equal).toBeGreaterThan(500);
});

it("every atom of up to three signs, and others", async () => {
  const results = await compared(`
    [list_to_atom(L) || A <- "!%&*+-./:<=>?@^|~{}\\\\a_B1 ", B <- [none | "!%&*+-./:<=>?@^|~{}\\\\a_B1 "],
                        L <- [[X || X <- [A, B], X =/= none]]]
    ++ [list_to_atom([A, A, A]) || A <- lists:seq(33, 126)]
    ++ ['..//', '...', '<<>>', '%{}', '!==', '<~>', '~>>', '<<~', '<|>', '^^^', '~~~', nil, true, false, 'Elixir',
        'Elixir.A', 'Elixir.A.B1_c', 'Elixir.a', 'Elixir.A.b', 'Elixir.', 'Elixir.A.', 'Elixir.A?', 'a?', 'a!', 'a?b', 'Foo',
        'do', 'and', 'a@b', '@a', '__x__', '\\x{e9}', '\\x{c9}', '\\x{65e5}\\x{672c}', '\\n"\\0\\x{7f}\\x{85}\\x{feff}#{', '']`);
  for (const [, printed, expected] of results) expect(printed).toBe(expected);
});

it("keywords, structs, maps, charlists, strings and captures", async () => {
  await node.eval(`'Elixir.Code':eval_string(<<"defmodule Point do defstruct [:x, :y] end">>)`);
  const results = await compared(`
    [[{a, 1}, {'b c', 2}, {'+', 3}], [{a, 1}, b], [{'Elixir.A', 1}], [{nil, 1}, {true, 2}], [{'Elixir', 1}, {'::', 2}],
     #{}, #{a => 1}, #{<<"a">> => 1, a => 2}, #{'Elixir.A' => 1}, #{'b c' => #{}}, #{1 => []}, {}, {ok, <<"x">>},
     'Elixir.Kernel':struct('Elixir.Point', [{x, 1}]), [1 | 2], [[] | a],
     "abc", "a\\"'\\\\#{", [7, 8, 9, 10, 11, 12, 13, 27], [127], [0], [233], <<"a\\"'\\\\#{\\n\\e">>, <<"h\\x{e9}"/utf8>>, <<255>>,
     <<0>>, <<16#feff/utf8, "a">>, <<16#200b/utf8>>, <<16#fffe/utf8>>, <<>>, <<1, 2:3>>, <<5:3>>,
     fun lists:map/2, fun 'Elixir.Enum':map/2, fun 'My Mod':'g h'/1, fun m:'+'/2, fun m:'Foo'/1, fun m:'::'/1, fun m:'%{}'/1,
     fun m:'a@b'/1, fun m:'f?'/0, fun nil:f/0,
     1.0, 0.1, -0.0, 1.0e22, 1.0e15, 1.0e16, 1.0e-10, 12345678901234567.0, 1 bsl 70]`);
  for (const [, printed, expected] of results) expect(printed).toBe(expected);
});

it("captures of every kind of name", async () => {
  const results = await compared(
    "[erlang:make_fun(M, F, 1) || N <- random_terms:fun_names(), {M, F} <- [{N, f}, {m, N}]]",
  );
  for (const [, printed, expected] of results) {
    // Which letters beyond ASCII go without quotes is a table of Elixir's own.
    const quotes = /[^\0-\x7f]/.test(expected) ? /"/g : /(?!)/g;
    expect(printed.replace(quotes, "")).toBe(expected.replace(quotes, ""));
  }
});

it("IO on an erldist device", async () => {
  async function* lines() {
    yield* ["frodo €\n", "two\nthree\n", "four\nfive"];
  }
  let printed = "";
  const ours = await startOurNode();
  try {
    const output = (text: string) => {
      printed += text;
    };
    const device = ours.openDevice({ input: lines(), output });
    device.register("device");
    ours.expose("ts", { device: () => device.pid });
    const answers = await node.eval(`
      D = rpc:call('${ours.name}', ts, device, []),
      % As Elixir does with its own standard input when it starts.
      ok = io:setopts(D, [binary]), Io = 'Elixir.IO',
      ok = Io:puts(D, <<"h\\x{e9}llo"/utf8>>), ok = Io:write(D, <<"a">>), Io:inspect(D, {1, a}, []),
      [Io:gets(D, <<"name: ">>), Io:read(D, line), Io:getn(D, <<"?">>, 3), Io:read(D, line),
       Io:binread(D, line), Io:read(D, 9), Io:gets(D, <<>>)]`);
    expect(answers).toBe(
      '[<<102,114,111,100,111,32,226,130,172,10>>,<<"two\\n">>,<<"thr">>,<<"ee\\n">>,<<"four\\n">>,<<"five">>,eof]',
    );
    expect(printed).toBe("héllo\na{1, :a}\nname: ?");
  } finally {
    await ours.stop();
  }
});
