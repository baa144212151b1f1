/**
 * Control messages: the first term of every frame between connected nodes, a tuple that begins
 * with an operation number; some operations are followed by a second term, the payload.
 *
 * Spec: erl_dist_protocol, "Protocol between Connected Nodes". One table; the types and the
 * check of what a peer sends come from it. Obsolete NODE_LINK (5) is left out: no release from
 * OTP 23 on sends it.
 */
import type { Atom, Pid, Reference, Term } from "../../etf/index.ts";
import { atomOf, isAtom, isList, isPid, isReference, isTuple, Tuple } from "../../etf/index.ts";
import { DistProtocolError } from "./errors.ts";
import { DFLAG } from "./flags.ts";

/** A function as a peer names it, `{Module, Function, Arity}`; the elements are not checked. */
export type Mfa = Tuple<readonly [module: Term, function: Term, arity: Term]>;

/** What may stand in a field, by the field's name in the specification. */
interface FieldTypes {
  fromPid: Pid;
  toPid: Pid;
  /** A pid, or the registered name a monitor was set on. */
  fromProc: Pid | Atom;
  toProc: Pid | Atom;
  toName: Atom;
  ref: Reference;
  reqId: Reference;
  alias: Reference;
  groupLeader: Pid;
  mfa: Mfa;
  optList: Term[];
  /** An unlink id: 1 to 2^64 - 1. */
  id: number | bigint;
  flags: number;
  /** ALTACT_FLAG bits; a peer may set others, which are ignored. */
  altactFlags: number | bigint;
  reason: Term;
  /** A pid, or what went wrong. */
  result: Pid | Atom;
  traceToken: Term;
  /** Pid, name or alias, as the flags of ALTACT_SIG_SEND say. */
  to: Pid | Atom | Reference;
  /** The cookie's place of old: the empty atom today, ignored. */
  unused: Term;
}

type Field = keyof FieldTypes;

interface ControlRow {
  readonly op: number;
  readonly fields: readonly Field[];
  readonly payload: boolean;
  /**
   * Fields in which the runtime takes any term, other than the type says: it does not look at who sent
   * a message, and answers what it cannot link or spawn with.
   */
  readonly lax?: readonly Field[];
  /** Further elements may follow the fields. */
  readonly open?: true;
  /** The distribution flag that both sides must have set; none for what every peer knows. */
  readonly flag?: bigint;
}

