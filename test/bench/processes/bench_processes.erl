%% What genuine Erlang needs for the same.
-module(bench_processes).
-export([bytes/1, flood/1, turns/1]).

%% Bytes for each of Count processes that wait for a message.
bytes(Count) ->
    Before = settled(),
    Pids = [spawn(fun wait/0) || _ <- lists:seq(1, Count)],
    After = settled(),
    [exit(Pid, kill) || Pid <- Pids],
    (After - Before) / Count.

settled() ->
    [garbage_collect(Pid) || Pid <- [self()]],
    erlang:memory(processes_used).

wait() ->
    receive
        _ -> wait()
    end.

%% Messages a second from one process to another.
flood(Count) ->
    timed(Count, fun(Self) ->
        Sink = spawn(fun() -> sink(Count, Self) end),
        send(Count, Sink)
    end).

send(0, _) ->
    ok;
send(Count, Pid) ->
    Pid ! Count,
    send(Count - 1, Pid).

sink(0, Parent) ->
    Parent ! done;
sink(Count, Parent) ->
    receive
        _ -> sink(Count - 1, Parent)
    end.

%% Messages a second when each is answered before the next.
turns(Count) ->
    timed(2 * Count, fun(Self) ->
        Pid = spawn(fun echo/0),
        ask(Count, Pid),
        Self ! done
    end).

ask(0, _) ->
    ok;
ask(Count, Pid) ->
    Pid ! {self(), Count},
    receive
        {Pid, Count} -> ask(Count - 1, Pid)
    end.

echo() ->
    receive
        {From, N} ->
            From ! {self(), N},
            echo()
    end.

timed(Messages, Run) ->
    Start = erlang:monotonic_time(microsecond),
    Run(self()),
    receive
        done -> ok
    end,
    Messages * 1.0e6 / (erlang:monotonic_time(microsecond) - Start).
