#!/usr/bin/env escript
%% -*- erlang -*-
%% Makes the codec benchmark's corpus: for each row a file NAME.etf of term_to_binary's bytes.
%% The terms are the same each time, but for what the runtime numbers itself (pids, references).
-mode(compile).

main([Folder]) ->
    rand:seed(exsss, {1, 2, 3}),
    [ok = file:write_file(filename:join(Folder, Name ++ ".etf"), term_to_binary(Term))
     || {Name, Term} <- rows()],
    ok.

rows() ->
    [{"call", call()},
     {"map", phoenix()},
     {"rows", [row(I) || I <- lists:seq(1, 1000)]},
     {"maps", [user(I) || I <- lists:seq(1, 300)]},
     {"binary", rand:bytes(1 bsl 20)},
     {"integers", [integer(I rem 5) || I <- lists:seq(1, 10000)]},
     {"floats", [(rand:uniform() - 0.5) * math:pow(10, I rem 30) || I <- lists:seq(1, 10000)]},
     {"deep", [nest(300, I) || I <- lists:seq(1, 20)]},
     {"ids", lists:append([[spawn(fun() -> ok end), make_ref()] || _ <- lists:seq(1, 500)])},
     {"bigs", [big(I rem 8) || I <- lists:seq(1, 1000)]},
     {"atoms", [name(I rem 1000) || I <- lists:seq(1, 3000)]}].

%% What gen_server:call sends since OTP 24.
call() ->
    {'$gen_call', {self(), [alias | make_ref()]}, {lookup, weather}}.

%% A broadcast as Phoenix.PubSub sends it to the nodes of its cluster, 1 KB.
phoenix() ->
    #{'__struct__' => 'Elixir.Phoenix.Socket.Broadcast',
      event => <<"new_message">>,
      topic => <<"room:4711">>,
      payload =>
          #{<<"id">> => 982451653,
            <<"body">> => text(400),
            <<"inserted_at">> => <<"2026-01-02T03:04:05.678901Z">>,
            <<"edited">> => false,
            <<"reply_to">> => nil,
            <<"score">> => 0.875,
            <<"user">> => #{<<"id">> => 77, <<"name">> => <<"Joe Armstrong">>, <<"admin">> => true},
            <<"tags">> => [<<"erlang">>, <<"elixir">>, <<"node">>],
            <<"mentions">> => [#{<<"id">> => 1, <<"name">> => <<"Robert">>},
                               #{<<"id">> => 2, <<"name">> => <<"Mike">>}],
            <<"meta">> => #{<<"client">> => <<"web/3.2.1">>, <<"locale">> => <<"sv-SE">>,
                            <<"ip">> => <<"192.0.2.17">>, <<"trace">> => text(120)}}}.

%% A row of a table, about 100 bytes.
row(I) ->
    {I, text(12), <<(text(8))/binary, "@example.org">>, I * 1.25, I rem 2 =:= 0,
     lists:nth(1 + I rem 3, [active, suspended, closed]), 1700000000 + I * 61, undefined}.

user(I) ->
    #{<<"id">> => I, <<"name">> => text(12), <<"balance">> => I * 0.75, <<"active">> => true,
      <<"role">> => <<"member">>, <<"visits">> => I * 977,
      <<"address">> => #{<<"street">> => text(14), <<"city">> => <<"Stockholm">>, <<"zip">> => I}}.

integer(0) -> rand:uniform(256) - 1;
integer(1) -> rand:uniform(65536);
integer(2) -> -rand:uniform(1 bsl 31);
integer(3) -> rand:uniform(1 bsl 40);
integer(4) -> rand:uniform(1 bsl 53) - (1 bsl 52).

big(I) ->
    Bits = element(1 + I, {64, 64, 64, 128, 128, 256, 1024, 4096}),
    <<Value:Bits>> = rand:bytes(Bits div 8),
    case rand:uniform(2) of 1 -> Value + (1 bsl (Bits - 1)); 2 -> -Value - (1 bsl (Bits - 1)) end.

nest(0, I) -> I;
nest(Levels, I) when Levels rem 2 =:= 0 -> [nest(Levels - 1, I), Levels];
nest(Levels, I) -> [Levels, nest(Levels - 1, I)].

name(I) -> list_to_atom("some_module_" ++ integer_to_list(I)).

text(Size) -> << <<(97 + rand:uniform(26) - 1)>> || _ <- lists:seq(1, Size) >>.
