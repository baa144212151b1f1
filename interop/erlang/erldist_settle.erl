%% Waits until what nodes have begun is done, without a pause that a busy machine would need longer: for tests
%% that show that nothing more happens. An erldist node has the same functions (interop/support/settle.ts).
-module(erldist_settle).
-export([settle/1, pass/1, turn/0]).

%% How often every node takes a turn: a signal may lead to another, and a process of low priority waits
%% while others run.
-define(ROUNDS, 8).

%% Signals between any two of these nodes and this one have arrived, and those that they led to, up to ROUNDS
%% of them in a row. Nodes that cannot be reached are left out.
settle(Others) ->
    Nodes = [node() | lists:delete(node(), Others)],
    [rpc:call(From, ?MODULE, pass, [To]) || _ <- lists:seq(1, ?ROUNDS), From <- Nodes, To <- Nodes],
    ok.

%% Everything sent to that node before has arrived, and was handled.
pass(Node) ->
    rpc:call(Node, ?MODULE, turn, []).

%% All that ran on this node's schedulers has run to its end or was put aside: an exiting process has sent all
%% its signals.
turn() ->
    erlang:system_flag(multi_scheduling, block_normal),
    erlang:system_flag(multi_scheduling, unblock_normal),
    ok.
