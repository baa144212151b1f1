%% A handler of gen_event, for what an erldist node asks event managers.
%%
%% start() replaces the event manager, registered as erldist_events, by a new one.
-module(erldist_events).
-behaviour(gen_event).
-export([start/0, init/1, handle_event/2, handle_call/2, handle_info/2, terminate/2]).

start() ->
    case whereis(?MODULE) of
        undefined ->
            ok;
        Old ->
            Ref = monitor(process, Old),
            exit(Old, kill),
            receive
                {'DOWN', Ref, _, _, _} -> ok
            end
    end,
    {ok, Pid} = gen_event:start({local, ?MODULE}),
    Pid.

%% Added as {swap, Args} with what the handler before it left.
init({{swap, Args}, Left}) -> {ok, [{Args, Left}]};
init(refused) -> {error, refused};
init(crash) -> error(crashed);
init(Args) -> {ok, [Args]}.

handle_event({tell, Pid}, Seen) ->
    Pid ! {told, self()},
    {ok, Seen};
handle_event(remove, _) ->
    remove_handler;
handle_event({sleep, Milliseconds}, Seen) ->
    receive
    after Milliseconds -> {ok, [slept | Seen]}
    end;
handle_event(Event, Seen) ->
    {ok, [Event | Seen]}.

handle_call(seen, Seen) -> {ok, lists:reverse(Seen), Seen};
handle_call(never, Seen) -> receive after infinity -> {ok, never, Seen} end;
handle_call(crash, _) -> error(crashed);
handle_call(remove, _) -> {remove_handler, removed};
handle_call(stop, _) -> exit(whereis(?MODULE), kill).

handle_info(Message, Seen) -> {ok, [{info, Message} | Seen]}.

terminate(Reason, Seen) -> {terminated, shape(Reason), length(Seen)}.

shape({error, {Reason, _}}) -> {error, Reason};
shape(Reason) -> Reason.
