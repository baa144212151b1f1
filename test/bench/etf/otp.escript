#!/usr/bin/env escript
%% -*- erlang -*-
%% Times term_to_binary and binary_to_term on the benchmark's files. A line "encode NAME MILLISECONDS" or
%% "decode NAME MILLISECONDS" on standard input is answered with nanoseconds a call.
-mode(compile).

main([Folder]) ->
    io:format("~s~n", [erlang:system_info(otp_release)]),
    serve(Folder).

serve(Folder) ->
    case io:get_line("") of
        eof -> ok;
        Line ->
            [Op, Name, Time] = string:lexemes(string:trim(Line), " "),
            {ok, Bytes} = file:read_file(filename:join(Folder, Name ++ ".etf")),
            {Pid, Ref} = spawn_monitor(fun() -> exit({ns, time(Op, Bytes, list_to_integer(Time))}) end),
            receive {'DOWN', Ref, process, Pid, {ns, Ns}} -> io:format("~.3f~n", [Ns]) end,
            serve(Folder)
    end.

time("encode", Bytes, Time) ->
    Term = binary_to_term(Bytes),
    repeat(fun(N) -> encode(N, Term, none) end, 1, Time * 1000000);
time("decode", Bytes, Time) ->
    repeat(fun(N) -> decode(N, Bytes, none) end, 1, Time * 1000000).

%% Ever more calls, until they take that long.
repeat(Fun, N, Enough) ->
    T0 = erlang:monotonic_time(nanosecond),
    Fun(N),
    case erlang:monotonic_time(nanosecond) - T0 of
        Ns when Ns >= Enough -> Ns / N;
        Ns -> repeat(Fun, max(2 * N, min(20 * N, N * Enough div max(Ns, 1))), Enough)
    end.

%% The last result is handed on, else the compiler leaves the calls out.
encode(0, _, Last) -> Last;
encode(N, Term, _) -> encode(N - 1, Term, term_to_binary(Term)).

decode(0, _, Last) -> Last;
decode(N, Bytes, _) -> decode(N - 1, Bytes, binary_to_term(Bytes)).
