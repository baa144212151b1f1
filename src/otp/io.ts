/**
 * An I/O device: the process that is a group leader, to which code prints, here or on another node.
 *
 * Spec: stdlib, "The Erlang I/O Protocol". As Erlang terms:
 *   {io_request, From, ReplyAs, Request} -> {io_reply, ReplyAs, Reply} to From
 *   Request: {put_chars, Encoding, Chars}, {put_chars, Encoding, M, F, Args}, both without Encoding
 *   too (latin1), {requests, Requests}, getopts, {setopts, Opts}, {get_geometry, _}
 * Of module, function and arguments only the printing functions of io_lib are known. There is no
 * input yet: whatever asks for some gets `eof`.
 */
import {
  type Atom,
  atom,
  isAtom,
  isList,
  isPid,
  isTuple,
  type Pid,
  type Term,
  tuple,
} from "../../etf/index.ts";
import type { NodeCore } from "../node/node.ts";
import { type Process, READY } from "../node/process.ts";
import { chardataToText, ioLibCall } from "./io-lib.ts";

/** Takes printed text. */
export type TextSink = (text: string) => void;

const IO_REQUEST: Atom<"io_request"> = atom("io_request");
const IO_REPLY: Atom<"io_reply"> = atom("io_reply");
const OK: Atom<"ok"> = atom("ok");
const EOF: Atom<"eof"> = atom("eof");
const ERROR: Atom<"error"> = atom("error");
const REQUEST: Atom<"request"> = atom("request");
const REQUESTS: Atom<"requests"> = atom("requests");
const ENOTSUP: Atom<"enotsup"> = atom("enotsup");
const LATIN1: Atom<"latin1"> = atom("latin1");
const UNICODE: Atom<"unicode"> = atom("unicode");

/** Starts a device that prints to `sink` and makes it the node's group leader, named `user`. */
export function serveUser(node: NodeCore, sink: TextSink): Process {
  const device = node.spawnService({
    message(message, self) {
      if (!isTuple(message, 4) || message[0] !== IO_REQUEST || !isPid(message[1])) return READY;
      const [, from, replyAs, request] = message as readonly Term[] as [Term, Pid, Term, Term];
      return self.reply(from, tuple(IO_REPLY, replyAs, handle(request, sink)));
    },
  });
  device.register("user");
  device.groupLeader = device.pid;
  node.groupLeader = device.pid;
  return device;
}

/**
 * Carries a request out, or a list of them; returns the reply. The first that fails ends the list;
 * its reply, or the last one's, is the answer.
 */
function handle(request: Term, sink: TextSink): Term {
  let reply: Term = OK;
  const pending = [request];
  while (pending.length > 0) {
    const next = pending.pop() as Term;
    if (isTuple(next, 2) && next[0] === REQUESTS) {
      const requests = next[1] as Term;
      if (!isList(requests)) return failed(REQUEST);
      for (let index = requests.length - 1; index >= 0; index--) {
        pending.push(requests[index] as Term);
      }
      continue;
    }
    reply = single(next, sink);
    if (isTuple(reply) && reply[0] === ERROR) break;
  }
  return reply;
}

function single(request: Term, sink: TextSink): Term {
  if (isAtom(request, "getopts")) {
    return [tuple(atom("binary"), false), tuple(atom("encoding"), UNICODE)];
  }
  if (!isTuple(request)) return failed(REQUEST);
  const [kind, ...rest] = request as readonly Term[];
  switch (isAtom(kind) ? kind.name : "") {
    case "put_chars":
      return putChars(rest, sink);
    case "setopts":
    case "get_geometry":
      return failed(ENOTSUP);
    case "get_line":
    case "get_chars":
    case "get_until":
    case "get_password":
      return EOF;
    default:
      return failed(REQUEST);
  }
}

function putChars(fields: readonly Term[], sink: TextSink): Term {
  // Without an encoding the request is of the time before Unicode.
  const named = fields.length === 2 || fields.length === 4;
  const encoding = named ? fields[0] : LATIN1;
  const [chars, name, args] = named ? fields.slice(1) : fields;
  if ((encoding !== UNICODE && encoding !== LATIN1) || chars === undefined) return failed(REQUEST);
  const text =
    name === undefined
      ? chardataToText(chars, encoding === LATIN1)
      : ioLibCall(chars, name, args ?? []);
  if (text === undefined) {
    return failed(tuple(atom("put_chars"), encoding, chars));
  }
  sink(text);
  return OK;
}

function failed(reason: Term): Term {
  return tuple(ERROR, reason);
}