export const CONTROL = {
  LINK: { op: 1, fields: ["fromPid", "toPid"], payload: false, lax: ["toPid"] },
  SEND: { op: 2, fields: ["unused", "toPid"], payload: true },
  EXIT: { op: 3, fields: ["fromPid", "toPid", "reason"], payload: false },
  /** Without an id: only peers that lack UNLINK_ID, before OTP 23.3. */
  UNLINK: { op: 4, fields: ["fromPid", "toPid"], payload: false },
  REG_SEND: { op: 6, fields: ["fromPid", "unused", "toName"], payload: true },
  GROUP_LEADER: { op: 7, fields: ["fromPid", "toPid"], payload: false },
  EXIT2: { op: 8, fields: ["fromPid", "toPid", "reason"], payload: false },
  SEND_TT: { op: 12, fields: ["unused", "toPid", "traceToken"], payload: true },
  EXIT_TT: { op: 13, fields: ["fromPid", "toPid", "traceToken", "reason"], payload: false },
  REG_SEND_TT: { op: 16, fields: ["fromPid", "unused", "toName", "traceToken"], payload: true },
  EXIT2_TT: { op: 18, fields: ["fromPid", "toPid", "traceToken", "reason"], payload: false },
  MONITOR_P: { op: 19, fields: ["fromPid", "toProc", "ref"], payload: false },
  DEMONITOR_P: { op: 20, fields: ["fromPid", "toProc", "ref"], payload: false },
  MONITOR_P_EXIT: { op: 21, fields: ["fromProc", "toPid", "ref", "reason"], payload: false },
  SEND_SENDER: {
    op: 22,
    fields: ["fromPid", "toPid"],
    lax: ["fromPid"],
    payload: true,
    flag: DFLAG.SEND_SENDER,
  },
  SEND_SENDER_TT: {
    op: 23,
    fields: ["fromPid", "toPid", "traceToken"],
    lax: ["fromPid"],
    payload: true,
    flag: DFLAG.SEND_SENDER,
  },
  PAYLOAD_EXIT: { op: 24, fields: ["fromPid", "toPid"], payload: true, flag: DFLAG.EXIT_PAYLOAD },
  PAYLOAD_EXIT_TT: {
    op: 25,
    fields: ["fromPid", "toPid", "traceToken"],
    payload: true,
    flag: DFLAG.EXIT_PAYLOAD,
  },
  PAYLOAD_EXIT2: { op: 26, fields: ["fromPid", "toPid"], payload: true, flag: DFLAG.EXIT_PAYLOAD },
  PAYLOAD_EXIT2_TT: {
    op: 27,
    fields: ["fromPid", "toPid", "traceToken"],
    payload: true,
    flag: DFLAG.EXIT_PAYLOAD,
  },
  PAYLOAD_MONITOR_P_EXIT: {
    op: 28,
    fields: ["fromProc", "toPid", "ref"],
    payload: true,
    flag: DFLAG.EXIT_PAYLOAD,
  },
  SPAWN_REQUEST: {
    op: 29,
    lax: ["optList"],
    fields: ["reqId", "fromPid", "groupLeader", "mfa", "optList"],
    payload: true,
    flag: DFLAG.SPAWN,
  },
  SPAWN_REQUEST_TT: {
    op: 30,
    lax: ["optList"],
    fields: ["reqId", "fromPid", "groupLeader", "mfa", "optList", "traceToken"],
    payload: true,
    flag: DFLAG.SPAWN,
  },
  SPAWN_REPLY: {
    op: 31,
    fields: ["reqId", "toPid", "flags", "result"],
    payload: false,
    flag: DFLAG.SPAWN,
  },
  SPAWN_REPLY_TT: {
    op: 32,
    fields: ["reqId", "toPid", "flags", "result", "traceToken"],
    payload: false,
    flag: DFLAG.SPAWN,
  },
  ALIAS_SEND: {
    op: 33,
    fields: ["fromPid", "alias"],
    lax: ["fromPid"],
    payload: true,
    flag: DFLAG.ALIAS,
  },
  ALIAS_SEND_TT: {
    op: 34,
    fields: ["fromPid", "alias", "traceToken"],
    lax: ["fromPid"],
    payload: true,
    flag: DFLAG.ALIAS,
  },
  UNLINK_ID: { op: 35, fields: ["id", "fromPid", "toPid"], payload: false, flag: DFLAG.UNLINK_ID },
  UNLINK_ID_ACK: {
    op: 36,
    fields: ["id", "fromPid", "toPid"],
    payload: false,
    flag: DFLAG.UNLINK_ID,
  },
  /**
   * A message or an exit signal, as its flags say, to a pid, an alias or a name; with the flag TOKEN
   * a trace token follows. From OTP 28 on between nodes that have ALTACT_SIG: sent for every message
   * to an alias, and for what is to go before others (PRIO). The receiver heeds PRIO only with an
   * alias made with the option `priority`, and takes the signal for an ordinary one otherwise; what
   * is for an alias that is no longer active, or for a name not registered, it drops.
   */
  ALTACT_SIG_SEND: {
    op: 37,
    fields: ["altactFlags", "fromPid", "to"],
    payload: true,
    flag: DFLAG.ALTACT_SIG,
    open: true,
  },
} as const satisfies Record<string, ControlRow>;

export type ControlName = keyof typeof CONTROL;

type FieldTuple<Fields extends readonly Field[]> = {
  -readonly [Index in keyof Fields]: FieldTypes[Fields[Index]];
};

/** The control message of that name as it stands on the wire. */
export type ControlOf<Name extends ControlName> = [
  op: (typeof CONTROL)[Name]["op"],
  ...FieldTuple<(typeof CONTROL)[Name]["fields"]>,
  ...((typeof CONTROL)[Name] extends { readonly open: true } ? Term[] : []),
];

/** Any control message; the operation number tells which. */
export type ControlMessage = { [Name in ControlName]: ControlOf<Name> }[ControlName];

/** SPAWN_REPLY's flags: what the request asked for and now is in force. */
export const SPAWN_REPLY_FLAG = { LINK: 1, MONITOR: 2 } as const;

/** Bits of ALTACT_SIG_SEND's flags. */
export const ALTACT_FLAG = {
  PRIO: 1,
  TOKEN: 2,
  /** `to` is a reference; without it and NAME, a pid. */
  ALIAS: 4,
  NAME: 8,
  /** An exit signal with the payload as its reason; without it, a message. */
  EXIT: 16,
} as const;

/** The bits of ALTACT_FLAG in flags of any size. */
export function altactFlags(flags: number | bigint): number {
  return typeof flags === "number" ? flags % 256 : Number(flags & 0xffn);
}

/** Whether receiver and length of an ALTACT_SIG_SEND are those that its flags announce. */
function isSoundAltact(term: readonly Term[]): boolean {
  const flags = altactFlags(term[1] as number | bigint);
  const to = term[3]!;
  if ((flags & ALTACT_FLAG.TOKEN) !== 0 && term.length < 5) return false;
  if ((flags & ALTACT_FLAG.ALIAS) !== 0) {
    return isReference(to) && (flags & ALTACT_FLAG.NAME) === 0;
  }
  return (flags & ALTACT_FLAG.NAME) !== 0 ? isAtom(to) : isPid(to);
}

const isProc = (term: Term): boolean => isPid(term) || isAtom(term);
const isAnything = (): boolean => true;
const isUnsigned64 = (term: Term): boolean =>
  (typeof term === "number" && term >= 0) ||
  (typeof term === "bigint" && term > 0n && term < 2n ** 64n);

