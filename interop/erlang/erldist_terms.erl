%% Sends random terms to an erldist process that sends each back, and compares the two.
%%
%% Loaded beside test/vectors/random_terms.erl, which makes the terms.
-module(erldist_terms).
-export([batch/3, echoed/4, same/3, large/0, key_maps/0, doubled/0, big_map/0, records/0, binaries/2, described/3, floats/2, pairs/2, sorted/3, printed/3, constant/1]).

%% Count terms, the same for the same seed.
batch(Seed, Count, Size) ->
    random_terms:seed(Seed),
    [random_terms:term(rand:uniform(Size)) || _ <- lists:seq(1, Count)].

%% {ok, Count} or {differs, Sent, Received} of the first that is not =:= to what was sent. One
%% message a term, so that each goes through a frame of its own; answers are awaited in batches.
echoed(Echo, Seed, Count, Size) ->
    same(Echo, batch(Seed, Count, Size), 0).

same(_, [], Count) ->
    {ok, Count};
same(Echo, Terms, Count) ->
    {Now, Later} = lists:split(min(200, length(Terms)), Terms),
    Ref = make_ref(),
    [Echo ! {self(), Ref, T} || T <- Now],
    case check(Ref, Now) of
        ok -> same(Echo, Later, Count + length(Now));
        Differs -> Differs
    end.

check(_, []) ->
    ok;
check(Ref, [T | Ts]) ->
    receive
        {Ref, T} -> check(Ref, Ts);
        {Ref, Other} -> {differs, T, Other}
    after 60000 -> {no_answer, T}
    end.

%% {ok, Term} of a text in UTF-8 that is a constant, else refused.
constant(Text) ->
    try
        {ok, Tokens, _} = erl_scan:string(unicode:characters_to_list(Text) ++ "\n."),
        {ok, _} = erl_parse:parse_term(Tokens)
    catch _:_ -> refused
    end.

