/**
 * What ordinary, busy and hostile programs send to an erldist node while it serves calls. Each item has the
 * outcome of its row; the connection stays up, other calls take about their usual time, and the node's
 * services go on.
 *
 * What ends a connection comes from a peer made for that item.
 */
import { connect } from "node:net";
import { deflateSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { atom, decode, encode, Pid, Reference, type TermInput, tuple } from "../etf/index.ts";
import { DFLAG, OFFERED_FLAGS } from "../src/distribution/flags.ts";
import { type OtpNode, type OtpSession, startOtpNode, waitUntil, within } from "./index.ts";
import { type BarePeer, connectBare } from "./support/bare-peer.ts";
import { type RunningNode, startTrustedProgram } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

/** Calls before an item, and at least as many beside it. */
const CALLS = 100;
/**
 * What other calls may take beside an item, in terms of what they take without, or at the same time to a node
 * that gets no items: the machine may be busy. And what is too short to compare.
 */
const TIMES = 3;
const TOO_SHORT_MS = 3;
/**
 * The longest that one of them may take: 50 ms, 50 ms for each megabyte, and what a busy machine adds. What
 * counts is how long the node has the processor until it answers, and a tenth of the wait at least: a busy
 * machine gives it no smaller share.
 */
const LONGEST_MS = 250;
const LONGEST_A_MEGABYTE_MS = 50;
/** An item is too expensive when it is each of these times. */
const ATTEMPTS = 3;

interface Row {
  readonly what: string;
  /** Erlang, with the node's name as N: its value must be `gives`. */
  readonly does?: string;
  readonly gives?: string;
  /** Done by peers of the test's own. */
  readonly by?: (node: RunningNode, session: OtpSession) => Promise<void>;
  /** About what the node gets to read. Default next to nothing. */
  readonly megabytes?: number;
}

const asked = (expression: string): string =>
  `case ${expression} of {badrpc, nodedown} -> nodedown; {badrpc, _} -> refused; V -> V end`;
const size = (pairs: string): string =>
  `rpc:call(N, ts, size, [maps:from_list([{K, 1} || ${pairs}])])`;
/** Says to `user`, and waits for the reply. */
const toUser = (chars: string): string => `(fun(R) ->
    {user, N} ! {io_request, self(), R, {put_chars, unicode, ${chars}}},
    receive {io_reply, R, _} -> answered after 60000 -> silence end end)(make_ref())`;

const ROWS: Row[] = [
  // Keys of maps.
  {
    what: "a map of 100 tags of callers",
    does: size("_ <- lists:seq(1, 100), K <- [{self(), [alias | make_ref()]}]"),
    gives: "100",
  },
  {
    what: "a map of 100 closures",
    does: size("I <- lists:seq(1, 100), K <- [fun() -> I end]"),
    gives: "100",
  },
  {
    what: "a map of 100 improper lists",
    does: size("I <- lists:seq(1, 100), K <- [[a | I]]"),
    gives: "100",
  },
  {
    what: "a map of 300 references",
    does: size("_ <- lists:seq(1, 300), K <- [make_ref()]"),
    gives: "300",
  },
  {
    what: "a map of 200 funs of one name",
    does: size("I <- lists:seq(0, 199), K <- [erlang:make_fun(m, f, I)]"),
    gives: "200",
  },
  {
    what: "a map of maps of maps as keys, four levels of 8",
    does: `F = fun F(0, I) -> I; F(D, I) -> maps:from_list([{F(D - 1, 8 * I + J), J} || J <- lists:seq(1, 8)]) end,
      rpc:call(N, ts, size, [F(4, 0)])`,
    gives: "8",
    megabytes: 1,
  },
  {
    what: "a server that keeps 100 callers by their tags",
    does: "lists:all(fun erlang:is_integer/1, [rpc:call(N, ts, keep, [{self(), [alias | make_ref()]}]) || _ <- lists:seq(1, 100)])",
    gives: "true",
  },
  // true and false are atoms.
  { what: "a message to true", does: "{true, N} ! x, {false, N} ! x", gives: "x" },
  {
    what: "a monitor on true",
    does: "M = monitor(process, {true, N}), receive {'DOWN', M, _, _, W} -> W after 60000 -> none end",
    gives: "noproc",
  },
  { what: "a call of true:true/0", does: asked("rpc:call(N, true, true, [])"), gives: "refused" },
  { what: "a spawn of true:false/0", does: "is_pid(spawn(N, true, false, []))", gives: "true" },
  {
    what: "true as an atom of a typed function",
    does: "rpc:call(N, ts, atom, [true])",
    gives: "true",
  },
  // Odd encodings, of a peer that stays.
  ...[
    ["FLOAT_EXT", [99, ...Buffer.from("1.50000000000000000000e+00".padEnd(31, "\0"))]],
    ["ATOM_EXT", [100, 0, 1, 97]],
    ["an integer with more bytes than it needs", [110, 4, 0, 1, 0, 0, 0]],
    ["a list that is a string", [107, 0, 2, 97, 98]],
    ["NEW_PID_EXT's older form", [103, 119, 1, 97, 0, 0, 0, 1, 0, 0, 0, 0, 1]],
    ["REFERENCE_EXT", [101, 119, 1, 97, 0, 0, 0, 1, 1]],
    ["a tuple with a length of four bytes", [105, 0, 0, 0, 1, 97, 1]],
  ].map(
    ([name, term]): Row => ({
      what: `${name}, sent to a process`,
      by: async (node) => {
        await using peer = await plainPeer(node);
        peer.sayFrame(
          message(
            tuple(6, PEER_PID, atom(""), atom("deaf")),
            Uint8Array.from([131, ...(term as number[])]),
          ),
        );
        await answers(peer);
      },
    }),
  ),
  // Text.
  {
    what: "text that begins with U+FEFF",
    does: "rpc:call(N, ts, text, [<<239,187,191,97>>]) =:= <<239,187,191,97>>",
    gives: "true",
  },
  {
    what: "funs printed",
    does: `T = [fun a:'x@y'/3, erlang:make_fun('and', c, 1)],
      rpc:call(N, ts, print, [T]) =:= iolist_to_binary(io_lib:format("~p", [T]))`,
    gives: "true",
  },
  { what: "a term in parentheses parsed", does: 'rpc:call(N, ts, parse, [<<"(1)">>])', gives: "1" },
  // Values of the program.
  { what: "a cycle returned", does: asked("rpc:call(N, ts, cycle, [])"), gives: "refused" },
  {
    what: "bytes changed after they were sent",
    does: "rpc:cast(N, ts, changing, [self()]), receive B when is_binary(B) -> lists:usort(binary_to_list(B)) end",
    gives: '"A"',
    megabytes: 1,
  },
  {
    what: "a key of one map changed",
    does: 'rpc:call(N, ts, shared, [[#{<<"key">> => 1}, #{<<"key">> => 2}]])',
    gives: '#{<<"key">> => 2}',
  },
  {
    what: "a number beyond 2^53 returned",
    does: "is_float(rpc:call(N, ts, beyond, []))",
    gives: "false",
  },
  {
    what: "a key __proto__",
    does: 'rpc:call(N, ts, plain, [#{<<"__proto__">> => <<"p">>}])',
    gives: '#{<<"__proto__">> => <<"p">>}',
  },
  // Progress and memory.
  {
    what: "90 casts of 1 MB to a server that asks back",
    does: `F = fun F() -> receive {'$gen_call', {P, T}, _} -> P ! {T, ok}, F(); over -> ok end end,
      A = spawn(F), B = binary:copy(<<"b">>, 1000000),
      Before = gen_server:call({busy, N}, count),
      [gen_server:cast({busy, N}, {A, B}) || _ <- lists:seq(1, 90)],
      W = fun W(0) -> late; W(I) -> case gen_server:call({busy, N}, count, 60000) - Before of
        90 -> handled; _ -> timer:sleep(100), W(I - 1) end end,
      Done = W(1200), A ! over, Done`,
    gives: "handled",
    megabytes: 90,
  },
  {
    what: "a flood to a process that never receives",
    does: `B = binary:copy(<<"b">>, 1000000), [{deaf, N} ! B || _ <- lists:seq(1, 150)], ${asked("rpc:call(N, ts, echo, [here])")}`,
    gives: "here",
    megabytes: 150,
  },
  {
    what: "ten million nils to nobody",
    does: "{nobody, N} ! lists:duplicate(10000000, []), ok",
    gives: "ok",
    megabytes: 10,
  },
  {
    what: "ten million nils to a process",
    does: "{deaf, N} ! lists:duplicate(10000000, []), ok",
    gives: "ok",
    megabytes: 10,
  },
  {
    what: "a compressed term of 30 million nils, to nobody and then to a service",
    by: async (node) => {
      await using peer = await plainPeer(node);
      const nils = Buffer.alloc(30_000_006, 106);
      nils.set([108, 1, 0xc9, 0xc3, 0x80]);
      const head = Buffer.of(131, 80, 0, 0, 0, 0);
      head.writeUInt32BE(nils.length, 2);
      const payload = Buffer.concat([head, deflateSync(nils)]);
      // What is for nobody is not looked at, by no release; no term in a frame is compressed.
      peer.sayFrame(message(tuple(6, PEER_PID, atom(""), atom("nobody")), payload));
      peer.sayFrame(message(tuple(6, PEER_PID, atom(""), atom("rex")), payload));
      await within(peer.closed, 60_000, "the node to cut it off");
    },
  },
  {
    what: "a thousand messages begun in fragments and left",
    by: async (node) => {
      await using peer = await connectBare(node.name);
      const control = encode(tuple(6, PEER_PID, atom(""), atom("nobody"))).subarray(1);
      for (let id = 1; id <= 1000; id++) {
        const head = Buffer.alloc(19);
        head.set([131, 69]);
        head.writeBigUInt64BE(BigInt(id), 2);
        head.writeBigUInt64BE(1_000_000n, 10);
        peer.sayFrame(Buffer.concat([head, control, Buffer.alloc(10_000, 109)]));
      }
    },
    megabytes: 10,
  },
  {
    what: "ten thousand requests of a peer that does not read",
    by: async (node) => {
      await using peer = await plainPeer(node);
      const request = message(
        tuple(6, PEER_PID, atom(""), atom("rex")),
        encode(
          tuple(
            PEER_PID,
            tuple(atom("call"), atom("ts"), atom("echo"), [Buffer.alloc(1000)], atom("user")),
          ),
        ),
      );
      for (let i = 0; i < 10_000; i++) peer.sayFrame(request);
    },
    megabytes: 10,
  },
  {
    what: "a heavy format: ~1000000c",
    does: toUser('io_lib, format, ["~1000000c", [$a]]'),
    gives: "answered",
    megabytes: 1,
  },
  {
    what: "a heavy format: ~.1000000f",
    does: toUser('io_lib, format, ["~.1000000f", [1.5]]'),
    gives: "answered",
    megabytes: 1,
  },
  {
    what: "a heavy format: an integer of 500 kB",
    does: toUser('io_lib, format, ["~w", [1 bsl 4000000]]'),
    gives: "answered",
    megabytes: 3,
  },
  {
    what: "4 MB of Latin-1 text",
    does: toUser("lists:duplicate(4000000, 228)"),
    gives: "answered",
    megabytes: 8,
  },
  {
    what: "20,000 global locks of a process that ends",
    does: `P = spawn(fun() -> receive over -> ok end end),
      [{global_name_server, N} ! {'$gen_call', {P, make_ref()}, {set_lock, {{lock, I}, P}}} || I <- lists:seq(1, 20000)],
      gen_server:call({global_name_server, N}, get_known), P ! over, gen_server:call({global_name_server, N}, get_known)`,
    gives: "[]",
    megabytes: 3,
  },
  // Services and bookkeeping.
  {
    what: "100 locks on improper lists",
    does: `[gen_server:call({global_name_server, N}, {set_lock, {[a | I], self()}}) || I <- lists:seq(1, 100)] =:= lists:duplicate(100, true)`,
    gives: "true",
  },
  {
    what: "100 improper lists stored in kvs",
    does: "lists:usort([rpc:call(N, kvs, store, [[a | I], I]) || I <- lists:seq(1, 100)])",
    gives: "[true]",
  },
  ...["rex", "net_kernel", "global_name_server", "user"].map(
    (name): Row => ({
      what: `an exit signal to ${name}`,
      does: `case rpc:call(N, erlang, whereis, [${name}]) of P when is_pid(P) -> exit(P, kill), ok; Other -> Other end`,
      gives: "ok",
    }),
  ),
  {
    what: "monitors of two peers with one reference",
    by: async (node, session) => {
      await using one = await plainPeer(node);
      await using other = await plainPeer(node);
      const victim = decode(await session.evalBytes("V = rpc:call(N, ts, victim, [])")) as Pid;
      for (const peer of [one, other]) {
        const from = new Pid(peer.name, 1, 0, 7);
        peer.sayFrame(message(tuple(19, from, victim, new Reference("shared@vm", 7, [1, 2, 3]))));
        await answers(peer);
        peer.received = Buffer.alloc(0);
      }
      await session.eval("exit(V, kill)");
      for (const peer of [one, other]) await waitUntil(() => peer.received.length > 8);
    },
  },
  {
    what: "500 half-open handshakes",
    by: async (node) => {
      const sockets = Array.from({ length: 500 }, () =>
        connect(node.tcpPort, "127.0.0.1").on("error", () => {}),
      );
      await waitUntil(() => sockets.every((socket) => !socket.connecting));
      for (const socket of sockets) socket.destroy();
    },
  },
];

const PEER_PID = new Pid("peer@vm", 1, 0, 7);
const PLAIN_FLAGS = OFFERED_FLAGS & ~DFLAG.DIST_HDR_ATOM_CACHE & ~DFLAG.FRAGMENTS;

/** A peer whose frames have no headers. */
function plainPeer(node: RunningNode): Promise<BarePeer> {
  return connectBare(node.name, { flags: PLAIN_FLAGS });
}

/** The body of a frame without a header. */
function message(control: TermInput, payload: Uint8Array = new Uint8Array()): Buffer {
  return Buffer.concat([Buffer.of(112), encode(control), payload]);
}

/** Waits until the node has answered this peer: it has read what came before, and did not mind. */
async function answers(peer: BarePeer): Promise<void> {
  const from = new Pid(peer.name, 1, 0, 7);
  const before = peer.received.length;
  const call = tuple(
    atom("$gen_call"),
    tuple(from, new Reference(peer.name, 7, [1])),
    atom("get_known"),
  );
  peer.sayFrame(message(tuple(6, from, atom(""), atom("global_name_server")), encode(call)));
  // A tick has four bytes.
  await waitUntil(() => peer.received.length > before + 8, {
    description: "an answer to the peer",
  });
}

const SERVICES: readonly (readonly [string, string])[] = [
  ["rex", "rpc:call(N, ts, echo, [here]) =:= here"],
  ["rex itself", "gen_server:call({rex, N}, {call, ts, echo, [here], user}) =:= here"],
  ["net_kernel", "net_adm:ping(N) =:= pong"],
  ["global_name_server", "gen_server:call({global_name_server, N}, get_known) =:= []"],
  ["user", `${toUser('"here"')} =:= answered`],
  ["kvs", "rpc:call(N, kvs, lookup, [nothing_here]) =:= undefined"],
];

/**
 * The milliseconds that calls take, one after the other: so many, and then until it is over. Median and
 * longest, of calls to the node, of what it worked from one to the next, and of calls to the quiet one.
 */
const TIMED = `fun(Count, Over) ->
  Time = fun(Node) -> {T, Cpu} = timer:tc(rpc, call, [Node, ts, cpu, [], 60000]), {T / 1000, Cpu / 1000} end,
  F = fun F(0, Done) -> case Over() of true -> Done; false -> F(1, Done) end;
          F(I, Done) -> {T, Cpu} = Time(N), {Q, _} = Time(Quiet), timer:sleep(2), F(I - 1, [{T, Cpu, Q} | Done]) end,
  {Ts, Cpus, Qs} = lists:unzip3(F(Count, [])),
  Work = lists:zipwith(fun(After, Before) -> After - Before end, lists:droplast(Cpus), tl(Cpus)),
  [[lists:nth(length(L) div 2 + 1, lists:sort(L)), lists:max(L)] || L <- [Ts, Work, Qs]]
end`;

interface Times {
  readonly median: number;
  readonly longest: number;
}

eachOtp((otp) => {
  let attacker: OtpNode;
  let other: OtpNode;
  let node: RunningNode;
  /** Gets calls alone. */
  let quiet: RunningNode;
  let session: OtpSession;
  let calls: OtpSession;
  /** Whether the last row left everything as it was. */
  let sound = true;
  const begin = async (): Promise<void> => {
    node = await startTrustedProgram();
    session = attacker.session();
    calls = other.session();
    for (const each of [session, calls])
      await each.eval(`N = '${node.name}', pong = net_adm:ping(N)`);
    await calls.eval(`Quiet = '${quiet.name}', pong = net_adm:ping(Quiet), Timed = ${TIMED}, ok`);
    await session.eval("true = monitor_node(N, true)");
  };
  beforeAll(async () => {
    const args = ["-kernel", "prevent_overlapping_partitions", "false"];
    [attacker, other] = await Promise.all([
      startOtpNode({ otp, args }),
      startOtpNode({ otp, args }),
    ]);
    quiet = await startTrustedProgram();
    await begin();
  });
  // If a row has broken something, the next gets a new node.
  beforeEach(async () => {
    if (!sound) {
      await node[Symbol.asyncDispose]();
      await begin();
    }
    sound = false;
    await session.eval(`(fun F() -> receive _ -> F() after 0 -> ok end end)(),
      rpc:call(N, ts, deaf, []), true = monitor_node(N, true)`);
  });
  afterAll(async () => {
    for (const each of [node, quiet]) await each[Symbol.asyncDispose]();
    for (const each of [attacker, other]) await each.kill();
  });

  const timed = async (over: string): Promise<Times & { readonly atQuiet: Times }> => {
    const text = await calls.eval(`Timed(${CALLS}, ${over})`, { timeoutMs: 300_000 });
    const [took, worked, quietly] = JSON.parse(text) as [number, number][];
    const [median, longest] = took!;
    return {
      median,
      longest: Math.min(longest, Math.max(worked![1], longest / 10)),
      atQuiet: { median: quietly![0], longest: quietly![1] },
    };
  };

  const send = async (row: Row): Promise<void> => {
    await row.by?.(node, session);
    if (row.does === undefined) return;
    // In a fun, since a session keeps its variables.
    const text = `(fun() -> ${row.does} end)()`;
    expect(await session.eval(text, { timeoutMs: 240_000 })).toBe(row.gives);
  };

  it.each(ROWS)("$what", async (row) => {
    for (let attempt = 1; ; attempt++) {
      const usual = await timed("fun() -> true end");
      const flag = await calls.eval("persistent_term:put(over, atomics:new(1, [])), ok");
      expect(flag).toBe("ok");
      const beside = timed("fun() -> atomics:get(persistent_term:get(over), 1) =:= 1 end");
      beside.catch(() => {});
      try {
        await send(row);
      } finally {
        await other.eval("atomics:put(persistent_term:get(over), 1, 1)");
      }
      expect(await session.eval("receive {nodedown, N} -> nodedown after 0 -> up end")).toBe("up");
      for (const [name, call] of SERVICES) {
        await waitUntil(async () => (await session.eval(`catch ${call}`)) === "true", {
          description: `${name} to answer`,
        });
      }
      const { median, longest, atQuiet } = await beside;
      const fast = median <= TIMES * Math.max(usual.median, atQuiet.median, TOO_SHORT_MS);
      const soon =
        longest <=
        Math.max(
          TIMES * Math.max(usual.longest, atQuiet.longest),
          LONGEST_MS + LONGEST_A_MEGABYTE_MS * (row.megabytes ?? 0),
        );
      if (fast && soon) {
        sound = true;
        return;
      }
      if (attempt < ATTEMPTS) continue;
      expect.fail(
        `calls took ${median} ms, at most ${longest}; before ${usual.median}, at most ${usual.longest}; ` +
          `to a quiet node ${atQuiet.median}, at most ${atQuiet.longest}`,
      );
    }
  });
});
