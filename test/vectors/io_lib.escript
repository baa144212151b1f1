#!/usr/bin/env escript
%% Makes io-lib.json: what io_lib:format prints for a format and arguments, null where it fails.
%% Run in this folder: escript io_lib.escript [Count [Seed]]
main(Args) ->
    {Count, Seed} =
        case [list_to_integer(A) || A <- Args] of [] -> {200, 7}; [C] -> {C, 7}; [C, S] -> {C, S} end,
    rand:seed(exsss, Seed),
    Rows = fixed() ++ [random() || _ <- lists:seq(1, Count)],
    Release = erlang:system_info(otp_release),
    Out = ["{\n\"release\": \"", Release, "\",\n\"script\": \"io_lib.escript\",\n\"rows\": [\n",
           lists:join(",\n", [row(F, A) || {F, A} <- Rows]), "]\n}\n"],
    ok = file:write_file("io-lib.json", Out).

row(Format, Args) ->
    {ok, Tokens, _} = erl_scan:string("[" ++ Args ++ "]."),
    {ok, Terms} = erl_parse:parse_term(Tokens),
    Printed =
        try unicode:characters_to_list(io_lib:format(Format, Terms)) of
            Chars when is_list(Chars) -> string_json(Chars)
        catch
            error:_ -> "null"
        end,
    ["[", string_json(Format), ", ", string_json("[" ++ Args ++ "]"), ", ", Printed, "]"].

%% A number in some format, with or without width, precision and padding.
random() ->
    Width = pick(["", "", "5", "-5", "12", "-12", "30"]),
    Precision = pick(["", "", ".1", ".2", ".3", ".8", ".16", ".25"]),
    Pad = case Precision of "" -> ""; _ -> pick(["", "", ".0", ".x"]) end,
    Control = pick(["f", "e", "g", "B", "b", "#", "+", "w", "s", "c"]),
    {"~" ++ Width ++ Precision ++ Pad ++ Control ++ "|", argument(Control)}.

argument(C) when C =:= "f"; C =:= "e"; C =:= "g" ->
    Float = (rand:uniform() - 0.5) * math:pow(10, rand:uniform(28) - 12),
    lists:flatten(io_lib:format("~w", [pick([Float, Float, Float, 0.5, 9.9999999, 99.95, -0.0])]));
argument("s") ->
    pick(["\"\"", "\"abc\"", "\"quite a long text\"", "<<\"abc\">>", "abc", "[\"a\",<<\"b\">>,$c]"]);
