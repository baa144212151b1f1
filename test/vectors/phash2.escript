#!/usr/bin/env escript
%% Makes phash2.json: terms with their erlang:phash2/1 and phash2/2 with a range of 2^32.
%% Run in this folder: escript phash2.escript
main(_) ->
    {ok, M, B} = compile:file("random_terms", [binary]),
    {module, M} = code:load_binary(M, "random_terms.erl", B),
    M:seed(27),
    Fixed = [[], {}, #{}, '', a, true, [[]], [''], {''}, #{'' => ''}, [a | b], 0.0, -0.0, <<>>, <<1:3>>, 1, -1,
             1 bsl 27, -(1 bsl 27), (1 bsl 27) - 1, -(1 bsl 27) - 1, 1 bsl 64, "abcde", "abcd", [1, 2 | 3], [1, 2 | a],
             'h\x{e9}', '\x{3bb}', [1, [], 2], <<"012345678901">>, <<"0123456789012">>, #{a => #{b => c}, c => []}],
    Terms = Fixed ++ [M:term(rand:uniform(20)) || _ <- lists:seq(1, 300)],
    Out = ["{\n\"release\": \"", erlang:system_info(otp_release), "\",\n\"script\": \"phash2.escript\",\n\"vectors\": [\n",
           lists:join(",\n", [io_lib:format("[\"~s\", ~b, ~b]", [hex(T), erlang:phash2(T), erlang:phash2(T, 1 bsl 32)]) || T <- Terms]),
           "]\n}\n"],
    ok = file:write_file("phash2.json", Out).

hex(T) -> [io_lib:format("~2.16.0b", [X]) || <<X>> <= term_to_binary(T)].
