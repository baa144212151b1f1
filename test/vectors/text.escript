#!/usr/bin/env escript
%% Makes text-RELEASE-RANGE.json: terms with what io_lib:format prints for them by ~tp, ~tw, ~0tp.
%% Run in this folder: escript text.escript [Count [Seed]], and the same with ERL_FLAGS="+pc unicode".
main(Args) ->
    {Count, Seed} =
        case [list_to_integer(A) || A <- Args] of [] -> {200, 7}; [C] -> {C, 7}; [C, S] -> {C, S} end,
    {ok, M, B} = compile:file("random_terms", [binary]),
    {module, M} = code:load_binary(M, "random_terms.erl", B),
    M:seed(Seed),
    Terms = fixed() ++ [M:term(rand:uniform(60)) || _ <- lists:seq(1, Count)],
    Release = erlang:system_info(otp_release),
    Range = atom_to_list(io:printable_range()),
    Out = ["{\n\"release\": \"", Release, "\",\n\"script\": \"text.escript\",\n",
           "\"range\": \"", Range, "\",\n\"nodes\": {", nodes_json(), "},\n\"terms\": [\n",
           lists:join(",\n", [entry(T) || T <- Terms]), "]\n}\n"],
    ok = file:write_file("text-" ++ Release ++ "-" ++ Range ++ ".json", Out).

entry(T) ->
    ["[\"", [io_lib:format("~2.16.0b", [X]) || <<X>> <= term_to_binary(T)], "\", ",
     lists:join(", ", [string_json(io_lib:format(F, [T])) || F <- ["~tp", "~tw", "~0tp"]]), "]"].

string_json(Chars) -> [$", [char_json(C) || C <- unicode:characters_to_list(Chars)], $"].

char_json(C) when C >= 32, C < 127, C =/= $", C =/= $\\ -> C;
char_json(C) when C < 16#10000 -> io_lib:format("\\u~4.16.0b", [C]);
char_json(C) ->
    <<H:16, L:16>> = unicode:characters_to_binary([C], utf8, utf16),
    [char_json_unit(H), char_json_unit(L)].

char_json_unit(U) -> io_lib:format("\\u~4.16.0b", [U]).

%% By which number this runtime shows the pids of a node.
nodes_json() ->
    Number = fun(N) ->
        Pid = binary_to_term(<<131, 88, 119, (byte_size(N)), N/binary, 1:32, 0:32, 1:32>>),
        [Digits | _] = string:split(tl(pid_to_list(Pid)), "."),
        Digits
    end,
    Nodes = [<<"a@b">>, <<"gandalf@host">>, <<"nonode@nohost">>, <<"n@10.0.0.1">>],
    lists:join(", ", [["\"", N, "\": ", Number(N)] || N <- Nodes]).

fixed() ->
    [[], {}, #{}, <<>>, [[]], {a}, {a, b}, [a | b], [a, b | c], #{a => 1}, #{1.0 => [x]},
     lists:seq(1, 60), lists:seq(1000, 1060), list_to_tuple(lists:seq(1, 60)),
     {ok, lists:seq(1000, 1060)}, {a_long_tag_of_a_tuple, lists:seq(1000, 1030), {another_tag, b, "text"}},
     #{key => lists:seq(1000, 1030), "other" => {x, <<"binary">>}},
     #{list_to_tuple(lists:seq(1, 40)) => list_to_tuple(lists:seq(1, 40))},
     list_to_binary(lists:seq(0, 120)), {bin, list_to_binary(lists:seq(128, 240))},
     [lists:duplicate(30, $a), lists:duplicate(30, $b), lists:duplicate(30, $c)],
     lists:duplicate(100, $x), <<(list_to_binary(lists:duplicate(100, $y)))/binary, 1:1>>,
     {badrpc, {'EXIT', {undef, [{kvs, nothing, [], []}]}}},
     [{mod, fun_name, 2, [{file, "some/long/path/to/a/file.erl"}, {line, 123}]} || _ <- [1, 2, 3]],
     lists:foldl(fun(_, T) -> {tag, T} end, x, lists:seq(1, 30)),
     lists:foldl(fun(_, T) -> [T, a] end, x, lists:seq(1, 40)),
     lists:foldl(fun(_, T) -> {a_rather_long_tag, T, more} end, x, lists:seq(1, 12)),
     lists:foldl(fun(I, T) -> #{I => T} end, x, lists:seq(1, 12)),
     lists:foldl(fun(I, T) -> #{T => I} end, x, lists:seq(1, 12)),
     [a, {b, c} | lists:foldl(fun(_, T) -> {tag, T} end, x, lists:seq(1, 20))],
     [1.0, 10.0, 100.0, 1.0e3, 1.0e4, 12345.0, 1.2e5, 0.1, 0.01, 0.001, 1.0e-4, 1.2e-4, 1.0e-5],
     [list_to_atom([C]) || C <- lists:seq(0, 255)], [[C] || C <- lists:seq(0, 255)],
     [<<C>> || C <- lists:seq(0, 255)], [<<C/utf8>> || C <- lists:seq(120, 300)],
     [erlang:make_fun(N, f, 1) || N <- fun_names(false)], [erlang:make_fun(m, N, 255) || N <- fun_names(false)],
     [erlang:make_fun(N, f, 1) || N <- fun_names(true)], [erlang:make_fun(m, N, 255) || N <- fun_names(true)],
     [W || W <- ['after', 'and', 'andalso', 'band', 'begin', 'bnot', 'bor', 'bsl', 'bsr', 'bxor', 'case',
                 'catch', 'cond', 'div', 'end', 'fun', 'if', 'let', 'not', 'of', 'or', 'orelse',
                 'receive', 'rem', 'try', 'when', 'xor', query, spec]]].

fun_names(BeyondAscii) ->
    [N || N <- random_terms:fun_names(), lists:any(fun(C) -> C > 127 end, atom_to_list(N)) =:= BeyondAscii].
