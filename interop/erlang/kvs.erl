%% The name server of the chapter on distributed programming, rewritten: what Erlang
%% nodes serve when erldist is the caller, and what erldist's own `kvs` is compared with.
%%
%%   {From, {store, Key, Value}}  ->  From ! {kvs, true}
%%   {From, {lookup, Key}}        ->  From ! {kvs, {ok, Value}} | {kvs, undefined}
%%
%% Anything else sent to it is dropped, so that a stray message costs no memory.
-module(kvs).
-export([start/0, store/2, lookup/1]).

%% Answers true, and may be called again: two callers at once start one server between them.
start() ->
    Starter = self(),
    {Pid, Monitor} = spawn_monitor(fun() -> init(Starter) end),
    receive
        {Pid, ready} ->
            demonitor(Monitor, [flush]),
            true;
        {'DOWN', Monitor, process, Pid, already_there} ->
            true
    end.

store(Key, Value) ->
    request({store, Key, Value}).

lookup(Key) ->
    request({lookup, Key}).

request(Request) ->
    kvs ! {self(), Request},
    receive
        {kvs, Reply} -> Reply
    end.

init(Starter) ->
    try register(kvs, self()) of
        true ->
            Starter ! {self(), ready},
            serve(#{})
    catch
        error:badarg -> exit(already_there)
    end.

%% The keys of a map are compared with =:=, so 1 and 1.0 are two keys.
serve(Store) ->
    receive
        {From, {store, Key, Value}} ->
            reply(From, true),
            serve(Store#{Key => Value});
        {From, {lookup, Key}} ->
            Reply =
                case Store of
                    #{Key := Value} -> {ok, Value};
                    #{} -> undefined
                end,
            reply(From, Reply),
            serve(Store);
        _ ->
            serve(Store)
    end.

%% A `From` that nothing can be sent to must not end the server.
reply(From, Reply) ->
    try From ! {kvs, Reply} of
        _ -> ok
    catch
        error:badarg -> ok
    end.
