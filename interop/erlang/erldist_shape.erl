%% What operators look at, and whether two nodes tell them the same things of it.
%%
%% subjects() -> {Server, Parent, Dead}: a gen_server named `counter`, the process without a name
%% that it is linked to, with a message in its mailbox, and one that has ended. Schedulers are measured.
%%
%% compare(A, B) -> same | {differ, Path, InA, InB}: whether two answers to one question have the same
%% shape, which a tool that takes one apart relies on. Values may differ; kinds, keys and sizes of
%% tuples may not. An empty list is as good as any other; each element of B's lists must be like
%% some element of A's, and B's maps may have more keys than A's, as those of newer releases.
%%
%% failure(Answer) -> an answer of rpc:call; of an exception the reason, and the call that failed.
-module(erldist_shape).
-behaviour(gen_server).
-export([subjects/0, compare/2, failure/1]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

subjects() ->
    Self = self(),
    {Dead, Monitor} = spawn_monitor(fun() -> ok end),
    receive
        {'DOWN', Monitor, process, Dead, _} -> ok
    end,
    Parent = spawn(fun() ->
        erlang:system_flag(scheduler_wall_time, true),
        %% Labels came with OTP 27.
        [proc_lib:set_label(idler) || erlang:function_exported(proc_lib, set_label, 1)],
        {ok, Server} = gen_server:start_link({local, counter}, ?MODULE, self(), []),
        self() ! hello,
        Self ! {self(), Server},
        receive
            never -> ok
        end
    end),
    receive
        {Parent, Server} -> {Server, Parent, Dead}
    end.

init(Parent) ->
    monitor(process, Parent),
    monitor(process, rex),
    {ok, 0}.

handle_call(_, _, State) -> {reply, ok, State}.
handle_cast(_, State) -> {noreply, State}.
handle_info(_, State) -> {noreply, State}.

failure({badrpc, {'EXIT', {Reason, [{erlang, F, Args, _} | _]}}}) when is_list(Args) ->
    {failed, Reason, erlang, F, length(Args)};
failure({badrpc, {'EXIT', {Reason, [{erlang, F, Arity, _} | _]}}}) ->
    {failed, Reason, erlang, F, Arity};
failure({badrpc, {'EXIT', {Reason, _}}}) -> {failed, Reason};
failure(Answer) -> Answer.

compare(A, B) ->
    try like(A, B, []) of
        true -> same
    catch
        throw:{differ, Path, X, Y} -> {differ, Path, X, Y}
    end.

like(A, B, _) when is_integer(A), is_integer(B) -> true;
like(A, B, _) when is_float(A), is_float(B) -> true;
like(A, B, _) when is_binary(A), is_binary(B) -> true;
like(A, B, _) when is_boolean(A), is_boolean(B) -> true;
like(A, B, _) when is_atom(A), is_atom(B), not is_boolean(A), not is_boolean(B) -> true;
like(A, B, _) when is_pid(A), is_pid(B) -> true;
like(A, B, _) when is_reference(A), is_reference(B) -> true;
like([], B, _) when is_list(B) -> true;
like(A, [], _) when is_list(A) -> true;
like(A, B, Path) when is_list(A), is_list(B) ->
    case is_keyed(A) andalso is_keyed(B) of
        true -> keyed(lists:ukeysort(1, A), lists:ukeysort(1, B), Path);
        false -> true
    end andalso lists:all(fun(X) -> element_of(A, X, [list | Path]) end, B);
like(A, B, Path) when tuple_size(A) =:= tuple_size(B), tuple_size(A) > 0 ->
    Indexes = lists:seq(1, tuple_size(A)),
    lists:all(fun(I) -> like(element(I, A), element(I, B), [I | Path]) end, Indexes);
like(A, B, Path) when is_map(A), is_map(B) ->
    keyed(lists:sort(maps:to_list(A)), lists:sort(maps:to_list(maps:with(maps:keys(A), B))), [map | Path]);
like(A, B, Path) ->
    throw({differ, lists:reverse(Path), A, B}).

%% Lists of {Key, Value} as info functions return them.
is_keyed(List) ->
    length([Key || {Key, _} <- List, is_atom(Key)]) =:= length(List).

keyed(A, B, Path) ->
    KeysA = [K || {K, _} <- A],
    KeysB = [K || {K, _} <- B],
    KeysA =:= KeysB orelse throw({differ, lists:reverse(Path), KeysA, KeysB}),
    lists:all(fun({{K, X}, {K, Y}}) -> like(X, Y, [K | Path]) end, lists:zip(A, B)).

element_of(List, Element, Path) ->
    lists:any(fun(X) -> compare(X, Element) =:= same end, List) orelse
        throw({differ, lists:reverse(Path), hd(List), Element}).
