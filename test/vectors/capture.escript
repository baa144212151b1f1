#!/usr/bin/env escript
%% Makes capture-RELEASE.json: both directions of a connection between two genuine nodes, as they
%% went over the wire, and the messages that were in them, as the nodes themselves had them.
%%
%% Run in this folder, with the command that starts an `erl` of the release: 25 or later.
%%     escript capture.escript erl
%%     escript capture.escript chroot ~/.cache/erldist/otp/29 erl
%%
%% Both nodes listen on one port, without EPMD: A at 127.0.0.1, B at 127.0.0.3. B is called
%% b@127.0.0.2, which is where this script listens; it connects each caller to B and keeps what
%% passes. Streams are deflated: they hold large binaries that are all alike.
-mode(compile).

-define(PORT, "45369").
-define(COOKIE, "vectors").

main(Erl) ->
    {ok, L} = gen_tcp:listen(list_to_integer(?PORT), [binary, {active, false}, {ip, {127,0,0,2}},
                                                      {reuseaddr, true}, {nodelay, true}]),
    Beam = base64:encode_to_string(scenario()),
    B = start(Erl, "b@127.0.0.2", "{127,0,0,3}", Beam, "scenario:b()"),
    <<"ready", _/binary>> = line(B),
    Self = self(),
    spawn_link(fun() -> proxy(L, Self) end),
    A = start(Erl, "a@127.0.0.1", "{127,0,0,1}", Beam, "scenario:a('b@127.0.0.2')"),
    {Release, Sent, Echoed} = binary_to_term(base64:decode(line(A))),
    {FromA, FromB} = receive {captured, X, Y} -> {X, Y} after 20000 -> exit(no_capture) end,
    Out = ["{\n\"release\": \"", Release, "\",\n\"script\": \"capture.escript\",\n",
           "\"initiator\": \"", base64:encode(zlib:compress(FromA)), "\",\n",
           "\"acceptor\": \"", base64:encode(zlib:compress(FromB)), "\",\n",
           "\"sent\": [\n", terms(Sent), "],\n\"echoed\": [\n", terms(Echoed), "]\n}\n"],
    ok = file:write_file("capture-" ++ Release ++ ".json", Out),
    io:format("capture-~s.json: ~b and ~b bytes, ~b messages~n",
              [Release, byte_size(FromA), byte_size(FromB), length(Sent)]),
    catch port_close(B).

%% External form, deflated as well.
terms(Terms) ->
    lists:join(",\n", [["\"", base64:encode(zlib:compress(T)), "\""] || T <- Terms]).

start([Program | Args], Name, Interface, Beam, Then) ->
    %% A buffer limit of 32 kB suspends each sender after a fragment, so that senders take turns.
    More = ["-noshell", "-name", Name, "-setcookie", ?COOKIE, "-start_epmd", "false",
            "-erl_epmd_port", ?PORT, "-kernel", "inet_dist_use_interface", Interface,
            "net_ticktime", "4", "prevent_overlapping_partitions", "false", "+zdbbl", "32", "-eval",
            "code:load_binary(scenario, \"scenario\", base64:decode(\"" ++ Beam ++ "\")), " ++ Then ++ "."],
    open_port({spawn_executable, os:find_executable(Program)},
              [{args, Args ++ More}, {env, [{"ERL_CRASH_DUMP_BYTES", "0"}]}, binary, stream, exit_status, use_stdio]).

line(Port) -> line(Port, <<>>).
line(Port, Read) ->
    case binary:split(Read, <<"\n">>) of
        [Line, _] -> Line;
        _ ->
            receive
                {Port, {data, More}} -> line(Port, <<Read/binary, More/binary>>);
                {Port, {exit_status, Status}} -> exit({ended, Status, Read})
            after 60000 -> exit({silent, Read})
            end
    end.

proxy(L, Owner) ->
    {ok, A} = gen_tcp:accept(L),
    {ok, B} = gen_tcp:connect({127,0,0,3}, list_to_integer(?PORT), [binary, {active, false}, {nodelay, true}]),
    Self = self(),
    spawn_link(fun() -> Self ! {from_b, pump(B, A, [])} end),
    FromA = pump(A, B, []),
    FromB = receive {from_b, Bytes} -> Bytes end,
    Owner ! {captured, FromA, FromB}.

pump(From, To, Kept) ->
    case gen_tcp:recv(From, 0) of
        {ok, Bytes} -> _ = gen_tcp:send(To, Bytes), pump(From, To, [Bytes | Kept]);
        {error, _} -> gen_tcp:shutdown(To, write), iolist_to_binary(lists:reverse(Kept))
    end.

%% What the nodes run, as a module they are given.
scenario() ->
    Forms = [begin {ok, F} = erl_parse:parse_form(T), F end || T <- split(element(2, erl_scan:string(source())), [])],
    {ok, scenario, Beam} = compile:forms(Forms, [nowarn_export_all]),
    Beam.

split([], []) -> [];
split([{dot, _} = D | T], Acc) -> [lists:reverse([D | Acc]) | split(T, [])];
split([H | T], Acc) -> split(T, [H | Acc]).

source() -> "
-module(scenario).
-compile(export_all).

