%% Random terms of every type, for vectors and for echo tests against genuine nodes.
-module(random_terms).
-export([seed/1, term/1, fun_names/0, pair/1, key/1, number/0, bits_of_float/0, float_in_the_middle/0]).

seed(Seed) -> rand:seed(exsss, {Seed, Seed, Seed}), ok.

u(N) -> rand:uniform(N).
pick(L) -> lists:nth(u(length(L)), L).

%% A term with at most about Size parts.
term(Size) when Size =< 1 -> leaf();
term(Size) ->
    case u(14) of
        1 -> leaf();
        2 -> leaf();
        N when N =< 5 -> elements(Size);
        N when N =< 8 -> list_to_tuple(elements(Size));
        9 -> improper(elements(Size), tail());
        10 -> maps:from_list([{key(Size div 3), term(Size div 3)} || _ <- lists:seq(1, u(4) - 1)]);
        11 -> maps:from_list([{key(2), term(1)} || _ <- lists:seq(1, min(Size, u(60)))]);
        12 -> [u(256) - 1 || _ <- lists:seq(1, u(20))];
        13 -> local_fun(elements(Size div 2));
        14 -> [pick([a, b, 1, 2, 1.0, "x", <<"y">>]) || _ <- lists:seq(1, u(Size))]
    end.

elements(Size) ->
    N = u(5) - 1,
    [term(Size div (N + 1)) || _ <- lists:seq(1, N)].

improper([], Tail) -> [leaf() | Tail];
improper([H], Tail) -> [H | Tail];
improper([H | T], Tail) -> [H | improper(T, Tail)].

tail() -> case leaf() of [] -> x; L when is_list(L) -> y; T -> T end.

key(Size) -> case u(3) of 1 -> term(Size); _ -> leaf() end.

