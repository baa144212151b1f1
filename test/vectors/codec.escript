#!/usr/bin/env escript
%% Makes codec-RELEASE.json: terms around every boundary of a width, and random ones, as
%% term_to_binary writes them. Run in this folder: escript codec.escript
-mode(compile).

main(_) ->
    {ok, M, B} = compile:file("random_terms", [binary]),
    {module, M} = code:load_binary(M, "random_terms.erl", B),
    M:seed(29),
    Release = erlang:system_info(otp_release),
    Vectors = [{Label, term_to_binary(T), T} || {Label, T} <- edges()]
        ++ [{Label, Bytes, binary_to_term(Bytes)} || {Label, Bytes} <- forms()]
        ++ [{"random", term_to_binary(T), T} || T <- [M:term(12) || _ <- lists:seq(1, 150)]],
    Out = ["{\n\"release\": \"", Release, "\",\n\"range\": \"", atom_to_list(io:printable_range()),
           "\",\n\"script\": \"codec.escript\",\n\"vectors\": [\n",
           lists:join(",\n", [["[\"", Label, "\", \"", hex(Bytes), "\", \"", hex(text(T)), "\"]"]
                              || {Label, Bytes, T} <- Vectors]),
           "]\n}\n"],
    ok = file:write_file("codec-" ++ Release ++ ".json", Out).

%% The text is hex of UTF-8, so that no escapes are needed.
text(T) -> unicode:characters_to_binary(io_lib:format("~0tp", [T])).
hex(Bin) -> [io_lib:format("~2.16.0b", [X]) || <<X>> <= Bin].

edges() ->
    [{"integer", S * ((1 bsl N) + D)} || N <- [7, 8, 15, 16, 27, 28, 31, 32, 53, 59, 60, 63, 64, 127, 128,
                                               2039, 2040], D <- [-1, 0, 1], S <- [1, -1]]
    ++ [{"float", F} || F <- [0.0, 1.0, -1.5, 5.0e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
                              0.1, 9007199254740992.0]]
    ++ [{"atom of " ++ integer_to_list(N), list_to_atom(lists:duplicate(N, C))}
        || N <- [0, 1, 127, 128, 254, 255], C <- [$a, 16#e9, 16#3bb, 16#1f600]]
    ++ [{"binary of " ++ integer_to_list(N), binary:copy(<<7>>, N)} || N <- [0, 1, 63, 64, 65, 255, 256]]
    ++ [{"bitstring", <<16#deadbeef:N>>} || N <- lists:seq(1, 17)]
    ++ [{"string of " ++ integer_to_list(N), lists:duplicate(N, 9)} || N <- [0, 1, 255, 256, 1000]]
    ++ [{"list", L} || L <- [[256], [1, 2, 256], [255], [[]], [-1], [1 | 2], [1, 2 | a], [1, [2, [3 | 4]]]]]
    ++ [{"tuple of " ++ integer_to_list(N), list_to_tuple(lists:duplicate(N, a))} || N <- [0, 1, 2, 255, 256]]
    ++ [{"map of " ++ integer_to_list(N), maps:from_list([{I, I} || I <- lists:seq(1, N)])}
        || N <- [0, 1, 2, 31, 32, 33, 100]]
    ++ [{"map", M} || M <- [#{1 => a, 1.0 => b}, #{{1, 2} => [3], <<"k">> => #{}, [] => "x"}]]
    ++ [{"fun", F} || F <- [fun lists:map/2, fun erlang:'+'/2, erlang:make_fun(true, false, 255)]].

%% Forms that term_to_binary does not write, or not without options.
forms() ->
    T = {some, [terms, "and text"], lists:duplicate(500, compressible)},
    [{"compressed", term_to_binary(T, [{compressed, L}])} || L <- [1, 9]]
    ++ [{"float as text", term_to_binary(F, [{minor_version, 0}])} || F <- [1.5, -1.0e-300, 1.0e23]]
    ++ [{"atom in Latin-1", term_to_binary(A, [{minor_version, 1}])} || A <- [abc, 'h\x{e9}', list_to_atom(lists:duplicate(255, $x))]]
    ++ [{"ATOM_EXT", <<131, 100, 0, 2, "ok">>}, {"SMALL_ATOM_EXT", <<131, 115, 2, "ok">>},
        {"ATOM_UTF8_EXT", <<131, 118, 0, 3, "o", 16#c3, 16#a9>>},
        {"PID_EXT", <<131, 103, 119, 3, "a@b", 5:32, 1:32, 2>>},
        {"PORT_EXT", <<131, 102, 119, 3, "a@b", 5:32, 2>>},
        {"NEW_PORT_EXT", <<131, 89, 119, 3, "a@b", 16#0fffffff:32, 99:32>>},
        {"V4_PORT_EXT", <<131, 120, 119, 3, "a@b", 16#10000000:64, 99:32>>},
        {"V4_PORT_EXT", <<131, 120, 119, 3, "a@b", 16#ffffffffffffffff:64, 99:32>>},
        {"REFERENCE_EXT", <<131, 101, 119, 3, "a@b", 7:32, 2>>},
        {"NEW_REFERENCE_EXT", <<131, 114, 0, 3, 119, 3, "a@b", 2, 7:32, 8:32, 9:32>>},
        {"NEWER_REFERENCE_EXT", <<131, 90, 0, 5, 119, 3, "a@b", 2:32, 7:32, 8:32, 9:32, 10:32, 11:32>>},
        {"NEW_PID_EXT", <<131, 88, 119, 3, "a@b", 16#ffffffff:32, 16#ffffffff:32, 16#ffffffff:32>>},
        {"SMALL_BIG_EXT with zeros", <<131, 110, 9, 0, 5, 0:64>>},
        {"LARGE_BIG_EXT of a small one", <<131, 111, 3:32, 1, 1, 0, 0>>},
        {"LARGE_TUPLE_EXT of a small one", <<131, 105, 1:32, 97, 1>>},
        {"LIST_EXT of bytes", <<131, 108, 1:32, 97, 1, 106>>},
        {"LIST_EXT in the tail", <<131, 108, 1:32, 97, 1, 108, 1:32, 97, 2, 106>>},
        {"STRING_EXT in the tail", <<131, 108, 1:32, 97, 1, 107, 2:16, 3, 4>>},
        {"STRING_EXT of nothing", <<131, 107, 0:16>>},
        {"LIST_EXT of nothing", <<131, 108, 0:32, 106>>},
        {"BIT_BINARY_EXT of whole bytes", <<131, 77, 2:32, 8, 1, 2>>}]
    ++ case erlang:system_info(otp_release) >= "29" of
           true -> [{"RECORD_EXT", <<131, 67, 2:32, 1, 119, 1, "m", 119, 1, "r", 119, 1, "f", 119, 1, "g", 97, 1, 106>>},
                    {"RECORD_EXT", <<131, 67, 0:32, 0, 119, 1, "m", 119, 1, "r">>}];
           false -> []
       end.
