#!/usr/bin/env escript
%% Makes compare.json: pairs of terms with their order, and lists with how lists:sort orders them.
%% Run in this folder, by OTP 27 or later (0.0 and -0.0 are not =:= there): escript compare.escript
main(_) ->
    {ok, M, B} = compile:file("random_terms", [binary]),
    {module, M} = code:load_binary(M, "random_terms.erl", B),
    M:seed(20),
    Pairs = [M:pair(8) || _ <- lists:seq(1, 700)],
    Sorts = [lists:sort([M:term(4) || _ <- lists:seq(1, 30)]) || _ <- lists:seq(1, 6)],
    Out = ["{\n\"release\": \"", erlang:system_info(otp_release), "\",\n",
           "\"script\": \"compare.escript\",\n\"pairs\": [\n",
           lists:join(",\n", [["[\"", hex(X), "\", \"", hex(Y), "\", \"", order(X, Y), "\"]"] || {X, Y} <- Pairs]),
           "],\n\"sorted\": [\n",
           lists:join(",\n", [["[", lists:join(", ", [["\"", hex(T), "\""] || T <- S]), "]"] || S <- Sorts]),
           "]\n}\n"],
    ok = file:write_file("compare.json", Out).

hex(T) -> [io_lib:format("~2.16.0b", [X]) || <<X>> <= term_to_binary(T)].

order(X, Y) when X =:= Y -> "=:=";
order(X, Y) when X == Y -> "==";
order(X, Y) when X < Y -> "<";
order(X, Y) when X > Y -> ">".