argument("c") ->
    integer_to_list(pick([$a, $~, 300, 16#20AC]));
argument(_) ->
    integer_to_list(pick([0, 7, -42, 255, 1 bsl 40, -(1 bsl 70)])).

pick(List) -> lists:nth(rand:uniform(length(List)), List).

string_json(Chars) -> [$", [char_json(C) || C <- Chars], $"].

char_json(C) when C >= 32, C < 127, C =/= $", C =/= $\\ -> C;
char_json(C) -> io_lib:format("\\u~4.16.0b", [C]).

fixed() ->
    [{"", ""}, {"plain", ""}, {"\x{e9}\x{20ac}", ""}, {"hello ~p~n", "1"},
     %% what does not fit: too few arguments, too many, no control, none that is known
     {"~w", ""}, {"x", "1"}, {"~w~w", "1"}, {"~", ""}, {"abc~", ""}, {"~5", "1"}, {"~q", "1"},
     {"~a", "1"},
     %% strings
     {"~s", "\"text\""}, {"~s", "<<\"bin\">>"}, {"~s", "atom"}, {"~s", "true"},
     {"~s", "[\"a\",<<\"b\">>,[99,[\"d\"]]]"}, {"~s", "1"}, {"~s", "[a]"}, {"~s", "[8364]"},
     {"~ts", "[8364]"}, {"~s", "'\x{20ac}'"}, {"~ts", "'\x{20ac}'"},
     {"~s", "<<195,169>>"}, {"~ts", "<<195,169>>"}, {"~ts", "<<233>>"}, {"~ts", "[<<233>>,8364]"},
     {"~10s|", "\"abc\""}, {"~-10s|", "\"abc\""}, {"~3s|", "\"abcdef\""},
     {"~10.2s|", "\"abcdef\""}, {"~-10.2s|", "\"abcdef\""}, {"~10.5s|", "\"abc\""},
     {"~.4s|", "\"abcdef\""}, {"~.4s|", "\"ab\""}, {"~4.4s|", "\"ab\""}, {"~2.4s|", "\"ab\""},
     %% characters
     {"~c", "$a"}, {"~5c|", "$a"}, {"~5.3c|", "$a"}, {"~-5.3c|", "$a"}, {"~.3c|", "$a"},
     {"~2.3c|", "$a"}, {"~c", "8364"}, {"~tc", "8364"}, {"~c", "-1"}, {"~c", "a"}, {"~c", "1.0"},
     %% terms
     {"~w ~p", "\"hi\",\"hi\""}, {"~w", "'it\\'s'"}, {"~w", "{a,\"x\",\#{}}"},
     {"~p", "{a,\"x\",<<1,2>>}"}, {"~10w|", "abc"}, {"~-10w|", "abc"}, {"~2w|", "abc"},
     {"~10..0w", "42"}, {"~.3w|", "42"}, {"~5.3w|", "42"}, {"~5.1w|", "42"}, {"~w", "[8364]"},
     {"~tp", "[8364]"}, {"~tp", "<<\"\x{e9}\"/utf8>>"}, {"~w", "'\x{e9}'"}, {"~tw", "'\x{20ac}'"},
     {"~0p", "{aaaaaaa,bbbbbbbb,[ccccccc,\"x\"]}"}, {"~lp", "\"abc\""}, {"~ltp", "[8364]"},
     {"~20p", "{aaaaaaa,bbbbbbbb,ccccccc}"}, {"~20.5p", "{aaaaaaa,bbbbbbbb,ccccccc}"},
     {"x~nabc ~20p", "{aaaaaaa,bbbbbbbb,ccccccc}"}, {"~-20p", "abc"},
     {"abc: ~p", "[{key,\"value of some length\"},{another_key,\"another value of some length\"},"
                 "{third,[1,2,3,4,5,6,7,8,9,10]}]"},
     {"~W", "abc,10"}, {"~P", "\"abc\",10"}, {"~W", "abc"}, {"~W", "abc,x"},
     %% floats
     {"~f", "3.14159"}, {"~.2f", "3.14159"}, {"~10.2f|", "3.14159"}, {"~-10.2f|", "3.14159"},
     {"~4.2f|", "3.14159"}, {"~3.2f|", "3.14159"}, {"~f", "1"}, {"~f", "a"}, {"~.0f", "2.5"},
     {"~.1f", "1.0e21"}, {"~.1f", "1.0e300"}, {"~f", "5.0e-324"}, {"~.3f", "-0.0005"},
     {"~.2f", "0.125"}, {"~.1f", "0.25"}, {"~.2f", "1.005"}, {"~.1f", "0.99"}, {"~f", "-0.0"},
     {"~.20f", "0.1"}, {"~.120f", "0.1"},
     {"~e", "3.14159"}, {"~.3e", "3.14159"}, {"~e", "0.0"}, {"~e", "1.0e-10"}, {"~e", "1.0e100"},
     {"~.1e", "1.5"}, {"~.2e", "1.5"}, {"~.2e", "9.99"}, {"~12.3e|", "1.5"}, {"~e", "-2.5e9"},
     {"~.30e", "0.1"},
     {"~g", "3.14159"}, {"~g", "0.05"}, {"~g", "12345.678"}, {"~g", "9999.5"}, {"~g", "0.1"},
     {"~g", "0.0"}, {"~g", "1.0e10"}, {"~.3g", "314.159"}, {"~.3g", "0.5"}, {"~g", "999.9999"},
     {"~.2g", "123.0"}, {"~.1g", "3.14"}, {"~.1g", "0.5"}, {"~.0g", "0.5"}, {"~g", "-0.5"},
     %% integers
     {"~B", "255"}, {"~.16B", "255"}, {"~.16b", "-255"}, {"~10.2B|", "5"}, {"~8.2.0b", "5"},
     {"~B", "1.0"}, {"~.36B", "123456789012345678901234567890"}, {"~.37B", "1"}, {"~.1B", "1"},
     {"~5B|", "-42"}, {"~-5B|", "42"}, {"~2B|", "1234"}, {"~X", "31,\"10#\""},
     {"~.16X", "-31,\"0x\""}, {"~.16x", "255,a"}, {"~.16x", "255,[\"0\",$x]"},
     {"~.16X", "255,<<\"0x\">>"}, {"~.16X", "255,1"}, {"~#", "31"}, {"~.16#", "-31"},
     {"~.16+", "-31"}, {"~10.16#|", "255"},
     %% what takes no argument, and arguments for width, precision and padding
     {"~~", ""}, {"~3~|", ""}, {"~n", ""}, {"~2n|", ""}, {"~-2n|", ""}, {"~i~w", "1,2"},
     {"~*w|", "6,ab"}, {"~*s|", "-6,\"ab\""}, {"~-*s|", "6,\"ab\""}, {"~*.*f|", "8,2,3.14159"},
     {"~.*f|", "-2,3.14159"}, {"~6.3.*w|", "$x,ab"}, {"~8..*s|", "$x,\"ab\""}, {"~8..*s|", "\"ab\""},
     {"~*w|", "a,ab"}].
