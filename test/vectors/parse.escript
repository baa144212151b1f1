#!/usr/bin/env escript
%% Makes parse.json: Erlang text with the term it is, or null if Erlang refuses it.
%% Run in this folder, by OTP 27 or later (sigils, triple quotes): escript parse.escript
-mode(compile).

main(_) ->
    {ok, Source} = file:read_file("parse.txt"),
    Texts = [T || T <- string:split(Source, "\n----\n", all), string:trim(T) =/= <<>>],
    Out = ["{\n\"release\": \"", erlang:system_info(otp_release), "\",\n\"script\": \"parse.escript\",\n",
           "\"texts\": [\n", lists:join(",\n", [entry(T) || T <- Texts]), "]\n}\n"],
    ok = file:write_file("parse.json", Out).

entry(Text) ->
    Chars = unicode:characters_to_list(Text),
    Result = try
        {ok, Tokens, _} = erl_scan:string(Chars ++ "\n."),
        {ok, Exprs} = erl_parse:parse_exprs(Tokens),
        {value, Term, _} = erl_eval:exprs(Exprs, []),
        ["\"", [io_lib:format("~2.16.0b", [X]) || <<X>> <= term_to_binary(Term)], "\""]
    catch _:_ -> "null" end,
    ["[", string_json(Chars), ", ", Result, "]"].

string_json(Chars) -> [$", [char_json(C) || C <- Chars], $"].

char_json(C) when C >= 32, C < 127, C =/= $", C =/= $\\ -> C;
char_json(C) when C < 16#10000 -> io_lib:format("\\u~4.16.0b", [C]);
char_json(C) ->
    <<H:16, L:16>> = unicode:characters_to_binary([C], utf8, utf16),
    [io_lib:format("\\u~4.16.0b", [U]) || U <- [H, L]].
