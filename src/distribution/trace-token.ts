/**
 * Trace tokens: what the control messages whose names end in `_TT`, and ALTACT_SIG_SEND with the flag
 * TOKEN, carry beside their message.
 *
 * Spec: erl_dist_protocol names the messages; what a token is only the runtime says (`seq_trace`):
 *
 *   {Flags, Label, Serial, Sender, Previous}
 *
 * Flags: 1 send, 2 receive, 4 print, 8 timestamp. Label: any term, from OTP 21 on. Serial counts
 * messages of the trace; Previous is the serial of the one that this one followed.
 */
import {
  atomTerm,
  isAtom,
  isPid,
  isTuple,
  type Pid,
  type Term,
  type Tuple,
  tuple,
} from "../../etf/index.ts";
import {
  ALTACT_FLAG,
  altactFlags,
  CONTROL,
  type ControlMessage,
  type ControlName,
} from "./control.ts";

export type TraceToken = Tuple<
  readonly [flags: number, label: Term, serial: number, sender: Pid, previous: number]
>;

/** Largest integer that every runtime holds without allocating: serials and old labels are such. */
const MAX_SMALL = 2 ** 59 - 1;

const isCount = (term: Term | undefined): term is number =>
  typeof term === "number" && term >= 0 && term <= MAX_SMALL;

export function isTraceToken(term: Term): term is TraceToken & Term {
  return (
    isTuple(term, 5) && isCount(term[0]) && isCount(term[2]) && isPid(term[3]) && isCount(term[4])
  );
}

/** True for a token that a peer without BIG_SEQTRACE_LABELS can read. */
export function hasSmallLabel(token: TraceToken): boolean {
  return isCount(token[1]);
}

/** The token of the next message of the trace, the `serial`th, from a process that goes on with it. */
export function nextTraceToken(token: TraceToken, sender: Pid, serial: number): TraceToken {
  const [flags, label, previous] = token;
  return tuple(flags, label, serial, sender, previous);
}

/** A control message that carries a token, and whom it concerns, as far as it says. */
export interface TokenCarried {
  readonly control: ControlName;
  readonly from: Pid | undefined;
  readonly to: Term | undefined;
  readonly token: Term;
}

interface Places {
  readonly control: ControlName;
  readonly from: number;
  readonly to: number;
  readonly token: number;
}

/** Where in a control message of that operation they are; 0 for nowhere. */
const PLACES: (Places | undefined)[] = [];
for (const [control, { op, fields }] of Object.entries(CONTROL)) {
  const place = (...names: readonly string[]): number =>
    fields.findIndex((field) => names.includes(field)) + 1;
  const token = place("traceToken");
  if (token === 0) continue;
  const places = { from: place("fromPid"), to: place("toPid", "toName", "alias"), token };
  PLACES[op] = { control: control as ControlName, ...places };
}
const ALTACT: Places = { control: "ALTACT_SIG_SEND", from: 2, to: 3, token: 4 };

/** What a field is as a term: names among them are atoms, `true` and `false` too. */
function nameTerm(field: Term): Term {
  return isAtom(field) ? atomTerm(field) : field;
}

/** The token of a control message that carries one. */
export function tokenCarried(message: ControlMessage): TokenCarried | undefined {
  const [op, flags] = message;
  const places =
    op === CONTROL.ALTACT_SIG_SEND.op &&
    (altactFlags(flags as number | bigint) & ALTACT_FLAG.TOKEN) !== 0
      ? ALTACT
      : PLACES[op];
  if (places === undefined) return undefined;
  const { control, from, to, token } = places;
  const terms = message as readonly Term[];
  return {
    control,
    from: isPid(terms[from]!) ? terms[from] : undefined,
    to: to === 0 ? undefined : nameTerm(terms[to]!),
    token: terms[token]!,
  };
}
