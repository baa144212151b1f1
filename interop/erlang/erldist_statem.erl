%% A gen_statem that does what it is told, as an erldist node runs it too (interop/support/statem.ts).
%% Its data is what its callbacks got, {State, Type, Content}, latest first.
%%
%% start(Mode) replaces it by a new one, registered as erldist_statem, in state `a`; Mode is `plain`,
%% `enter`, `functions` or `functions_enter`. Events, of whatever type:
%%   {do, Ops}            carries out what OTP's results and actions are, see op/2
%%   {in, State, Event}   the event, postponed until the machine is in that state
%%   {watch, Pid}         from now on Pid is told of events, and of the end
%%   seen                 of a call: the data, the oldest first
%% A state {Name, Ops} does Ops when it is entered, in a mode with enter calls.
-module(erldist_statem).
-behaviour(gen_statem).
-export([start/1, start_link/1, seen/2, bump/1]).
-export([init/1, callback_mode/0, handle_event/4, a/3, b/3, terminate/3, code_change/4]).

start(Mode) -> erldist_server:start(?MODULE, Mode).

start_link(Mode) ->
    persistent_term:put(?MODULE, Mode),
    gen_statem:start_link({local, ?MODULE}, ?MODULE, [], []).

%% What its callbacks got, once that are Count.
seen(Server, Count) ->
    case gen_statem:call(Server, seen) of
        Seen when length(Seen) >= Count ->
            Seen;
        _ ->
            receive
            after 20 -> seen(Server, Count)
            end
    end.

bump({_, Data}) -> {b, [bumped | Data]}.

init([]) -> {ok, a, []}.

callback_mode() ->
    case persistent_term:get(?MODULE) of
        plain -> handle_event_function;
        enter -> [handle_event_function, state_enter];
        functions -> state_functions;
        functions_enter -> [state_functions, state_enter]
    end.

a(Type, Content, Data) -> handle_event(Type, Content, a, Data).
b(Type, Content, Data) -> handle_event(Type, Content, b, Data).

handle_event(enter, Old, State, Data) ->
    Seen = [{State, enter, Old} | Data],
    case State of
        {_, Ops} -> do(Ops, none, Seen);
        _ -> {keep_state, Seen}
    end;
handle_event(Type, {in, State, Content}, State, Data) ->
    handle_event(Type, Content, State, Data);
handle_event(_, {in, _, _}, _, _) ->
    {keep_state_and_data, postpone};
handle_event({call, From}, seen, _, Data) ->
    {keep_state_and_data, {reply, From, lists:reverse(Data)}};
handle_event({call, From}, Content, State, Data) ->
    handle(From, {State, call, Content}, Data);
handle_event(Type, Content, State, Data) ->
    handle(none, {State, Type, Content}, Data).

handle(From, {_, _, {do, Ops}} = Event, Data) ->
    do(Ops, From, [Event | Data]);
handle(_, {_, _, Content} = Event, Data) ->
    [Pid ! {seen, Content} || {_, _, {watch, Pid}} <- Data],
    {keep_state, [Event | Data]}.

do([{error, Reason} | _], _, _) ->
    error(Reason);
do([{exit, Reason} | _], _, _) ->
    exit(Reason);
do([{throw, Term} | _], _, _) ->
    throw(Term);
do([{return, Term} | _], _, _) ->
    Term;
do([{stop, Reason} | _], _, Data) ->
    {stop, Reason, Data};
do([{stop_and_reply, Reason, Reply} | _], From, Data) ->
    {stop_and_reply, Reason, [{reply, From, Reply}], Data};
do([{next, State} | Ops], From, Data) ->
    {next_state, State, Data, [op(Op, From) || Op <- Ops]};
do([repeat | Ops], From, Data) ->
    {repeat_state, Data, [op(Op, From) || Op <- Ops]};
do(Ops, From, Data) ->
    {keep_state, Data, [op(Op, From) || Op <- Ops]}.

op({reply, Reply}, From) -> {reply, From, Reply};
op({event, Type, Content}, _) -> {next_event, Type, Content};
op({bad, Term}, _) -> Term;
op(Action, _) -> Action.

terminate(Reason, State, Data) ->
    [Pid ! {terminated, Reason, State} || {_, _, {watch, Pid}} <- Data],
    ok.

code_change(_, _, _, fail) -> throw(refused);
code_change(OldVsn, State, Data, Extra) -> {ok, State, [{code_change, OldVsn, Extra} | Data]}.
