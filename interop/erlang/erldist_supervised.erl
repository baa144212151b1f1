%% Supervisors and their children, the same on an Erlang node and on an erldist node
%% (interop/support/supervised.ts), and a script of operations that an Erlang node runs on either.
%%
%% start() makes the node ready: a log of what happens, in order, with supervisors' reports in it.
%% run(Node, Script) -> [{Operation, Result, Log}], where pids are named for what they are.
-module(erldist_supervised).
-behaviour(supervisor).
-export([start/0, start_sup/3, stop_sup/0, ended/0, fail/2, take/0, pid/1, worker/2, run/2]).
-export([init/1, log/2, init_worker/2]).

start() ->
    Starter = self(),
    spawn(fun() ->
        register(?MODULE, self()),
        Starter ! ready,
        logger(#{log => [], pids => [], fails => #{}, ended => undefined, owner => undefined})
    end),
    receive
        ready -> ok
    end,
    logger:set_primary_config(level, debug),
    ok = logger:add_handler(?MODULE, ?MODULE, #{level => debug}).

%% Only a supervisor's own reports: crash reports of children have lists of what differs.
log(#{level := Level, msg := {report, #{label := {supervisor, _}} = Report}}, _) ->
    call({log, {Level, Report}});
log(_, _) ->
    ok.

logger(#{log := Log, pids := Pids, fails := Fails} = State) ->
    receive
        {From, Ref, Request} ->
            {Reply, Next} =
                case Request of
                    {log, {started, Tag, Pid}} ->
                        Nth = 1 + length([T || {_, {T, _}} <- Pids, T =:= Tag]),
                        Named = [{Pid, {Tag, Nth}} | Pids],
                        {ok, State#{log := [{started, Tag} | Log], pids := Named}};
                    {log, {sup, Pid}} ->
                        {ok, State#{pids := [{Pid, {sup, 0}} | Pids]}};
                    {log, {sup_ended, Reason} = Entry} ->
                        {ok, State#{log := [Entry | Log], ended := Reason}};
                    {log, Entry} ->
                        {ok, State#{log := [Entry | Log]}};
                    {owner, Pid} ->
                        {ok, State#{owner := Pid, ended := undefined, pids := [], fails := #{}}};
                    {get, Key} ->
                        {maps:get(Key, State), State};
                    take ->
                        {{lists:reverse(Log), Pids}, State#{log := []}};
                    {fail, Tag, Times} ->
                        {ok, State#{fails := Fails#{Tag => Times}}};
                    {fails, Tag} ->
                        Left = maps:get(Tag, Fails, 0),
                        {Left > 0, State#{fails := Fails#{Tag => max(0, Left - 1)}}}
                end,
            From ! {Ref, Reply},
            logger(Next)
    end.

call(Request) ->
    Ref = make_ref(),
    ?MODULE ! {self(), Ref, Request},
    receive
        {Ref, Reply} -> Reply
    end.

take() -> call(take).
fail(Tag, Times) -> call({fail, Tag, Times}).
ended() -> call({get, ended}) =/= undefined.
pid(Tag) -> whereis(Tag).

%% Starts a supervisor, linked to a process that notes its end.
start_sup(Name, Flags, Specs) ->
    Caller = self(),
    Owner = spawn(fun() ->
        process_flag(trap_exit, true),
        ok = call({owner, self()}),
        Result = supervisor:start_link({local, Name}, ?MODULE, {Flags, Specs}),
        case Result of
            {ok, Pid} -> call({log, {sup, Pid}});
            _ -> ok
        end,
        Caller ! {self(), Result},
        own(Result)
    end),
    receive
        {Owner, {ok, _}} -> ok;
        {Owner, Result} -> Result
    end.

own({ok, Sup}) ->
    receive
        stop ->
            exit(Sup, shutdown),
            own({ok, Sup});
        {'EXIT', Sup, Reason} ->
            call({log, {sup_ended, Reason}})
    end;
own(_) ->
    ok.

stop_sup() ->
    call({get, owner}) ! stop,
    ok.

init({Flags, Specs}) -> {ok, {Flags, Specs}}.

%% A child, by what is said of it.
worker(_, ignore) -> ignore;
worker(_, {value, Value}) -> Value;
worker(_, {raise, error, Reason}) -> error(Reason);
worker(_, {raise, exit, Reason}) -> exit(Reason);
worker(_, {raise, throw, Reason}) -> throw(Reason);
worker(Tag, flaky) ->
    case call({fails, Tag}) of
        true -> {error, flaky};
        false -> worker(Tag, plain)
    end;
worker(Tag, {info, Info}) ->
    {ok, Pid} = worker(Tag, plain),
    {ok, Pid, Info};
worker(Tag, {nested, Flags, Specs}) ->
    case supervisor:start_link(?MODULE, {Flags, Specs}) of
        {ok, Pid} ->
            ok = call({log, {started, Tag, Pid}}),
            {ok, Pid};
        Other ->
            Other
    end;
worker(Tag, How) ->
    proc_lib:start_link(?MODULE, init_worker, [Tag, How]).

init_worker(Tag, How) ->
    register(Tag, self()),
    process_flag(trap_exit, How =/= plain),
    ok = call({log, {started, Tag, self()}}),
    proc_lib:init_ack({ok, self()}),
    serve(Tag, How).

serve(Tag, How) ->
    receive
        {stop, Reason} ->
            exit(Reason);
        {'EXIT', _, Reason} when How =:= traps ->
            ok = call({log, {ended, Tag, Reason}}),
            exit(Reason);
        {'EXIT', _, _} when How =:= stubborn ->
            ok = call({log, {refused, Tag}}),
            serve(Tag, How);
        {'EXIT', _, _} ->
            {ends_with, Reason} = How,
            exit(Reason)
    end.

%% ---- The script, on the node that asks.

run(Node, Script) -> [step(Node, Operation) || Operation <- Script].

step(Node, Operation) ->
    Result =
        try
            operate(Node, Operation)
        catch
            exit:{Why, {gen_server, call, _}} ->
                until(fun() -> remote(Node, ended, []) end),
                {call_failed, Why}
        end,
    {Log, Pids} = remote(Node, take, []),
    {Operation, ordered(Operation, named(Result, Pids)), named(Log, Pids)}.

operate(N, {start, Flags, Specs}) -> remote(N, start_sup, [sup, Flags, Specs]);
operate(N, {start_child, Spec}) -> supervisor:start_child({sup, N}, Spec);
operate(N, {terminate, Id}) -> supervisor:terminate_child({sup, N}, Id);
operate(N, {terminate_tag, Tag}) -> supervisor:terminate_child({sup, N}, remote(N, pid, [Tag]));
operate(N, {restart, Id}) -> supervisor:restart_child({sup, N}, Id);
operate(N, {delete, Id}) -> supervisor:delete_child({sup, N}, Id);
operate(N, {spec, Id}) -> supervisor:get_childspec({sup, N}, Id);
operate(N, {spec_tag, Tag}) -> supervisor:get_childspec({sup, N}, remote(N, pid, [Tag]));
operate(N, which) -> supervisor:which_children({sup, N});
operate(N, {sorted, which}) -> supervisor:which_children({sup, N});
operate(N, count) -> supervisor:count_children({sup, N});
operate(N, {call, Request}) -> gen_server:call({sup, N}, Request);
operate(N, {fail, Tag, Times}) -> remote(N, fail, [Tag, Times]);
operate(N, stop) ->
    ok = remote(N, stop_sup, []),
    until(fun() -> remote(N, ended, []) end);
operate(N, {kill, Tag, Reason}) ->
    Pid = remote(N, pid, [Tag]),
    exit(Pid, Reason),
    settled(N, Pid);
operate(N, {stop, Tag, Reason}) ->
    Pid = remote(N, pid, [Tag]),
    Pid ! {stop, Reason},
    settled(N, Pid).

%% The supervisor, and one below it called `nested`, have done what follows from the end of a child.
settled(N, Pid) ->
    until(fun() ->
        try
            [C || C <- children({sup, N}), C =:= Pid orelse C =:= restarting] =:= []
        catch
            exit:_ -> remote(N, ended, [])
        end
    end).

children(Supervisor) ->
    lists:append([
        case Id =:= nested andalso is_pid(Child) of
            true -> [Child | children(Child)];
            false -> [Child]
        end
     || {Id, Child, _, _} <- supervisor:which_children(Supervisor)
    ]).

until(Condition) ->
    case Condition() of
        true ->
            ok;
        false ->
            receive
            after 2 -> until(Condition)
            end
    end.

remote(N, Function, Args) ->
    case rpc:call(N, ?MODULE, Function, Args) of
        {badrpc, Reason} -> error({badrpc, Reason});
        Result -> Result
    end.

ordered({sorted, _}, List) -> lists:sort(List);
ordered(_, Result) -> Result.

%% Pids by the child's tag and the how manieth start of it that was; stacks without their frames.
named(Pid, Pids) when is_pid(Pid) -> proplists:get_value(Pid, Pids, unknown);
named([{_, _, _, Where} | _] = List, Pids) when is_list(Where) ->
    case lists:all(fun is_frame/1, List) of
        true -> stack;
        false -> [named(E, Pids) || E <- List]
    end;
named([Head | Tail], Pids) -> [named(Head, Pids) | named(Tail, Pids)];
named(Tuple, Pids) when is_tuple(Tuple) -> list_to_tuple(named(tuple_to_list(Tuple), Pids));
named(Map, Pids) when is_map(Map) -> maps:map(fun(_, V) -> named(V, Pids) end, Map);
named(Term, _) -> Term.

is_frame({M, F, _, Where}) -> is_atom(M) andalso is_atom(F) andalso is_list(Where);
is_frame(_) -> false.