%% What a random generator does not meet.
large() ->
    Bits = largest_integer(),
    [(1 bsl Bits) - 1, -((1 bsl Bits) - 1), 1 bsl (Bits - 1),
     list_to_atom(lists:duplicate(255, 16#1f600)), list_to_atom(lists:duplicate(255, 16#e9)),
     lists:foldl(fun(_, T) -> [T] end, [], lists:seq(1, 100000)),
     lists:foldl(fun(_, T) -> {T} end, [], lists:seq(1, 100000)),
     lists:foldl(fun(I, T) -> [I | T] end, tail, lists:seq(1, 100000)),
     maps:from_list([{I, {I}} || I <- lists:seq(1, 50000)]),
     maps:from_list([{{I, <<I:32>>}, I} || I <- lists:seq(1, 5000)]),
     maps:from_list([{#{I => float(I)}, [I]} || I <- lists:seq(1, 1000)]),
     lists:foldl(fun(I, T) -> #{T => I} end, #{}, lists:seq(1, 200)),
     lists:duplicate(65535, 7), lists:duplicate(65536, 7), list_to_tuple(lists:seq(1, 70000)),
     binary:copy(<<"0123456789">>, 300000), <<(binary:copy(<<1>>, 100000))/binary, 5:3>>,
     [<<(rand:uniform(1 bsl 40)):N>> || N <- lists:seq(0, 64)],
     [5.0e-324, -5.0e-324, 2.2250738585072009e-308, 2.2250738585072014e-308, 0.0, -0.0, 1.7976931348623157e308],
     [fun() -> T end || T <- [a, [1.5], #{k => <<1:3>>}, fun(X) -> {X, self()} end]],
     [fun lists:map/2, fun erlang:'+'/2, erlang:make_fun('', '', 255)],
     [self(), make_ref(), hd(erlang:ports())]].

%% Maps of many keys that differ in one place only, and of keys that are maps.
key_maps() ->
    Pid = self(),
    Refs = [make_ref() || _ <- lists:seq(1, 500)],
    Kinds = [[{Pid, [alias | R]} || R <- Refs], Refs,
             [fun() -> X end || X <- lists:seq(1, 500)],
             [[a | I] || I <- lists:seq(1, 500)],
             [erlang:make_fun(m, f, A) || A <- lists:seq(0, 255)],
             [I bsl 64 || I <- lists:seq(1, 500)],
             [I / 7 || I <- lists:seq(1, 500)],
             [<<I:13>> || I <- lists:seq(1, 500)],
             [#{I => I} || I <- lists:seq(1, 500)],
             [deep(300, I) || I <- lists:seq(1, 100)]],
    [maps:from_list([{K, 1} || K <- Keys]) || Keys <- Kinds]
        ++ [keys(4, 0), lists:foldl(fun(I, T) -> #{T => I, #{I => 1, b => 2} => 1} end, a, lists:seq(1, 5000))].

deep(0, I) -> I;
deep(N, I) -> {[deep(N - 1, I)]}.

keys(0, I) -> I;
keys(Level, I) -> maps:from_list([{keys(Level - 1, 8 * I + N), N} || N <- lists:seq(0, 7)]).

%% Bytes of maps with a key twice, all of which OTP refuses: the answer says whether it does.
doubled() ->
    Key = fun(T) -> <<131, B/binary>> = term_to_binary(T), B end,
    Keys = [1, 1.5, a, <<"b">>, {1, [2 | 3]}, [], #{a => b}, #{{1} => 2, {2} => 1}, deep(300, 1), fun lists:map/2],
    Filler = [Key({I}) || I <- lists:seq(1, 40)],
    Bytes = [iolist_to_binary([131, 116, <<(length(F) + 2):32>>, Key(K), 97, 1, [[X, 97, 1] || X <- F], Key(K), 97, 2])
             || K <- Keys, F <- [[], Filler]],
    {[refused || B <- Bytes, try binary_to_term(B), false catch error:badarg -> true end], Bytes}.

big_map() ->
    maps:from_list([{K, V} || I <- lists:seq(1, 300),
                              {K, V} <- [{I, a}, {float(I), b}, {{I}, c}, {[I], d}, {<<I:16>>, e},
                                         {list_to_atom("k" ++ integer_to_list(I)), #{2 => I, 1.0 => I}}]]).

%% An integer has 65535 words of 64 bits at most in later releases. In 23 and 25 it may have eight times as many.
largest_integer() ->
    try _ = 1 bsl list_to_integer("4194240"), 33000000
    catch error:system_limit -> 4194239
    end.

%% Native records, which OTP 29 has: from their bytes, so that this file compiles everywhere.
records() ->
    Atom = fun(A) -> B = atom_to_binary(A, utf8), <<119, (byte_size(B)), B/binary>> end,
    Part = fun(T) -> <<131, B/binary>> = term_to_binary(T), B end,
    Record = fun(Exported, Module, Name, Fields) ->
        binary_to_term(iolist_to_binary(
            [<<131, 67, (length(Fields)):32, Exported>>, Atom(Module), Atom(Name),
             [Atom(F) || {F, _} <- Fields], [Part(V) || {_, V} <- Fields]]))
    end,
    Small = [Record(E, M, N, F) || E <- [0, 1], M <- [shapes, 'My Mod'], N <- [circle, '\x{3bb}'],
                                   F <- [[], [{r, 1.5}], [{x, <<"a">>}, {'Y z', [1 | 2]}, {f, #{a => b}}]]],
    Small ++ [Record(1, m, nested, [{inner, S}, {list, Small}]) || S <- Small].

%% The same terms as term_to_binary writes them, each of them a binary.
binaries(Seed, Count) -> [term_to_binary(T) || T <- batch(Seed, Count, 20)].

%% Each term with its hashes and its text.
described(Seed, Count, Range) ->
    [{T, erlang:phash2(T), erlang:phash2(T, Range), erlang:phash2(T, 1 bsl 32),
      [text(F, T) || F <- ["~tp", "~tw", "~0tp"]]} || T <- batch(Seed, Count, 30)].

text(Format, Term) -> unicode:characters_to_binary(io_lib:format(Format, [Term])).

%% Floats of any bits, and such as have 17 digits and a 5 to drop, with their texts.
floats(Seed, Count) ->
    random_terms:seed(Seed),
    [{F, text("~w", F)} || N <- lists:seq(1, Count),
                           F <- [case N rem 2 of
                                     0 -> random_terms:bits_of_float();
                                     1 -> random_terms:float_in_the_middle()
                                 end]].

pairs(Seed, Count) ->
    random_terms:seed(Seed),
    [{A, B, order(A, B)} || {A, B} <- [random_terms:pair(10) || _ <- lists:seq(1, Count)]].

order(A, B) when A =:= B -> '=:=';
order(A, B) when A == B -> '==';
order(A, B) when A < B -> '<';
order(A, B) when A > B -> '>'.

%% Lists with what lists:sort makes of them; half of each list are numbers near one another.
sorted(Seed, Count, Size) ->
    random_terms:seed(Seed),
    [begin
         L = [case N rem 2 of 0 -> random_terms:term(4); 1 -> random_terms:number() end || N <- lists:seq(1, Size)],
         {L, lists:sort(L)}
     end || _ <- lists:seq(1, Count)].

%% Of texts that another printed of the terms of batch/3 or described/3: those that are read as something else.
printed(Seed, Count, Texts) ->
    Terms = batch(Seed, Count, 30),
    [{T, X} || {T, X} <- lists:zip(Terms, Texts), X =/= <<>>, parsed(X) =/= {ok, T}].

parsed(Text) ->
    case erl_scan:string(unicode:characters_to_list(Text) ++ ".") of
        {ok, Tokens, _} ->
            case erl_parse:parse_term(Tokens) of
                {ok, Term} -> {ok, Term};
                _ -> evaluated(Tokens)
            end;
        Error -> Error
    end.

%% `fun m:f/1` is a term that only erl_eval reads.
evaluated(Tokens) ->
    case erl_parse:parse_exprs(Tokens) of
        {ok, Exprs} -> {value, Value, _} = erl_eval:exprs(Exprs, []), {ok, Value};
        Error -> Error
    end.
