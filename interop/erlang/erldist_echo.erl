%% A process to talk to, registered as `erldist_echo`.
%%
%%   {From, {echo, Term}}       From ! {erldist_echo, Term}
%%   {From, count}              From ! {erldist_echo, {count, N}}; N: other messages since the start
%%   {From, last}               From ! {erldist_echo, {last, Message}}; the newest of those, or none
%%   {From, {link, Pid}}        links to Pid;                        From ! {erldist_echo, linked}
%%   {From, {unlink, Pid}}      unlinks from Pid;                    From ! {erldist_echo, unlinked}
%%   {From, {monitor, What}}    monitors a pid or {Name, Node};      From ! {erldist_echo, {monitor, Ref}}
%%   {From, {demonitor, Ref}}   From ! {erldist_echo, demonitored}
%%   {From, {exit, Reason}}     exits with Reason
%%
%% It traps exits: {'EXIT', ...} and {'DOWN', ...} are messages that `last` returns.
-module(erldist_echo).
-export([start/0, echo/1, fail/2, print/1, sleep/1]).

%% Answers the pid; may be called again.
start() ->
    case whereis(?MODULE) of
        undefined ->
            Starter = self(),
            {Pid, Monitor} = spawn_monitor(fun() -> init(Starter) end),
            receive
                {Pid, ready} ->
                    demonitor(Monitor, [flush]),
                    Pid;
                {'DOWN', Monitor, process, Pid, _} ->
                    start()
            end;
        Pid ->
            Pid
    end.

%% For remote calls: a value, an exception of each class, something printed, something slow.
echo(Term) -> Term.

fail(error, Reason) -> error(Reason);
fail(exit, Reason) -> exit(Reason);
fail(throw, Reason) -> throw(Reason).

print(Text) -> io:format("~ts", [Text]).

sleep(Milliseconds) ->
    receive
    after Milliseconds -> slept
    end.

init(Starter) ->
    register(?MODULE, self()),
    process_flag(trap_exit, true),
    Starter ! {self(), ready},
    loop(0, none).

loop(Count, Last) ->
    receive
        {From, {echo, Term}} ->
            answer(From, Term, Count, Last);
        {From, count} ->
            answer(From, {count, Count}, Count, Last);
        {From, last} ->
            answer(From, {last, Last}, Count, Last);
        {From, {link, Pid}} ->
            link(Pid),
            answer(From, linked, Count, Last);
        {From, {unlink, Pid}} ->
            unlink(Pid),
            answer(From, unlinked, Count, Last);
        {From, {monitor, What}} ->
            answer(From, {monitor, monitor(process, What)}, Count, Last);
        {From, {demonitor, Ref}} ->
            demonitor(Ref, [flush]),
            answer(From, demonitored, Count, Last);
        {From, {exit, Reason}} when is_pid(From) ->
            exit(Reason);
        Message ->
            loop(Count + 1, Message)
    end.

answer(From, Reply, Count, Last) ->
    From ! {?MODULE, Reply},
    loop(Count, Last).