b() ->
    ended_with_its_script(),
    register(echo, self()),
    io:put_chars(\"ready\\n\"),
    process_flag(trap_exit, true),
    net_kernel:monitor_nodes(true, [{node_type, all}]),
    echo().

ended_with_its_script() -> spawn(fun() -> eof = io:get_line([]), halt() end).

%% Each message is answered by a process of its own, so that large answers go side by side.
echo() ->
    receive
        {vector, From, N, T} -> spawn(fun() -> From ! {echo, N, T} end), echo();
        {nodedown, _, _} -> halt();
        _ -> echo()
    end.

a(B) ->
    ended_with_its_script(),
    true = net_kernel:connect_node(B),
    Small = [ok, {rpc, [call, 'a b', 'h\\x{e9}llo', '\\x{3bb}']}, self(), make_ref(), <<1:3>>, 1.5, \"text\",
             #{key => #{[1] => true}}, fun lists:map/2, [], true, false, '', list_to_atom(lists:duplicate(255, $x))],
    [turn(B, N, T) || {N, T} <- number(1, Small)],
    %% More atoms than a header can announce; none; the most it can.
    turn(B, 20, atoms(1, 400)),
    turn(B, 21, atoms(1, 248)),
    turn(B, 22, 1),
    %% Atoms in UTF-8 longer than a byte can say, beside shorter ones.
    Long = [list_to_atom(lists:duplicate(C, 16#1f600)) || C <- [63, 64, 255]],
    turn(B, 23, [short | Long]),
    turn(B, 24, [shorter | Long]),
    turn(B, 25, hd(Long)),
    %% More atoms than the cache has entries, twice over: entries are replaced and come back.
    [turn(B, 30 + K, atoms(1000 * K, 200)) || K <- lists:seq(0, 14)],
    [turn(B, 50 + K, atoms(1000 * K, 200)) || K <- lists:seq(0, 14)],
    signals(B),
    %% At once, each a few fragments.
    Large = [binary:copy(<<K>>, Size) || {K, Size} <- [{1, 70000}, {2, 200000}, {3, 131072}, {4, 65536}]]
        ++ [lists:duplicate(20000, {large, 'made of', atoms}), {many, atoms(1, 300), binary:copy(<<9>>, 100000)}],
    Self = self(),
    [spawn_link(fun() -> {echo, B} ! {vector, Self, N, T} end) || {N, T} <- number(100, Large)],
    turn(B, 90, between),
    Echoed = [receive {echo, N, _} = E -> E end || {N, _} <- number(100, Large)],
    [ok = case T of Same -> ok end || {{_, Same}, {echo, _, T}} <- lists:zip(number(100, Large), Echoed)],
    %% A tick in each direction.
    receive after 2500 -> ok end,
    Sent = [term_to_binary(V) || V <- lists:reverse(get(sent)) ++ [{vector, Self, N, T} || {N, T} <- number(100, Large)]],
    Back = [term_to_binary({echo, N, T}) || {vector, _, N, T} <- lists:reverse(get(sent))]
        ++ [term_to_binary(E) || E <- Echoed],
    erlang:disconnect_node(B),
    io:put_chars([base64:encode(term_to_binary({erlang:system_info(otp_release), Sent, Back})), 10]),
    receive after 1000 -> ok end,
    halt().

number(_, []) -> [];
number(N, [T | Ts]) -> [{N, T} | number(N + 1, Ts)].

atoms(From, Count) -> [list_to_atom(\"atom_\" ++ integer_to_list(N)) || N <- lists:seq(From, From + Count - 1)].

turn(B, N, T) ->
    Message = {vector, self(), N, T},
    put(sent, [Message | case get(sent) of undefined -> []; L -> L end]),
    {echo, B} ! Message,
    receive {echo, N, T} -> ok after 10000 -> exit({no_echo, N}) end.

%% One of each control message that a program can cause.
signals(B) ->
    Pid = rpc:call(B, erlang, whereis, [echo]),
    link(Pid), unlink(Pid), link(Pid), unlink(Pid),
    Ref = monitor(process, {echo, B}), demonitor(Ref, [flush]),
    Gone = monitor(process, {nobody, B}),
    receive {'DOWN', Gone, _, _, noproc} -> ok end,
    {Child, Mon} = spawn_monitor(B, erlang, exit, [{reason, \"of some length\"}]),
    receive {'DOWN', Mon, process, Child, _} -> ok end,
    process_flag(trap_exit, true),
    Linked = spawn_link(B, timer, sleep, [infinity]),
    exit(Linked, {stop, now}),
    receive {'EXIT', Linked, _} -> ok end,
    Other = spawn(B, timer, sleep, [infinity]),
    group_leader(self(), Other),
    Watcher = spawn(fun() -> link(Other), receive stop -> exit(stopped) end end),
    Watcher ! stop,
    {badrpc, _} = rpc:call(B, erlang, error, [oops]),
    erpc:cast(B, lists, seq, [1, 3]),
    R = erpc:call(B, fun() -> A = alias(), {A, self()} end),
    element(1, R) ! to_an_alias_that_is_gone,
    seq_trace:set_token(label, 17),
    Pid ! traced,
    {echo, B} ! traced_by_name,
    seq_trace:set_token([]),
    case list_to_integer(erlang:system_info(otp_release)) >= 28 of
        true -> priority(B);
        false -> ok
    end.

priority(B) ->
    Self = self(),
    spawn(B, fun() -> Self ! {aliases, apply(erlang, alias, [[priority]]), self()}, receive go -> ok end, receive go -> ok end end),
    {Alias, Pid} = receive {aliases, X, P} -> {X, P} end,
    apply(erlang, send, [Alias, first, [priority]]),
    apply(erlang, send, [Pid, second, [priority]]),
    apply(erlang, send, [{echo, B}, third, [priority]]),
    apply(erlang, exit, [Pid, normal, [priority]]),
    apply(erlang, exit, [Alias, normal, [priority]]),
    apply(erlang, exit, [Alias, done, [priority]]).
".
