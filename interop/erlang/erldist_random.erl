%% Does at random what Erlang programs do to each other, first with an actor on an Erlang node, then with one
%% on the node under test, and compares the outcomes step by step. An erldist node has the same actor
%% (interop/support/random-actor.ts).
%%
%% driver -> actor   {From, Ref, Command}
%% actor -> driver   {Ref, Result}, {event, Actor, Message} for what it gets besides
-module(erldist_random).
-export([run/4, actor/1, term/1, child/2]).

%% Until so many milliseconds have passed. Returns {ok, Steps}, or {differs, Round, Text}: the steps of the
%% round, the first whose outcomes differ, and these.
run(Genuine, Ours, Seed, Milliseconds) ->
    round(1, 0, {Genuine, Ours, Seed, erlang:monotonic_time(millisecond) + Milliseconds}).

round(Round, Count, {Genuine, Ours, Seed, End} = Run) ->
    case erlang:monotonic_time(millisecond) >= End of
        true ->
            {ok, Count};
        false ->
            rand:seed(exsss, {Seed, Round, 0}),
            Steps = [step() || _ <- lists:seq(1, 3 + rand:uniform(8))],
            case {play(Genuine, Steps), play(Ours, Steps)} of
                {Same, Same} -> round(Round + 1, Count + length(Steps), Run);
                {One, Other} -> {differs, Round, shown(Steps, first(One, Other, Steps))}
            end
    end.

%% The first step whose outcomes differ.
first([Same | One], [Same | Other], [_ | Steps]) -> first(One, Other, Steps);
first([One | _], [Other | _], [Step | _]) -> {Step, {genuine, One}, {ours, Other}};
first(One, Other, Steps) -> {Steps, {genuine, One}, {ours, Other}}.

shown(Steps, {Step, One, Other}) ->
    lists:flatten(io_lib:format("in ~tP~nat ~tP~n~tP~n~tP", [Steps, 60, Step, 30, One, 60, Other, 60])).

play(Node, Steps) ->
    Self = self(),
    {Pid, Ref} = spawn_monitor(fun() -> Self ! {self(), outcomes, outcomes(Node, Steps)} end),
    receive
        {Pid, outcomes, Outcomes} -> demonitor(Ref, [flush]), Outcomes;
        {'DOWN', Ref, process, Pid, Reason} -> [{driver, Reason}]
    after 300000 ->
        exit(Pid, kill),
        demonitor(Ref, [flush]),
        [silence]
    end.

%% The actor a is at the node, b here, so that every signal between them crosses.
outcomes(Node, Steps) ->
    process_flag(trap_exit, true),
    Driver = self(),
    A = spawn(Node, ?MODULE, actor, [Driver]),
    B = spawn(?MODULE, actor, [Driver]),
    State = #{a => A, b => B, refs => [], node => Node},
    {Outcomes, _} = lists:mapfoldl(fun one/2, State, Steps),
    [exit(Pid, kill) || Pid <- [A, B]],
    Outcomes.

one(Step, State) ->
    {Result, Next} = do(Step, State),
    %% What the actors have sent each other has arrived when they have answered in turn.
    [ask(maps:get(To, Next), sync) || To <- [a, b, a]],
    erldist_settle:settle([maps:get(node, State)]),
    {plain({Result, events([])}, Next), Next}.

events(Events) ->
    receive
        Event when element(1, Event) =/= reply -> events([Event | Events])
    after 0 -> lists:sort(Events)
    end.

ask(Pid, Command) ->
    Ref = monitor(process, Pid),
    Pid ! {self(), Ref, Command},
    receive
        {reply, Ref, Result} -> demonitor(Ref, [flush]), Result;
        {'DOWN', Ref, _, _, Reason} -> {dead, Reason}
    after 60000 -> demonitor(Ref, [flush]), no_answer
    end.

do({ask, Who, Command}, State) ->
    Other = maps:get(other(Who), State),
    {ask(maps:get(Who, State), {Command, Other}), State};
do({tell, Who, Term}, State) ->
    maps:get(Who, State) ! Term,
    {ok, State};
