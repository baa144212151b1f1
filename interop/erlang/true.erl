%% A module, a server and functions whose names are `true` and `false`, as an erldist node has them too
%% (interop/boolean-names.interop.ts): both are atoms like any other.
%%
%% serve() registers a server as `true`, and ends the one before; it keeps what it receives.
%% What it is called with is answered with itself, `seen` with the messages, latest first.
-module(true).
-export([false/0, false/1, true/1, tell/2, serve/0]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

false() -> false.
false(Term) -> {true, Term}.
true(Reason) -> exit(Reason).

tell(Pid, Term) ->
    Pid ! {Term, node()},
    true.

serve() ->
    catch gen_server:stop(true),
    {ok, Pid} = gen_server:start({local, true}, ?MODULE, true, []),
    Pid.

init(true) -> {ok, []}.

handle_call(seen, _, Seen) -> {reply, Seen, Seen};
handle_call(stop, _, Seen) -> {stop, true, true, Seen};
handle_call(Request, _, Seen) -> {reply, Request, Seen}.

handle_cast(Message, Seen) -> {noreply, [{cast, Message} | Seen]}.

%% The protocol of rpc:multi_server_call/3.
handle_info({From, Message}, Seen) when is_pid(From) ->
    From ! {true, node(), Message},
    {noreply, Seen};
handle_info(Message, Seen) -> {noreply, [{info, Message} | Seen]}.
