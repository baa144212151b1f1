%% Functions to call remotely; an erldist node exposes them too (interop/support/callee.ts). What a caller sees
%% must not depend on which of the two nodes it calls.
%%
%% start() registers a server as `erldist_callee`: {From, Msg} -> {erldist_callee, node(), {got, Msg}}.
-module(erldist_callee).
-export([start/0, add/2, nothing/0, echo/1, fail/2, caught/1, badrpc/0, never/0, later/2]).
-export([held/1, holding/0, release/0]).
-export([report/1, end_self/1, print/1, tell/2, spawn_tell/2, drop/0, leader/0, shape/1]).

start() ->
    Starter = self(),
    Pid = spawn(fun() ->
        register(?MODULE, self()),
        Starter ! {self(), ready},
        serve()
    end),
    receive
        {Pid, ready} -> Pid
    end.

serve() ->
    receive
        {From, Message} when is_pid(From) ->
            From ! {?MODULE, node(), {got, Message}};
        _ ->
            ok
    end,
    serve().

add(A, B) -> A + B.
nothing() -> ok.
echo(Term) -> Term.

fail(error, Reason) -> error(Reason);
fail(exit, Reason) -> exit(Reason);
fail(throw, Reason) -> throw(Reason).

caught(Reason) -> {'EXIT', Reason}.
badrpc() -> {badrpc, mine}.

never() ->
    receive
    after infinity -> ok
    end.

later(Milliseconds, Term) ->
    receive
    after Milliseconds -> Term
    end.

%% Returns when release() is called: one at a time on a node.
held(Term) ->
    Self = self(),
    Gate = spawn(fun() ->
        register(erldist_gate, self()),
        receive
            {release, From} ->
                Self ! {self(), open},
                From ! {self(), released}
        end
    end),
    receive
        {Gate, open} -> Term
    end.

%% Returns when a call of held/1 has begun.
holding() ->
    case whereis(erldist_gate) of
        undefined ->
            receive
            after 1 -> holding()
            end;
        Gate ->
            is_pid(Gate)
    end.

release() ->
    true = holding(),
    Gate = whereis(erldist_gate),
    Ref = monitor(process, Gate),
    Gate ! {release, self()},
    receive
        {'DOWN', Ref, process, Gate, _} -> ok
    end,
    receive
        {Gate, released} -> ok
    end.

%% Tells of the first message it gets, exit signals included.
report(Pid) ->
    process_flag(trap_exit, true),
    Pid ! {reporter, self()},
    receive
        Message -> Pid ! {reported, Message}
    end.

%% The process is ended from outside while it runs the function.
end_self(Reason) ->
    Self = self(),
    spawn(fun() -> exit(Self, Reason) end),
    never().

print(Text) -> io:format("~ts", [Text]).

tell(Pid, Message) ->
    Pid ! Message,
    ok.

spawn_tell(Pid, Message) ->
    spawn(fun() -> Pid ! Message end),
    ok.

%% Ends the connection to the node that called.
drop() ->
    erlang:disconnect_node(node(group_leader())),
    ok.

leader() -> group_leader().

%% A term without what differs from node to node: names of nodes, identifiers, stack traces.
shape([{M, F, Args, []} | _]) when is_atom(M), is_atom(F), is_list(Args) ->
    [{M, F, shape(Args)}];
shape([{M, F, _, Info} | _]) when is_atom(M), is_atom(F), is_list(Info) ->
    stack;
shape([Head | Tail]) ->
    [shape(Head) | shape(Tail)];
shape(Tuple) when is_tuple(Tuple) ->
    list_to_tuple(shape(tuple_to_list(Tuple)));
shape(Map) when is_map(Map) ->
    maps:from_list([{shape(K), shape(V)} || {K, V} <- maps:to_list(Map)]);
shape(Node) when Node =:= node() ->
    here;
shape(Atom) when is_atom(Atom) ->
    case lists:member($@, atom_to_list(Atom)) of
        true -> there;
        false -> Atom
    end;
shape(Term) when is_pid(Term); is_reference(Term); is_port(Term) ->
    identifier;
shape(Term) ->
    Term.