leaf() ->
    case u(16) of
        1 -> u(300) - 20;
        2 -> near(1 bsl u(70));
        3 -> sign() * near(1 bsl u(3000));
        4 -> pick([0, 1, -1, 255, 256, 1 bsl 31, -(1 bsl 31), 1 bsl 53, 1 bsl 64, near(1 bsl 53)]);
        5 -> float_(u(6));
        6 -> float(u(10) - 5) + 0.5 * (u(2) - 1);
        7 -> pick([ok, error, true, false, undefined, nil, '', 'Hello World', 'a b', [], {}, #{}, <<>>]);
        8 -> atom_();
        9 -> binary(u(12) - 1);
        10 -> text();
        11 -> bits();
        12 -> pid();
        13 -> reference();
        14 -> port();
        15 -> external_fun();
        16 -> pick(["hello", "h\x{e9}llo", [955, 10], "\n\t\"\\", [0], [127], [128], [1114111], [-1]])
    end.

%% Integers and floats side by side, many of them beyond 2^53.
number() ->
    N = sign() * near(1 bsl pick([2, 53, 54, 60, 64, 70])),
    case u(2) of 1 -> N; 2 -> float(N) end.

sign() -> pick([1, -1]).
near(N) -> sign() * N + u(5) - 3.

float_(1) -> pick([0.0, 1.0, -1.0, 0.1, 1.0e22, 1.0e23, 123456.789, 5.0e-324, 1.7976931348623157e308,
                   2.2250738585072014e-308, 9007199254740992.0, 9007199254740994.0, 1.0e15, 1.0e16,
                   1.0e-5, 0.0001, 1234567890123456.0, 100000.0]);
float_(2) -> float(near(1 bsl 53));
float_(3) -> (rand:uniform() - 0.5) * math:pow(10, u(40) - 20);
float_(4) -> float(near(1 bsl u(80)));
float_(5) -> float(u(2000000)) / pick([1, 10, 100, 1000]);
float_(6) -> bits_of_float().

bits_of_float() ->
    case <<(u(1 bsl 32) - 1):32, (u(1 bsl 32) - 1):32>> of <<F/float>> -> F; _ -> 1.5 end.

%% Near 2^49 to 2^50 floats are eighths: those that end in 25 or 75 lie between two texts of 17 digits.
float_in_the_middle() -> sign() * ((1 bsl 49) + u(1 bsl 49) + pick([0.25, 0.75, 0.5, 0.125])).

character() ->
    case u(8) of
        1 -> u(32) - 1;
        2 -> u(256) - 1;
        3 -> 16#100 + u(16#700);
        4 -> 16#4e00 + u(1000);
        5 -> 16#10000 + u(16#fffff);
        _ -> $a + u(26) - 1
    end.

characters(N) -> [character() || _ <- lists:seq(1, N)].

atom_() ->
    case u(5) of
        1 -> list_to_atom(characters(u(20)));
        2 -> list_to_atom([$a + u(26) - 1 | [pick("abcXYZ019_@") || _ <- lists:seq(1, u(8))]]);
        3 -> pick(['and', 'fun', 'end', 'when', 'xor', 'maybe', 'else', abc@def, aBC, 'Abc', '_x', '1a',
                   'a.b', '\x{e9}', '\x{e4}bc', 'a\x{e9}', 'A\x{e9}', '\x{3bb}', '\'', '\\', '\n']);
        4 -> list_to_atom(characters(pick([1, 2, 60, 255])));
        5 -> pick([a, b, c, 'node@host'])
    end.

binary(N) -> list_to_binary([u(256) - 1 || _ <- lists:seq(1, N)]).

text() ->
    case u(4) of
        1 -> unicode:characters_to_binary(characters(u(15)));
        2 -> list_to_binary([32 + u(95) - 1 || _ <- lists:seq(1, u(40))]);
        3 -> pick([<<"hello">>, <<"gr\x{fc}n">>, <<"gr\x{fc}n"/utf8>>, <<"a\nb">>, <<"\"q\"">>, <<0>>, <<255>>,
                   <<"\x{feff}x"/utf8>>]);
        4 -> binary(60 + u(20))
    end.

bits() ->
    B = binary(u(5)),
    Unused = u(7),
    Size = bit_size(B) - Unused,
    <<Bits:Size/bits, _/bits>> = B,
    Bits.

node_() -> pick([<<"a@b">>, <<"gandalf@host">>, <<"nonode@nohost">>, <<"n@10.0.0.1">>]).
word() -> case u(3) of 1 -> u(1 bsl 32) - 1; _ -> u(5) - 1 end.
creation() -> pick([1, 2, 3, u(1 bsl 32) - 1]).

pid() ->
    N = node_(),
    binary_to_term(<<131, 88, 119, (byte_size(N)), N/binary, (u(1 bsl 15) - 1):32, (u(3) - 1):32, (creation()):32>>).

port() ->
    N = node_(),
    case u(2) of
        1 -> binary_to_term(<<131, 89, 119, (byte_size(N)), N/binary, (u(1 bsl 28) - 1):32, (creation()):32>>);
        2 ->
            %% OTP 23 does not know these.
            V4 = <<131, 120, 119, (byte_size(N)), N/binary, (u(1 bsl 64) - 1):64, (creation()):32>>,
            try binary_to_term(V4) catch error:badarg -> port() end
    end.

reference() ->
    N = node_(),
    Words = u(5),
    Ids = << <<(case I of 1 -> u(1 bsl 18) - 1; _ -> word() end):32>> || I <- lists:seq(1, Words)>>,
    Bytes = <<131, 90, Words:16, 119, (byte_size(N)), N/binary, (creation()):32, Ids/binary>>,
    %% OTP 23 knows three words at most.
    try binary_to_term(Bytes) catch error:badarg -> reference() end.

external_fun() ->
    erlang:make_fun(pick([lists, erlang, 'My Mod', a | fun_names()]), pick([map, '+', f, 'g h' | fun_names()]), u(4) - 1).

%% Names that the runtime writes otherwise in funs than io_lib does as atoms.
fun_names() ->
    ['x@y', '@', 'and', 'fun', 'maybe', 'else', 'when', '', 'A', 'aB', '_a', '1a', 'a\'b', 'a"b', '\\', '[]', 'a-b',
     '\n', '\t\v\f\r\b', '\x{0}', '\x{7}', '\e', '\x{7f}', '\x{80}', '\x{9f}', '\x{a0}', '\x{c9}', 'a\x{c9}', '\x{d7}',
     'a\x{d7}', '\x{df}', '\x{e9}', 'a\x{e9}', '\x{f7}', 'a\x{f7}', '\x{ff}', '\x{100}', 'a\x{100}', '\x{3bb}', 'a\x{3bb}b',
     '\x{4e2d}', 'a\x{4e2d}', '\x{1f600}', 'a\x{1f600}'].

%% Funs of this module, with what they captured.
local_fun([]) -> fun() -> ok end;
local_fun([A]) -> fun() -> A end;
local_fun([A | B]) -> fun(X) -> {X, A, B} end.

%% Two terms that are often much alike.
pair(Size) ->
    A = term(Size),
    case u(4) of
        1 -> {A, term(Size)};
        2 -> {A, alike(A)};
        3 -> {alike(A), alike(A)};
        4 -> N = leaf(), {N, numeric(N)}
    end.

numeric(N) when is_integer(N), abs(N) < 1 bsl 1000 -> pick([float(N), N + 1, trunc(float(N)), -N]);
numeric(F) when is_float(F), abs(F) < 1.0e300 -> pick([trunc(F), trunc(F) + 1, F * 2, -F]);
numeric(T) -> alike(T).

alike(L) when is_list(L), L =/= [] ->
    case catch length(L) of
        N when is_integer(N) ->
            case u(4) of
                1 -> L ++ [leaf()];
                2 -> lists:droplast(L);
                3 -> L;
                4 -> I = u(N), lists:sublist(L, I - 1) ++ [alike(lists:nth(I, L)) | lists:nthtail(I, L)]
            end;
        _ -> L
    end;
alike(T) when is_tuple(T), T =/= {} ->
    I = u(size(T)),
    setelement(I, T, alike(element(I, T)));
alike(M) when is_map(M), map_size(M) > 0 ->
    K = pick(maps:keys(M)),
    case u(3) of
        1 -> M#{K => alike(maps:get(K, M))};
        2 -> maps:put(alike(K), maps:get(K, M), maps:remove(K, M));
        3 -> M
    end;
alike(N) when is_integer(N) -> pick([N, N + 1, -N, near(N)]);
alike(F) when is_float(F) -> case u(3) of 1 -> F; 2 -> -F; 3 when abs(F) < 1.0e300 -> F * 1.5; _ -> 1.0 end;
alike(B) when is_binary(B) -> pick([B, <<B/binary, 0>>, <<B/binary, 1:3>>]);
alike(T) -> case u(2) of 1 -> T; 2 -> leaf() end.
