/**
 * Odd control messages of a peer, and whether OTP releases keep the connection after them: one table for
 * erldist's nodes and for Erlang nodes. Left out is what kills the emulator of some release: exit signals in
 * the name of its own processes, and trace tokens that are neither a tuple nor `[]`.
 */
import {
  atom,
  charlist,
  Float,
  ImproperList,
  Pid,
  Port,
  Reference,
  type TermInput,
  tuple,
} from "../../etf/index.ts";

/** The processes and identifiers on the node under test and on the peer. */
export interface Ends {
  /** The peer's node. */
  me: string;
  /** A process that traps exits and is registered as `sink`. */
  sink: Pid;
  /** A process that has ended. */
  dead: Pid;
  /** A reference of the node that is not an alias. */
  ref: Reference;
  port: Port;
}

export interface OddControl {
  name: string;
  /** Control messages sent before it, without payloads. */
  before?: TermInput[];
  control: TermInput;
  payload?: TermInput;
  /** The release from which the connection is kept; Infinity if none keeps it. */
  keptFrom: number;
}

const ALL = 0;
const NONE = Number.POSITIVE_INFINITY;
const FOREIGN = "frodo@elsewhere";

export function oddControls({ me, sink, dead, ref, port }: Ends): OddControl[] {
  const rows: OddControl[] = [];
  const row = (keptFrom: number, name: string, control: TermInput[], payload?: TermInput): void => {
    const one = { name, control: tuple(...control), keptFrom };
    rows.push(payload === undefined ? one : { ...one, payload });
  };
  const mine = new Pid(me, 1, 0, 7);
  const myOther = new Pid(me, 2, 0, 7);
  const myOld = new Pid(me, 1, 0, 6);
  const myPort = new Port(me, 5, 7);
  const myRef = new Reference(me, 7, [1, 2, 3]);
  const foreign = new Pid(FOREIGN, 1, 0, 7);
  const foreignRef = new Reference(FOREIGN, 7, [1, 2, 3]);
  const formerSink = new Pid(sink.node, sink.id, sink.serial, sink.creation ^ 0x55);
  const [a, none, hi, sinkName] = [atom("a"), atom(""), atom("hi"), atom("sink")];

  for (const op of [0, 5, 9, 10, 17, 38, 255, 1000, -1, 2n ** 64n, a, new Float(1), hi]) {
    row(NONE, `operation ${String(op)}`, [op, mine, sink]);
  }
  row(NONE, "the empty tuple", []);
  rows.push({ name: "an atom", control: a, keptFrom: NONE });
  rows.push({ name: "a list", control: [1, mine, sink], keptFrom: NONE });

  row(NONE, "LINK with few fields", [1, mine]);
  row(NONE, "LINK with many fields", [1, mine, sink, a]);
  row(ALL, "LINK with a payload", [1, mine, sink], hi);
  for (const from of [a, myPort, foreign, sink]) row(NONE, `LINK from ${from}`, [1, from, sink]);
  row(ALL, "LINK from an earlier node", [1, myOld, sink]);
  for (const to of [sinkName, 1, ref, port, dead, formerSink]) {
    row(ALL, `LINK to ${to}`, [1, mine, to]);
  }
  for (const to of [foreign, myOther]) row(NONE, `LINK to ${to}`, [1, mine, to]);

  for (const [op, name] of [
    [4, "UNLINK"],
    [35, "UNLINK_ID"],
    [36, "UNLINK_ID_ACK"],
  ] as const) {
    const id = op === 4 ? [] : [5];
    // Later releases forbid UNLINK to nodes that have UNLINK_ID; it is older nodes that say it.
    const known = op === 4 ? ALL : 24;
    if (op !== 4) row(known, name, [op, 5, mine, sink]);
    row(NONE, `${name} with many fields`, [op, ...id, mine, sink, 1]);
    for (const from of [foreign, sink, myPort, a]) {
      row(NONE, `${name} from ${from}`, [op, ...id, from, sink]);
    }
    for (const to of [foreign, sinkName, formerSink, myOther]) {
      row(NONE, `${name} to ${to}`, [op, ...id, mine, to]);
    }
    if (op === 4) continue;
    row(known, `${name} to a dead process`, [op, 5, mine, dead]);
    row(known, `${name} 2^64 - 1`, [op, 2n ** 64n - 1n, mine, sink]);
    for (const bad of [-1, 2n ** 64n, a, new Float(1)]) {
      row(NONE, `${name} ${String(bad)}`, [op, bad, mine, sink]);
    }
    row(op === 36 ? known : NONE, `${name} 0`, [op, 0, mine, sink]);
  }

  row(ALL, "SEND with another cookie", [2, 3, sink], hi);
  row(NONE, "SEND with few fields", [2, sink], hi);
  row(NONE, "SEND with many fields", [2, none, sink, a], hi);
  for (const to of [foreign, myOther, formerSink, dead])
    row(ALL, `SEND to ${to}`, [2, none, to], hi);
  for (const to of [sinkName, port, 1, ref]) row(NONE, `SEND to ${to}`, [2, none, to], hi);
  for (const from of [foreign, sink])
    row(ALL, `REG_SEND from ${from}`, [6, from, none, sinkName], hi);
  for (const from of [a, 1, myPort])
    row(NONE, `REG_SEND from ${from}`, [6, from, none, sinkName], hi);
  for (const to of [none, atom("undefined"), atom("nobody")]) {
    row(ALL, `REG_SEND to ${to}`, [6, mine, none, to], hi);
  }
  for (const to of [sink, 1, ref, tuple(sinkName, a)]) {
    row(NONE, `REG_SEND to ${to}`, [6, mine, none, to], hi);
  }
  row(NONE, "REG_SEND with few fields", [6, mine, sinkName], hi);
  row(NONE, "REG_SEND with many fields", [6, mine, none, sinkName, 1], hi);
  for (const from of [foreign, sink, a, 1])
    row(ALL, `SEND_SENDER from ${from}`, [22, from, sink], hi);
  row(ALL, "SEND_SENDER to a foreign process", [22, mine, foreign], hi);
  for (const to of [sinkName, port]) row(NONE, `SEND_SENDER to ${to}`, [22, mine, to], hi);
  row(NONE, "SEND_SENDER with many fields", [22, mine, sink, 1], hi);
  for (const token of [[], tuple(1, 2, 3, 4), tuple(a, a, a, a, a)]) {
    row(ALL, `SEND_TT with token ${String(token)}`, [12, none, sink, token], hi);
  }
  row(NONE, "SEND_TT without a token", [12, none, sink], hi);

  for (const from of [mine, foreign, a, 1, sink])
    row(24, `ALIAS_SEND from ${from}`, [33, from, ref], hi);
  for (const to of [foreignRef, myRef]) row(24, `ALIAS_SEND to ${to}`, [33, mine, to], hi);
  row(NONE, "ALIAS_SEND to a process", [33, mine, sink], hi);
  row(NONE, "ALIAS_SEND with many fields", [33, mine, ref, 1], hi);

  for (const [op, name] of [
    [3, "EXIT"],
    [8, "EXIT2"],
    [24, "PAYLOAD_EXIT"],
    [26, "PAYLOAD_EXIT2"],
  ] as const) {
    const exit = (keptFrom: number, what: string, from: TermInput, to: TermInput): void => {
      if (op < 9) row(keptFrom, `${name} ${what}`, [op, from, to, hi]);
      else row(keptFrom, `${name} ${what}`, [op, from, to], hi);
    };
    exit(ALL, "to a process", mine, sink);
    exit(ALL, "from an earlier node", myOld, sink);
    exit(ALL, "to a dead process", mine, dead);
    for (const from of [a, foreign, myPort]) exit(NONE, `from ${from}`, from, sink);
    for (const to of [sinkName, foreign, myOther, port]) exit(NONE, `to ${to}`, mine, to);
    // To an earlier life of this node.
    exit(op === 8 || op === 26 ? ALL : NONE, "to an earlier node's", mine, formerSink);
    row(NONE, `${name} with many fields`, [op, mine, sink, hi, a], hi);
  }
  row(NONE, "EXIT without a reason", [3, mine, sink]);
  row(ALL, "EXIT with a payload", [3, mine, sink, hi], a);

  for (const gl of [mine, foreign, sink]) row(ALL, `GROUP_LEADER ${gl}`, [7, gl, sink]);
  for (const gl of [a, myPort]) row(NONE, `GROUP_LEADER ${gl}`, [7, gl, sink]);
  for (const to of [foreign, dead, formerSink, myOther]) {
    row(ALL, `GROUP_LEADER to ${to}`, [7, mine, to]);
  }
  for (const to of [sinkName, port]) row(NONE, `GROUP_LEADER to ${to}`, [7, mine, to]);
  row(NONE, "GROUP_LEADER with few fields", [7, mine]);
  row(NONE, "GROUP_LEADER with many fields", [7, mine, sink, 1]);

  for (const [op, name] of [
    [19, "MONITOR_P"],
    [20, "DEMONITOR_P"],
  ] as const) {
    for (const to of [sink, sinkName, atom("nobody"), atom("undefined"), dead, formerSink]) {
      row(ALL, `${name} of ${to}`, [op, mine, to, myRef]);
    }
    for (const to of [foreign, myOther, 1, port])
      row(NONE, `${name} of ${to}`, [op, mine, to, myRef]);
    for (const from of [foreign, sink, a, myPort]) {
      row(NONE, `${name} from ${from}`, [op, from, sink, myRef]);
    }
    for (const by of [foreignRef, ref, new Reference(me, 6, [1])]) {
      row(ALL, `${name} by ${by}`, [op, mine, sink, by]);
    }
    row(NONE, `${name} by an atom`, [op, mine, sink, a]);
    row(NONE, `${name} with few fields`, [op, mine, sink]);
    row(NONE, `${name} with many fields`, [op, mine, sink, myRef, 1]);
  }
  rows.push({
    name: "MONITOR_P twice",
    before: [tuple(19, mine, sink, myRef)],
    control: tuple(19, mine, sink, myRef),
    keptFrom: ALL,
  });

  for (const [op, name] of [
    [21, "MONITOR_P_EXIT"],
    [28, "PAYLOAD_MONITOR_P_EXIT"],
  ] as const) {
    const down = (
      keptFrom: number,
      what: string,
      from: TermInput,
      to: TermInput,
      by: TermInput,
    ) => {
      if (op === 21) row(keptFrom, `${name} ${what}`, [op, from, to, by, hi]);
      else row(keptFrom, `${name} ${what}`, [op, from, to, by], hi);
    };
    for (const from of [mine, a, foreign]) down(ALL, `from ${from}`, from, sink, ref);
    for (const to of [dead, formerSink]) down(ALL, `to ${to}`, mine, to, ref);
    for (const to of [foreign, myOther, sinkName]) down(NONE, `to ${to}`, mine, to, ref);
    down(NONE, "from a number", 1, sink, ref);
    down(NONE, "from a process of the node", sink, sink, ref);
    down(ALL, "by a foreign reference", mine, sink, foreignRef);
    down(NONE, "by an atom", mine, sink, a);
    row(NONE, `${name} with few fields`, [op, mine, sink], hi);
    row(NONE, `${name} with many fields`, [op, mine, sink, ref, hi, a], hi);
  }

  // Only between OTP 28 and later.
  const altact = (
    keptFrom: number,
    flags: TermInput,
    from: TermInput,
    to: TermInput,
    ...more: TermInput[]
  ) =>
    row(
      keptFrom,
      `ALTACT_SIG_SEND ${String(flags)} from ${from} to ${to}`,
      [37, flags, from, to, ...more],
      hi,
    );
  for (const flags of [0, 32, 256, 2n ** 32n, 2n ** 64n, 16]) altact(28, flags, mine, sink);
  for (const to of [foreign, formerSink]) altact(28, 0, mine, to);
  altact(28, 16, mine, foreign);
  for (const from of [foreign, mine]) {
    altact(28, 0, from, sink, 1, 2);
    altact(28, 16, from, sink);
  }
  altact(28, 8, mine, sinkName);
  altact(28, 24, mine, sinkName);
  altact(28, 4, mine, foreignRef);
  for (const flags of [-1, a, 4, 8, 2]) altact(NONE, flags, mine, sink);
  for (const from of [a, 1]) {
    altact(NONE, 0, from, sink);
    altact(NONE, 16, from, sink);
  }
  for (const to of [sinkName, port, ref]) altact(NONE, 0, mine, to);
  altact(NONE, 12, mine, ref);
  altact(NONE, 16, mine, port);

  const mfa = tuple(atom("erlang"), atom("is_atom"), 1);
  const spawn = (
    keptFrom: number,
    name: string,
    fields: {
      ref?: TermInput;
      from?: TermInput;
      gl?: TermInput;
      mfa?: TermInput;
      options?: TermInput;
    },
    args: TermInput = [a],
  ): void => {
    const { ref: by = myRef, from = mine, gl = mine, mfa: run = mfa, options = [] } = fields;
    row(keptFrom, `SPAWN_REQUEST ${name}`, [29, by, from, gl, run, options], args);
  };
  spawn(ALL, "as it should be", {});
  spawn(ALL, "from a foreign process", { from: foreign });
  for (const from of [a, sink]) spawn(NONE, `from ${from}`, { from });
  spawn(ALL, "by a foreign reference", { ref: foreignRef });
  for (const by of [a, ref]) spawn(NONE, `by ${by}`, { ref: by });
  for (const gl of [foreign, sink]) spawn(ALL, `with group leader ${gl}`, { gl });
  spawn(NONE, "with an atom for a group leader", { gl: a });
  for (const bad of [
    a,
    tuple(a, a),
    tuple(1, a, 1),
    tuple(a, 1, 1),
    tuple(a, a, a),
    tuple(a, a, 1, 1),
  ]) {
    spawn(NONE, `of ${bad}`, { mfa: bad });
  }
  for (const arity of [-1, 3, 256, 2 ** 40]) {
    spawn(ALL, `of arity ${arity}`, { mfa: tuple(atom("erlang"), atom("is_atom"), arity) });
  }
  const oddOptions: TermInput[] = [
    a,
    new ImproperList([atom("link")], a),
    [a],
    [tuple(a, 1)],
    [1],
    charlist("ab"),
    [tuple(atom("priority"), a)],
    [tuple(atom("name"), sinkName)],
    [tuple(atom("name"), atom("undefined"))],
    [tuple(atom("name"), 1)],
    [tuple(atom("monitor"), [])],
    [tuple(atom("reply"), atom("no"))],
    [tuple(atom("min_heap_size"), a)],
  ];
  for (const [index, options] of oddOptions.entries()) {
    spawn(ALL, `with odd options, ${index}`, { options });
  }
  for (const args of [a, new ImproperList([a], a), [a, a], tuple(a)]) {
    spawn(ALL, `with arguments ${String(args)}`, {}, args);
  }
  row(NONE, "SPAWN_REQUEST with few fields", [29, myRef, mine, mine, mfa], [a]);
  row(NONE, "SPAWN_REQUEST with many fields", [29, myRef, mine, mine, mfa, [], 1], [a]);

  const reply = (keptFrom: number, name: string, ...fields: TermInput[]): void =>
    row(keptFrom, `SPAWN_REPLY ${name}`, [31, ...fields]);
  for (const flags of [0, 1, 3, 255]) reply(ALL, `with flags ${flags}`, ref, sink, flags, mine);
  for (const flags of [a, -1, 2n ** 64n])
    reply(NONE, `with flags ${String(flags)}`, ref, sink, flags, mine);
  for (const by of [foreignRef, a]) reply(NONE, `by ${by}`, by, sink, 0, mine);
  for (const to of [foreign, sinkName]) reply(NONE, `to ${to}`, ref, to, 0, mine);
  for (const result of [a, foreign]) reply(ALL, `with ${result}`, ref, sink, 0, result);
  reply(NONE, "with a number", ref, sink, 0, 1);
  reply(ALL, "to a dead process", ref, dead, 0, mine);
  reply(NONE, "with few fields", ref, sink, 0);
  reply(NONE, "with many fields", ref, sink, 0, mine, 1);
  return rows;
}