do({echo, Term}, #{a := A} = State) ->
    {case ask(A, {{echo, Term}, none}) of Term -> same; Other -> Other end, State};
do({key, Terms}, #{a := A} = State) ->
    {ask(A, {{key, maps:from_list([{T, I} || {I, T} <- lists:zip(lists:seq(1, length(Terms)), Terms)])}, none}), State};
do({signal, Who, Reason}, State) ->
    exit(maps:get(Who, State), Reason),
    {ok, State};
do(link, #{a := A} = State) ->
    link(A),
    {ok, State};
do(unlink, #{a := A} = State) ->
    unlink(A),
    {ok, State};
do(monitor, #{a := A, refs := Refs} = State) ->
    {ok, State#{refs := [monitor(process, A) | Refs]}};
do({monitor_name, Name}, #{node := Node, refs := Refs} = State) ->
    {ok, State#{refs := [monitor(process, {Name, Node}) | Refs]}};
do(demonitor, #{refs := []} = State) ->
    {none, State};
do(demonitor, #{refs := [Ref | Refs]} = State) ->
    {demonitor(Ref, [flush, info]), State#{refs := Refs}};
do({spawn, Kind, Reason}, #{node := Node} = State) ->
    _ = spawn_child(Kind, Node, Reason),
    {ok, State};
do({spawn_undef, Name}, #{node := Node} = State) ->
    _ = spawn_monitor(Node, ?MODULE, Name, []),
    {ok, State};
do({lock, Id}, #{node := Node, a := A} = State) ->
    {gen_server:call({global_name_server, Node}, {set_lock, {{?MODULE, Id}, A}}), State};
do({unlock, Id}, #{node := Node, a := A} = State) ->
    {gen_server:call({global_name_server, Node}, {del_lock, {{?MODULE, Id}, A}}), State};
do({rpc, Class, Reason}, #{node := Node} = State) ->
    {rpc:call(Node, ?MODULE, child, [Class, Reason]), State};
do({to_name, Name, Term}, #{node := Node} = State) ->
    {Name, Node} ! Term,
    {ok, State}.

spawn_child(plain, Node, Reason) -> spawn(Node, ?MODULE, child, [exit, Reason]);
spawn_child(link, Node, Reason) -> spawn_link(Node, ?MODULE, child, [exit, Reason]);
spawn_child(monitor, Node, Reason) ->
    spawn_monitor(Node, ?MODULE, child, [exit, Reason]).

other(a) -> b;
other(b) -> a.

step() ->
    case rand:uniform(22) of
        1 -> {ask, who(), {link, now}};
        2 -> {ask, who(), {unlink, now}};
        3 -> {ask, who(), {monitor, now}};
        4 -> {ask, who(), {demonitor, now}};
        5 -> {ask, who(), {trap, rand:uniform(2) =:= 1}};
        6 -> {ask, who(), {register, name()}};
        7 -> {ask, who(), {monitor, now}};
        8 -> {ask, who(), {send, sized(3)}};
        9 -> {ask, who(), {signal, reason()}};
        10 -> {ask, who(), {exit, reason()}};
        11 -> {tell, who(), {told, sized(4)}};
        12 -> {signal, who(), reason()};
        13 -> oneof([link, unlink, monitor, demonitor]);
        14 -> {monitor_name, name()};
        15 -> {spawn, oneof([plain, link, monitor]), reason()};
        16 -> {spawn_undef, oneof([true, nothing, '']) };
        17 -> {oneof([lock, unlock]), rand:uniform(3)};
        18 -> {rpc, oneof([exit, error, throw, return]), reason()};
        19 -> {to_name, name(), {told, sized(2)}};
        20 -> {key, [sized(2) || _ <- lists:seq(1, rand:uniform(90))]};
        _ -> {echo, sized(5)}
    end.

who() -> oneof([a, b]).
name() -> oneof([erldist_random_a, erldist_random_b, true, false]).
reason() -> oneof([normal, kill, killed, shutdown, {shutdown, x}, oops, true, sized(2)]).
oneof(List) -> lists:nth(rand:uniform(length(List)), List).

%% How many terms a term is made of at most: some would be of a hundred million.
-define(PARTS, 3000).

%% A term, nested so deep at most.
sized(Depth) ->
    put(parts, ?PARTS),
    term(Depth).

term(0) -> leaf();
term(Depth) ->
    Left = put(parts, get(parts) - 1) - 1,
    case rand:uniform(12) of
        _ when Left < 0 -> leaf();
        1 -> terms(Depth, 6);
        2 -> list_to_tuple(terms(Depth, 6));
        3 -> terms(Depth, 3) ++ leaf();
        4 -> maps:from_list([{term(Depth - 1), term(Depth - 1)} || _ <- lists:seq(1, rand:uniform(40))]);
        5 -> X = term(Depth - 1), fun() -> X end;
        6 -> repeated(leaf(), rand:uniform(300));
        7 -> [[term(0) | I] || I <- lists:seq(1, rand:uniform(80))];
        8 -> lists:foldl(fun(_, T) -> [T] end, leaf(), lists:seq(1, rand:uniform(200)));
        _ -> leaf()
    end.

%% A list of one term again and again, of no more than 300 kB.
repeated(Term, Times) ->
    lists:duplicate(min(Times, 1 + 300000 div erlang:external_size(Term)), Term).

%% A large binary, a few of them in one term.
large(Times) ->
    put(parts, get(parts) - ?PARTS div 8),
    binary:copy(<<"large">>, case get(parts) > 0 of true -> Times; false -> 1 end).

terms(Depth, Most) -> [term(Depth - 1) || _ <- lists:seq(1, rand:uniform(Most))].

leaf() ->
    case rand:uniform(16) of
        1 -> rand:uniform(100);
        2 -> -rand:uniform(1 bsl 40);
        3 -> (1 bsl rand:uniform(300)) - rand:uniform(3);
        4 -> oneof([0.0, -1.0 * 0, 1.0e300, 5.0e-324, 0.1]);
        5 -> -oneof([0.0, 1.5]);
        6 -> oneof([true, false, ok, '', 'a b', list_to_atom([233]), list_to_atom([26085])]);
        7 -> <<(rand:uniform(1 bsl 60)):100>>;
        8 -> <<(rand:uniform(1 bsl 60)):(rand:uniform(90))>>;
        9 -> binary:copy(<<"b">>, rand:uniform(200));
        10 -> large(rand:uniform(30000));
        11 -> self();
        12 -> make_ref();
        13 -> fun erlang:node/1;
        14 -> [];
        15 -> {};
        _ -> #{}
    end.

%% The pids, references and nodes of a run do not tell one node from another.
plain(Term, #{a := A, b := B, node := Node} = State) ->
    case Term of
        A -> a;
        B -> b;
        Node -> the_node;
        [{M, F, _, Info} | _] when is_atom(M), is_atom(F), is_list(Info) -> stack;
        [Head | Tail] -> [plain(Head, State) | plain(Tail, State)];
        _ when is_tuple(Term) -> list_to_tuple([plain(E, State) || E <- tuple_to_list(Term)]);
        _ when is_pid(Term) -> pid;
        _ when is_reference(Term) -> ref;
        _ -> Term
    end.

child(return, Reason) -> Reason;
child(exit, Reason) -> exit(Reason);
child(error, Reason) -> error(Reason);
child(throw, Reason) -> throw(Reason).

actor(Driver) ->
    receive
        {From, Ref, sync} when is_reference(Ref) ->
            From ! {reply, Ref, ok},
            actor(Driver);
        {From, Ref, {Command, Other}} when is_reference(Ref) ->
            From ! {reply, Ref, command(Command, Other)},
            actor(Driver);
        Event ->
            Driver ! {event, self(), Event},
            actor(Driver)
    end.

command({link, _}, Other) -> link(Other), ok;
command({unlink, _}, Other) -> unlink(Other), ok;
command({monitor, _}, Other) -> put(ref, monitor(process, Other)), ok;
command({demonitor, _}, _) ->
    case erase(ref) of
        undefined -> none;
        Ref -> demonitor(Ref, [flush, info])
    end;
command({trap, Flag}, _) -> process_flag(trap_exit, Flag), ok;
command({register, Name}, _) ->
    try register(Name, self()) catch error:badarg -> badarg end;
command({send, Term}, Other) -> Other ! {sent, Term}, ok;
command({signal, Reason}, Other) -> exit(Other, Reason), ok;
command({exit, Reason}, _) -> exit(Reason);
command({echo, Term}, _) -> Term;
%% Whether each key finds its own value.
command({key, Map}, _) -> [maps:size(Map) | lists:usort([maps:get(K, Map) =:= V || {K, V} <- maps:to_list(Map)])].
