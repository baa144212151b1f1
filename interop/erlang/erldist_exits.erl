%% Ends of processes, as those see them that are tied to them: actors on any nodes, told what to do by a
%% driver, which notes what happens to each. An erldist node has the same actor
%% (interop/support/exits-actor.ts), so that one table of cases runs on any pairing of nodes.
%%
%% driver -> actor   {do, Command}, {sync, Id, Actor}
%% actor -> driver   {did, Name, Result}, {synced, Id}, {event, Name, Message}
%% actor -> actor    {ping, From, Id}, {pong, Id}
-module(erldist_exits).
-export([run/2, actor/2]).

%% Steps: [{Actor, Command} | settle]; Places: [{Actor, Node}]. In commands, names of actors stand
%% for their pids. Returns [{Actor, Events, alive | {dead, Reason}}], without what differs from run to run.
run(Steps, Places) ->
    Driver = self(),
    {Pid, Ref} = spawn_monitor(fun() ->
        Driver ! {self(), outcome, drive(Steps, Places)}
    end),
    receive
        {Pid, outcome, Outcome} -> demonitor(Ref, [flush]), Outcome;
        {'DOWN', Ref, process, Pid, Reason} -> {driver, Reason}
    end.

drive(Steps, Places) ->
    Pids = [{Name, spawn(Node, ?MODULE, actor, [self(), Name])} || {Name, Node} <- Places],
    Refs = [{monitor(process, Pid), Name} || {Name, Pid} <- Pids],
    State0 = {Pids, Refs, [], []},
    State1 = lists:foldl(fun step/2, sync(State0), Steps),
    {_, _, Events, Dead} = drain(State1),
    [exit(Pid, kill) || {_, Pid} <- Pids],
    Names = [{Pid, Name} || {Name, Pid} <- Pids],
    [
        {Name,
            [plain(Event, Names) || {From, Event} <- lists:reverse(Events), From =:= Name],
            case lists:keyfind(Name, 1, Dead) of
                {_, Reason} -> {dead, plain(Reason, Names)};
                false -> alive
            end}
     || {Name, _} <- Places
    ].

step(settle, State) ->
    drain(State);
step({Name, Command}, {Pids, _, _, _} = State) ->
    {_, Pid} = lists:keyfind(Name, 1, Pids),
    Pid ! {do, resolve(Command, Pids)},
    Done = await(Name, State),
    case Command of
        %% The other side has yet to notice: what it sends now is lost.
        {disconnect, _} -> drain(Done);
        _ -> sync(Done)
    end.

resolve(Command, Pids) when is_tuple(Command) ->
    [Verb | Args] = tuple_to_list(Command),
    list_to_tuple([Verb | [resolve_name(Arg, Pids) || Arg <- Args]]);
resolve(Command, _) ->
    Command.

resolve_name(Arg, Pids) ->
    case lists:keyfind(Arg, 1, Pids) of
        {_, Pid} -> Pid;
        false -> Arg
    end.

%% Every signal that one actor has sent another has arrived when its ping is answered.
sync({Pids, _, _, Dead} = State) ->
    Alive = [P || {Name, _} = P <- Pids, not lists:keymember(Name, 1, Dead)],
    Pairs = [{make_ref(), X, Y} || X <- Alive, Y <- Alive],
    [Pid ! {sync, Id, Other} || {Id, {_, Pid}, {_, Other}} <- Pairs],
    synced([{Id, X, Y} || {Id, {X, _}, {Y, _}} <- Pairs], State).

%% Who is dead answers nothing.
synced(Pending, {_, _, _, Dead} = State) ->
    IsDead = fun(Name) -> lists:keymember(Name, 1, Dead) end,
    case [P || {_, X, Y} = P <- Pending, not IsDead(X), not IsDead(Y)] of
        [] ->
            State;
        Left ->
            receive
                {synced, Id} -> synced(lists:keydelete(Id, 1, Left), State);
                Message -> synced(Left, note(Message, State))
            after 60000 -> exit({not_synced, Left, State})
            end
    end.

