%% The load of the wire benchmark, in a genuine node. Every function measures one thing against the node
%% it is given and returns numbers: times in nanoseconds.
-module(wire_load).
-export([calls/4, flood_in/2, flood_out/2, binaries_in/3, binaries_out/3, binaries_echo/3, setups/2, memory/1]).

%% Kind: rpc | erpc | gen | echo | kvs. As many processes as Callers call one after the other for so many
%% milliseconds. Returns {Calls, Time, Median, Percentile99} of what all of them saw.
calls(Kind, Node, Callers, Milliseconds) ->
    true = connected(Node),
    Main = self(),
    Pids = [spawn_caller(Main, Kind, Node, Callers) || _ <- lists:seq(1, Callers)],
    [receive {ready, Pid} -> ok end || Pid <- Pids],
    Start = now_ns(),
    Deadline = Start + Milliseconds * 1000000,
    [Pid ! {go, Deadline} || Pid <- Pids],
    Done = [receive {done, Pid, End, Latencies} -> {End, Latencies} end || Pid <- Pids],
    Latest = lists:max([End || {End, _} <- Done]),
    Sorted = lists:merge([lists:sort(Latencies) || {_, Latencies} <- Done]),
    Calls = length(Sorted),
    {Calls, Latest - Start, percentile(50, Calls, Sorted), percentile(99, Calls, Sorted)}.

spawn_caller(Main, Kind, Node, Callers) ->
    %% Room for what it writes down, so that collecting garbage is not what is measured.
    Options = [link, {min_heap_size, 400000 div Callers}],
    spawn_opt(fun() -> caller(Main, Kind, Node) end, Options).

caller(Main, Kind, Node) ->
    %% The first call is not measured: it connects, and finds out what the other node can do.
    call(Kind, Node),
    Main ! {ready, self()},
    receive
        {go, Deadline} ->
            {End, Latencies} = caller(Kind, Node, Deadline, now_ns(), []),
            Main ! {done, self(), End, Latencies}
    end.

caller(_, _, Deadline, Now, Latencies) when Now >= Deadline ->
    {Now, Latencies};
caller(Kind, Node, Deadline, Before, Latencies) ->
    call(Kind, Node),
    After = now_ns(),
    caller(Kind, Node, Deadline, After, [After - Before | Latencies]).

call(rpc, Node) ->
    {ok, fine} = rpc:call(Node, kvs, lookup, [weather]);
call(erpc, Node) ->
    {ok, fine} = erpc:call(Node, kvs, lookup, [weather]);
call(gen, Node) ->
    weather = gen_server:call({gen_echo, Node}, weather, infinity);
call(echo, Node) ->
    Ref = make_ref(),
    {echo, Node} ! {self(), Ref, weather},
    receive
        {Ref, weather} -> ok
    end;
call(kvs, Node) ->
    {kvs, Node} ! {self(), {lookup, weather}},
    receive
        {kvs, {ok, fine}} -> ok
    end.

%% Sends N small messages. Returns {N, Time until the sink has counted them all}.
flood_in(Node, N) ->
    in_fresh_process(fun() ->
        counted(Node, N, fun() -> flood({sink, Node}, N) end)
    end).

flood(_, 0) ->
    ok;
flood(To, N) ->
    To ! {flood, N},
    flood(To, N - 1).

%% Has N small messages sent here. Returns {N, Time from asking for them until the last is here}.
flood_out(Node, N) ->
    in_fresh_process(fun() ->
        true = connected(Node),
        Start = now_ns(),
        {sink, Node} ! {self(), {flood, N}},
        drain(N),
        {N, now_ns() - Start}
    end).

drain(0) ->
    ok;
drain(N) ->
    receive
        {flood, _} -> drain(N - 1);
        {binary, _} -> drain(N - 1)
    end.

%% As flood_in, with binaries.
binaries_in(Node, Size, N) ->
    in_fresh_process(fun() ->
        Binary = binary:copy(<<$b>>, Size),
        counted(Node, N, fun() -> [{sink, Node} ! {binary, Binary} || _ <- lists:seq(1, N)] end)
    end).

%% As flood_out, with binaries.
binaries_out(Node, Size, N) ->
    in_fresh_process(fun() ->
        true = connected(Node),
        Start = now_ns(),
        {sink, Node} ! {self(), {binaries, Size, N}},
        drain(N),
        {N, now_ns() - Start}
    end).

%% Binaries there and back, one after the other.
binaries_echo(Node, Size, N) ->
    in_fresh_process(fun() ->
        true = connected(Node),
        Binary = binary:copy(<<$b>>, Size),
        Start = now_ns(),
        [echoed(Node, Binary) || _ <- lists:seq(1, N)],
        {N, now_ns() - Start}
    end).

echoed(Node, Binary) ->
    Ref = make_ref(),
    {echo, Node} ! {self(), Ref, Binary},
    receive
        {Ref, Back} when byte_size(Back) =:= byte_size(Binary) -> ok
    end.

%% N times connected and disconnected. Returns {N, Time}.
setups(Node, N) ->
    _ = erlang:disconnect_node(Node),
    setup(Node),
    Start = now_ns(),
    [setup(Node) || _ <- lists:seq(1, N)],
    {N, now_ns() - Start}.

setup(Node) ->
    true = net_kernel:connect_node(Node),
    true = erlang:disconnect_node(Node).

%% Returns {Bytes} that the node has in use.
memory(Node) ->
    {sink, Node} ! {self(), memory},
    receive
        {memory, Bytes} -> {Bytes}
    end.

%% Runs what sends N messages to the sink, and waits until it has them all.
counted(Node, N, Send) ->
    true = connected(Node),
    Before = count(Node),
    Start = now_ns(),
    Send(),
    After = count(Node),
    Time = now_ns() - Start,
    N = After - Before,
    {N, Time}.

count(Node) ->
    {sink, Node} ! {self(), count},
    receive
        {count, Count} -> Count
    end.

connected(Node) -> net_kernel:connect_node(Node).

%% Nothing of the process that asks, its garbage and its mailbox, has a part in it.
in_fresh_process(Fun) ->
    Main = self(),
    {Pid, Monitor} = spawn_opt(
        fun() -> Main ! {self(), Fun()} end,
        [monitor, {message_queue_data, off_heap}]
    ),
    receive
        {Pid, Result} ->
            demonitor(Monitor, [flush]),
            Result;
        {'DOWN', Monitor, process, Pid, Reason} ->
            exit(Reason)
    end.

percentile(P, Calls, Sorted) ->
    lists:nth(max(1, (Calls * P + 99) div 100), Sorted).

now_ns() -> erlang:monotonic_time(nanosecond).
