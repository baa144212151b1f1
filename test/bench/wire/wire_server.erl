%% What every server of the wire benchmark serves, here by a genuine node:
%%
%%   echo       {From, Ref, Term}            ->  From ! {Ref, Term}
%%   gen_echo   gen_server:call(_, Term)     ->  Term
%%   sink       {From, count}                ->  From ! {count, N}; N: other messages since the start
%%              {From, memory}               ->  From ! {memory, Bytes}; in use, after collecting garbage
%%              {From, {flood, N}}           ->  N times From ! {flood, I}, I from N down to 1
%%              {From, {binaries, Size, N}}  ->  N times From ! {binary, Bin}
%%   kvs        by rpc and erpc, and {From, {lookup, Key}}; see interop/erlang/kvs.erl
-module(wire_server).
-behaviour(gen_server).
-export([start/0, init/1, handle_call/3, handle_cast/2]).

start() ->
    true = kvs:start(),
    true = kvs:store(weather, fine),
    register(echo, spawn(fun echo/0)),
    register(sink, spawn(fun() -> sink(0) end)),
    {ok, _} = gen_server:start({local, gen_echo}, ?MODULE, [], []),
    ok.

echo() ->
    receive
        {From, Ref, Term} ->
            From ! {Ref, Term},
            echo()
    end.

sink(Count) ->
    receive
        {From, count} when is_pid(From) ->
            From ! {count, Count},
            sink(Count);
        {From, memory} when is_pid(From) ->
            [garbage_collect(Pid) || Pid <- processes()],
            From ! {memory, erlang:memory(total)},
            sink(Count);
        {From, {flood, N}} when is_pid(From) ->
            flood(From, N),
            sink(Count);
        {From, {binaries, Size, N}} when is_pid(From) ->
            binaries(From, binary:copy(<<$b>>, Size), N),
            sink(Count);
        _ ->
            sink(Count + 1)
    end.

flood(_, 0) ->
    ok;
flood(To, N) ->
    To ! {flood, N},
    flood(To, N - 1).

binaries(_, _, 0) ->
    ok;
binaries(To, Bin, N) ->
    To ! {binary, Bin},
    binaries(To, Bin, N - 1).

init([]) -> {ok, []}.

handle_call(Term, _From, State) -> {reply, Term, State}.

handle_cast(_, State) -> {noreply, State}.