const FIELD_CHECK: { readonly [Name in Field]: (term: Term) => boolean } = {
  fromPid: isPid,
  toPid: isPid,
  fromProc: isProc,
  toProc: isProc,
  toName: isAtom,
  ref: isReference,
  reqId: isReference,
  alias: isReference,
  groupLeader: isPid,
  mfa: (term) => isTuple(term, 3),
  optList: isList,
  id: (term) => term !== 0 && isUnsigned64(term),
  flags: (term) => typeof term === "number" && term >= 0,
  altactFlags: (term) =>
    (typeof term === "number" && term >= 0) || (typeof term === "bigint" && term >= 0n),
  reason: isAnything,
  result: isProc,
  traceToken: isAnything,
  to: (term) => isProc(term) || isReference(term),
  unused: isAnything,
};

interface Checked {
  readonly name: ControlName;
  readonly checks: readonly ((term: Term) => boolean)[];
  readonly fields: readonly Field[];
  readonly payload: boolean;
  readonly open: boolean;
}

function checkOf(row: ControlRow, field: Field): (term: Term) => boolean {
  if (row.lax?.includes(field)) return isAnything;
  // Nothing waits for the acknowledgement of 0.
  return field === "id" && row.op === CONTROL.UNLINK_ID_ACK.op ? isUnsigned64 : FIELD_CHECK[field];
}

const BY_OP: (Checked | undefined)[] = [];
for (const name of Object.keys(CONTROL) as ControlName[]) {
  const row: ControlRow = CONTROL[name];
  const checks = row.fields.map((field) => checkOf(row, field));
  const { fields, payload, open = false } = row;
  BY_OP[row.op] = { name, checks, fields, payload, open };
}

/** The specification's name of an operation number, for messages to people. */
export function controlName(op: number): string {
  return BY_OP[op]?.name ?? `operation ${op}`;
}

/**
 * Checks a decoded term against the table. Names in it are atoms then, also those of processes
 * registered as `true` or `false`.
 * @throws DistProtocolError DIST_CONTROL_UNKNOWN for an operation not in the table,
 *   DIST_CONTROL_MALFORMED for a wrong shape or field.
 */
export function checkControl(term: Term): ControlMessage {
  const op = term instanceof Tuple ? term[0] : undefined;
  if (!(term instanceof Tuple) || typeof op !== "number") {
    throw new DistProtocolError(
      "DIST_CONTROL_MALFORMED",
      "A control message is a tuple that begins with an operation number; the peer sent another term.",
    );
  }
  const row = BY_OP[op];
  if (row === undefined) throw unknownControl(op);
  const checks = row.checks;
  if (term.length !== checks.length + 1 && !(row.open && term.length > checks.length)) {
    throw new DistProtocolError(
      "DIST_CONTROL_MALFORMED",
      `The peer sent ${row.name} with ${term.length - 1} fields where ${checks.length} belong.`,
    );
  }
  for (let index = 0; index < checks.length; index++) {
    if (!checks[index]!(term[index + 1] as Term) && !madeName(term, index + 1, checks[index]!)) {
      throw new DistProtocolError(
        "DIST_CONTROL_MALFORMED",
        `The peer sent ${row.name} with a field ${row.fields[index]} of the wrong type.`,
      );
    }
  }
  if (op === CONTROL.ALTACT_SIG_SEND.op && !isSoundAltact(term as readonly Term[])) {
    throw new DistProtocolError(
      "DIST_CONTROL_MALFORMED",
      `The peer sent ALTACT_SIG_SEND with flags ${String(term[1])}, which its receiver or its length contradicts.`,
    );
  }
  return term as unknown as ControlMessage;
}

/** Puts the atom in the place of `true` or `false` where a name may stand; returns whether it does. */
function madeName(term: Tuple, at: number, check: (term: Term) => boolean): boolean {
  const name = typeof term[at] === "boolean" ? atomOf(term[at]) : undefined;
  if (name === undefined || !check(name)) return false;
  (term as unknown as Term[])[at] = name;
  return true;
}

/** The operations that a peer may not send with these flags: what they need was not negotiated. */
export function notNegotiated(negotiatedFlags: bigint): ReadonlySet<number> {
  const rows: readonly ControlRow[] = Object.values(CONTROL);
  const missing = rows.filter(({ flag = 0n }) => (negotiatedFlags & flag) !== flag);
  return new Set(missing.map(({ op }) => op));
}

export function unknownControl(op: number): DistProtocolError {
  return new DistProtocolError(
    "DIST_CONTROL_UNKNOWN",
    `The peer sent control message ${op}, which was not negotiated or does not exist.`,
  );
}

/** True when a payload follows this control message in its frame. */
export function hasPayload(message: ControlMessage): boolean {
  return BY_OP[message[0]]!.payload;
}
