%% A gen_server that an erldist node runs too (interop/support/server.ts): callers must not see which of the two
%% they call. Its state is {Count, Seen}; Seen is what its callbacks got, latest first.
%%
%% setup() registers erldist_starter, the server's parent, which also keeps what the node logs.
%% start() replaces the server by a new one, registered as erldist_server; start(Module, Args) likewise
%% what another module's start_link(Args) starts.
-module(erldist_server).
-behaviour(gen_server).
-export([setup/0, start/0, start/2, start_link/1, reports/0, comparable/1, outcome/1, ending/2, status/1, bump/1, crash/1, tell/3]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, handle_continue/2, terminate/2]).
-export([code_change/3, log/2]).

setup() ->
    Starter = self(),
    Pid = spawn(fun() ->
        group_leader(whereis(user), self()),
        process_flag(trap_exit, true),
        register(erldist_starter, self()),
        ok = logger:add_handler(?MODULE, ?MODULE, #{}),
        Starter ! {self(), ready},
        starter([])
    end),
    receive
        {Pid, ready} -> ok
    end.

start() -> start(?MODULE, []).

start(Module, Args) -> ask({start, Module, Args}).

start_link(Init) -> gen_server:start_link({local, ?MODULE}, ?MODULE, Init, []).

%% What was logged since the last time, as {Level, Report}, without what no two nodes share.
reports() -> ask(reports).

ask(What) ->
    Ref = make_ref(),
    erldist_starter ! {What, self(), Ref},
    receive
        {Ref, Answer} -> Answer
    end.

starter(Logged) ->
    receive
        {{start, Module, Args}, From, Ref} ->
            case whereis(Module) of
                undefined ->
                    ok;
                Old ->
                    exit(Old, kill),
                    receive
                        {'EXIT', Old, _} -> ok
                    end
            end,
            case Module:start_link(Args) of
                {ok, Pid} -> From ! {Ref, Pid};
                Other -> From ! {Ref, Other}
            end,
            starter([]);
        {reports, From, Ref} ->
            From ! {Ref, lists:reverse(Logged)},
            starter([]);
        {log, Report} ->
            starter([Report | Logged]);
        {'EXIT', _, _} ->
            starter(Logged)
    end.

%% Called by the logger, in the process that logs.
log(#{level := Level, msg := {report, Report}}, _) ->
    erldist_starter ! {log, {Level, Report}};
log(_, _) ->
    ok.

%% Sizes, stacks of exits and labels, which came with OTP 27, are not the same everywhere.
comparable({Level, #{report := [Info, Neighbours]} = Report}) ->
    Items = lists:keydelete(process_label, 1, Info),
    {Level, Report#{report := [[comparable(Item) || Item <- Items], Neighbours]}};
comparable({Level, #{reason := {Class, Reason, _}, modules := _} = Report}) ->
    {Level, maps:remove(process_label, Report#{reason := {Class, Reason, stack}})};
comparable({Level, Report}) when is_map(Report) ->
    {Level, maps:remove(process_label, Report)};
comparable({error_info, {Class, Reason, Stack}}) when is_list(Stack) ->
    {error_info, {Class, Reason, stack}};
comparable({Item, Size}) when is_integer(Size), Item =/= message_queue_len ->
    {Item, size};
comparable(Item) ->
    Item.

%% What a function comes to, as a term.
outcome(Fun) ->
    try
        Fun()
    catch
        Class:Reason -> {caught, Class, Reason}
    end.

%% The same, and what a process ends with by it.
ending(Pid, Fun) ->
    Ref = monitor(process, Pid),
    Outcome = outcome(Fun),
    receive
        {'DOWN', Ref, process, _, Reason} -> {Outcome, Reason}
    after 60000 -> {Outcome, lives}
    end.

%% A status, the process dictionary in an order.
status(Server) ->
    {status, Pid, Module, [Dictionary | Items]} = sys:get_status(Server),
    {status, Pid, Module, [lists:sort(Dictionary) | Items]}.

%% For sys:replace_state and sys:install.
bump({Count, Seen}) -> {Count + 100, Seen}.
crash(_) -> error(crashed).

tell(Pid, Event, _) ->
    Pid ! {event, Event},
    Pid.

init([]) -> {ok, {0, []}};
init(ignore) -> ignore;
init({stop, Reason}) -> {stop, Reason};
init(Other) -> handle(Other, {0, []}).

handle_call(get, _, {Count, _} = State) ->
    {reply, Count, State};
handle_call(seen, _, {_, Seen} = State) ->
    {reply, lists:reverse(Seen), State};
handle_call({add, By}, _, {Count, Seen}) ->
    {reply, Count + By, {Count + By, Seen}};
handle_call({later, Milliseconds, Term}, From, State) ->
    erlang:send_after(Milliseconds, self(), {reply, From, Term}),
    {noreply, State};
%% Answered by the next release.
handle_call({hold, Term}, From, State) ->
    put(held, {From, Term}),
    {noreply, State};
handle_call(release, _, State) ->
    {From, Term} = erase(held),
    gen_server:reply(From, Term),
    {reply, ok, State};
handle_call({state, State}, _, _) ->
    {reply, ok, State};
handle_call({timeout, Milliseconds}, _, State) ->
    {reply, ok, State, Milliseconds};
handle_call({continue, Term}, _, State) ->
    {reply, ok, State, {continue, Term}};
handle_call(never, _, State) ->
    {noreply, State};
handle_call({watch, Pid}, _, {Count, Seen}) ->
    {reply, ok, {Count, [{watch, Pid} | Seen]}};
handle_call({trap_exit, Flag}, _, State) ->
    process_flag(trap_exit, Flag),
    {reply, ok, State};
handle_call(drop, {Pid, _}, State) ->
    erlang:disconnect_node(node(Pid)),
    {noreply, State};
handle_call({stop, Reason, Reply}, _, State) ->
    {stop, Reason, Reply, State};
handle_call(Request, _, State) ->
    handle(Request, State).

handle_cast(Request, State) ->
    handle(Request, State).

handle_info({reply, From, Term}, State) ->
    gen_server:reply(From, Term),
    {noreply, State};
handle_info(Message, State) ->
    handle(Message, State).

handle_continue(Term, State) ->
    handle({continued, Term}, State).

handle({stop, Reason}, State) -> {stop, Reason, State};
handle({fail, error, Reason}, _) -> error(Reason);
handle({fail, exit, Reason}, _) -> exit(Reason);
handle({fail, throw, Reason}, _) -> throw(Reason);
handle({return, Term}, _) -> Term;
handle(Term, {Count, Seen}) ->
    [Pid ! {seen, Term} || {watch, Pid} <- Seen],
    {noreply, {Count, [Term | Seen]}}.

terminate(Reason, {_, Seen}) ->
    [Pid ! {terminated, Reason} || {watch, Pid} <- Seen],
    ok.

code_change(_, _, fail) -> throw(refused);
code_change(OldVsn, {Count, Seen}, Extra) -> {ok, {Count, [{code_change, OldVsn, Extra} | Seen]}}.
