%% The far end of the harness: evaluates what the tests ask for, inside an Erlang node.
%%
%% The channel is file descriptor 3, a socket that the test runner made, in frames with a length of
%% four bytes. It is not Erlang distribution, because that is what is under test, and not standard
%% input and output, because those belong to what the node reads and prints.
%%
%% To the node:
%%   <<1, Id:32, Session:32, Form, N:16, N * (NameSize, Name, Size:32, Bytes), Text/binary>>
%%       evaluate Text with the names bound to binaries; Form 0: answer as text, 1: in external form.
%%       Session 0 is a process of its own for each request; others keep process and bindings.
%%   <<2, Session:32>>    end a session
%%   <<3, Id:32>>         give up a request: end its process
%%   <<4>>                init:stop()
%% From the node:
%%   <<0, 0:32, Json>>    ready: {"name": ..., "otpRelease": ..., "osPid": ...}
%%   <<1, Id:32, Bytes>>  the value
%%   <<2, Id:32, Size:32, Class, Size:32, Reason, Stack/binary>>
%%                        an exception; class "syntax" when Text could not be read
%%
%% When the runner goes away, however it ended, the channel does too, and the node halts.
-module(erldist_harness).
-export([start/0]).

start() ->
    spawn(fun init/0).

init() ->
    case whereis(user) of
        undefined ->
            ok;
        User ->
            group_leader(User, self()),
            %% Releases before 26 print Latin-1 without a terminal, whatever the locale.
            ok = io:setopts(User, [{encoding, unicode}])
    end,
    Channel = open_port({fd, 3, 3}, [binary, {packet, 4}, eof]),
    Ready = io_lib:format(
        "{\"name\":\"~ts\",\"otpRelease\":\"~ts\",\"osPid\":\"~ts\"}",
        [atom_to_list(node()), erlang:system_info(otp_release), os:getpid()]
    ),
    reply(Channel, 0, 0, unicode:characters_to_binary(Ready)),
    loop(Channel, #{}, #{}).

%% Busy: the processes that owe an answer, and for which request. Sessions: their processes.
loop(Channel, Busy, Sessions) ->
    Main = self(),
    receive
        {Channel, {data, <<1, Id:32, 0:32, Request/binary>>}} ->
            {Pid, _} = spawn_monitor(fun() ->
                evaluate(Main, Channel, Id, Request, erl_eval:new_bindings())
            end),
            loop(Channel, Busy#{Pid => Id}, Sessions);
        {Channel, {data, <<1, Id:32, Session:32, Request/binary>>}} ->
            Pid =
                case Sessions of
                    #{Session := Known} ->
                        Known;
                    #{} ->
                        {New, _} = spawn_monitor(fun() ->
                            session(Main, Channel, erl_eval:new_bindings())
                        end),
                        New
                end,
            Pid ! {?MODULE, Id, Request},
            loop(Channel, Busy#{Pid => Id}, Sessions#{Session => Pid});
        {Channel, {data, <<2, Session:32>>}} ->
            case Sessions of
                #{Session := Pid} -> exit(Pid, kill);
                #{} -> ok
            end,
            loop(Channel, Busy, maps:remove(Session, Sessions));
        {Channel, {data, <<3, Id:32>>}} ->
            [exit(Pid, kill) || {Pid, Of} <- maps:to_list(Busy), Of =:= Id],
            loop(Channel, Busy, Sessions);
        {Channel, {data, <<4>>}} ->
            init:stop(),
            loop(Channel, Busy, Sessions);
        {Channel, eof} ->
            erlang:halt(0, [{flush, false}]);
        {done, Pid, Id} ->
            case Busy of
                #{Pid := Id} -> loop(Channel, maps:remove(Pid, Busy), Sessions);
                #{} -> loop(Channel, Busy, Sessions)
            end;
        {'DOWN', _, process, Pid, Reason} ->
            case Busy of
                #{Pid := Id} -> exception(Channel, Id, "exit", text(Reason), "");
                #{} -> ok
            end,
            Left = maps:filter(fun(_, Of) -> Of =/= Pid end, Sessions),
            loop(Channel, maps:remove(Pid, Busy), Left)
    end.

session(Main, Channel, Bindings) ->
    receive
        {?MODULE, Id, Request} ->
            session(Main, Channel, evaluate(Main, Channel, Id, Request, Bindings))
    end.

%% Answers, and returns the bindings for what comes after.
evaluate(Main, Channel, Id, <<Form, N:16, Rest/binary>>, Bindings) ->
    {Text, Bound} = bind(N, Rest, Bindings),
    After =
        try parse(unicode:characters_to_list(Text)) of
            Expressions ->
                try erl_eval:exprs(Expressions, Bound) of
                    {value, Value, Now} ->
                        value(Channel, Id, Form, Value),
                        Now
                catch
                    Class:Reason:Stack ->
                        exception(
                            Channel, Id, atom_to_list(Class), text(Reason), text(own(Stack))
                        ),
                        Bindings
                end
        catch
            throw:{syntax, Message} ->
                exception(Channel, Id, "syntax", Message, ""),
                Bindings
        end,
    Main ! {done, self(), Id},
    After.

bind(0, Text, Bindings) ->
    {Text, Bindings};
bind(N, <<NameSize, Name:NameSize/binary, Size:32, Bytes:Size/binary, Rest/binary>>, Bindings) ->
    Bound = erl_eval:add_binding(binary_to_atom(Name, utf8), Bytes, Bindings),
    bind(N - 1, Rest, Bound).

parse(Text) ->
    case erl_scan:string(Text) of
        {ok, Tokens, _} ->
            case erl_parse:parse_exprs(Tokens) of
                {ok, Expressions} -> Expressions;
                {error, {_, Module, Message}} -> throw({syntax, Module:format_error(Message)})
            end;
        {error, {_, Module, Message}, _} ->
            throw({syntax, Module:format_error(Message)})
    end.

value(Channel, Id, 0, Value) ->
    reply(Channel, 1, Id, text(Value));
value(Channel, Id, 1, Value) ->
    reply(Channel, 1, Id, term_to_binary(Value)).

%% Without the frames of the evaluation itself, which say nothing about what was asked.
own(Stack) ->
    lists:takewhile(
        fun
            ({Module, _, _, _}) -> Module =/= ?MODULE;
            (_) -> true
        end,
        [Frame || Frame <- Stack, element(1, Frame) =/= erl_eval]
    ).

text(Term) ->
    unicode:characters_to_binary(io_lib:format("~0tp", [Term])).

exception(Channel, Id, Class, Reason, Stack) ->
    C = unicode:characters_to_binary(Class),
    R = unicode:characters_to_binary(Reason),
    S = unicode:characters_to_binary(Stack),
    reply(Channel, 2, Id, [<<(byte_size(C)):32>>, C, <<(byte_size(R)):32>>, R, S]).

%% port_command and not Channel ! ..., as the process that answers is not the port's owner.
reply(Channel, Kind, Id, Bytes) ->
    true = port_command(Channel, [<<Kind, Id:32>>, Bytes]).