%% Notes what comes until the actor has done what it was told, or is dead.
await(Name, {_, _, _, Dead} = State) ->
    case lists:keymember(Name, 1, Dead) of
        true ->
            State;
        false ->
            receive
                {did, Name, _} = Message -> note(Message, State);
                Message -> await(Name, note(Message, State))
            after 60000 -> exit({not_done, Name, State})
            end
    end.

%% Notes what happens until a whole round of settling and asking brings nothing new.
drain({Pids, _, _, _} = State) ->
    erldist_settle:settle(lists:usort([node(Pid) || {_, Pid} <- Pids])),
    case sync(noted(State)) of
        State -> State;
        Changed -> drain(Changed)
    end.

%% With what has come so far.
noted(State) ->
    receive
        Message -> noted(note(Message, State))
    after 0 -> State
    end.

%% An actor may have answered before it died.
note({synced, _}, State) ->
    State;
note({did, _, ok}, State) ->
    State;
note({did, Name, Result}, {Pids, Refs, Events, Dead}) ->
    {Pids, Refs, [{Name, {did, Result}} | Events], Dead};
note({event, Name, Event}, {Pids, Refs, Events, Dead}) ->
    {Pids, Refs, [{Name, Event} | Events], Dead};
note({'DOWN', Ref, process, _, Reason}, {Pids, Refs, Events, Dead}) ->
    {_, Name} = lists:keyfind(Ref, 1, Refs),
    {Pids, Refs, Events, [{Name, Reason} | Dead]}.

plain([{M, F, _, Info} | _], _) when is_atom(M), is_atom(F), is_list(Info) ->
    stack;
plain([Head | Tail], Names) ->
    [plain(Head, Names) | plain(Tail, Names)];
plain(Tuple, Names) when is_tuple(Tuple) ->
    list_to_tuple([plain(Element, Names) || Element <- tuple_to_list(Tuple)]);
plain(Pid, Names) when is_pid(Pid) ->
    case lists:keyfind(Pid, 1, Names) of
        {_, Name} -> Name;
        false -> other
    end;
plain(Ref, _) when is_reference(Ref) ->
    ref;
plain(Atom, _) when is_atom(Atom) ->
    case lists:member($@, atom_to_list(Atom)) of
        true -> node;
        false -> Atom
    end;
plain(Term, _) ->
    Term.

actor(Driver, Name) ->
    receive
        {do, return} ->
            bye;
        {do, Command} ->
            Result = do(Command),
            Driver ! {did, Name, Result},
            actor(Driver, Name);
        {sync, Id, Other} ->
            Other ! {ping, self(), Id},
            actor(Driver, Name);
        {ping, From, Id} ->
            From ! {pong, Id},
            actor(Driver, Name);
        {pong, Id} ->
            Driver ! {synced, Id},
            actor(Driver, Name);
        Event ->
            Driver ! {event, Name, Event},
            actor(Driver, Name)
    end.

do({trap, Flag}) ->
    process_flag(trap_exit, Flag),
    ok;
do({link, Pid}) ->
    link(Pid),
    ok;
do({unlink, Pid}) ->
    unlink(Pid),
    ok;
do({monitor, Target}) ->
    put(ref, monitor(process, Target)),
    ok;
do({monitor_name, Name, Pid}) ->
    put(ref, monitor(process, {Name, node(Pid)})),
    ok;
do(demonitor) ->
    demonitor(get(ref), [info]);
do(demonitor_flush) ->
    demonitor(get(ref), [flush, info]);
do({register, Name}) ->
    register(Name, self()),
    ok;
do({signal, Pid, Reason}) ->
    exit(Pid, Reason),
    ok;
do({signal_self, Reason}) ->
    exit(self(), Reason),
    ok;
do(link_self) ->
    link(self()),
    ok;
do(monitor_self) ->
    monitor(process, self()),
    ok;
do({disconnect, Pid}) ->
    erlang:disconnect_node(node(Pid)),
    ok;
do({exit, Reason}) ->
    exit(Reason);
do({error, Reason}) ->
    error(Reason);
do({throw, Reason}) ->
    throw(Reason).
