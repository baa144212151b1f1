/** Which of several control messages a peer gets, by the flags negotiated with it. */
import { describe, expect, test } from "vitest";
import { atom, Pid, Reference, type Term, tuple } from "../../etf/index.ts";
import { ALTACT_FLAG, checkControl, hasPayload } from "../../src/distribution/control.ts";
import * as forms from "../../src/distribution/control-forms.ts";
import { EncodedTerm } from "../../src/distribution/encoded-term.ts";
import { DFLAG } from "../../src/distribution/flags.ts";

const from = new Pid("gandalf@vm", 1, 0, 7);
const to = new Pid("bilbo@vm", 2, 0, 8);
const ref = new Reference("gandalf@vm", 7, [1, 2, 3]);
const name = atom("box");
const OOPS = atom("oops");
const token = tuple(1, 5, 2, from, 1);
const textToken = tuple(1, atom("label"), 2, from, 1);

const peer = (...flags: bigint[]): forms.Negotiated => {
  const all = flags.reduce((sum, flag) => sum | flag, 0n);
  return { has: (flag) => (all & flag) === flag };
};
const reason = (): forms.ExitReason => new forms.ExitReason(OOPS);

describe("a message", () => {
  test.each<[string, Term | undefined, Term | undefined]>([
    ["to a pid", forms.sendToPid(peer(), from, to, undefined), tuple(2, atom(""), to)],
    ["to a pid, traced", forms.sendToPid(peer(), from, to, token), tuple(12, atom(""), to, token)],
    [
      "to a pid, with SEND_SENDER",
      forms.sendToPid(peer(DFLAG.SEND_SENDER), from, to, undefined),
      tuple(22, from, to),
    ],
    [
      "to a pid, with SEND_SENDER, traced",
      forms.sendToPid(peer(DFLAG.SEND_SENDER), from, to, token),
      tuple(23, from, to, token),
    ],
    [
      "to a pid, traced by a label that the peer cannot read",
      forms.sendToPid(peer(), from, to, textToken),
      tuple(2, atom(""), to),
    ],
    [
      "to a pid, traced by a label that the peer can read",
      forms.sendToPid(peer(DFLAG.BIG_SEQTRACE_LABELS), from, to, textToken),
      tuple(12, atom(""), to, textToken),
    ],
    ["to a name", forms.sendToName(peer(), from, name, undefined), tuple(6, from, atom(""), name)],
    [
      "to a name, traced",
      forms.sendToName(peer(), from, name, token),
      tuple(16, from, atom(""), name, token),
    ],
    ["to an alias, without ALIAS", forms.sendToAlias(peer(), from, ref, undefined), undefined],
    [
      "to an alias",
      forms.sendToAlias(peer(DFLAG.ALIAS), from, ref, undefined),
      tuple(33, from, ref),
    ],
    [
      "to an alias, traced",
      forms.sendToAlias(peer(DFLAG.ALIAS), from, ref, token),
      tuple(34, from, ref, token),
    ],
    [
      "to an alias, with ALTACT_SIG",
      forms.sendToAlias(peer(DFLAG.ALIAS, DFLAG.ALTACT_SIG), from, ref, undefined),
      tuple(37, ALTACT_FLAG.ALIAS, from, ref),
    ],
    [
      "to an alias, with ALTACT_SIG, traced",
      forms.sendToAlias(peer(DFLAG.ALIAS, DFLAG.ALTACT_SIG), from, ref, token),
      tuple(37, ALTACT_FLAG.ALIAS | ALTACT_FLAG.TOKEN, from, ref, token),
    ],
  ])("%s", (_, control, expected) => {
    expect(control).toStrictEqual(expected);
  });
});

describe("an exit reason", () => {
  const payload = peer(DFLAG.EXIT_PAYLOAD);
  test.each<[string, forms.Form, Term]>([
    [
      "of a link, in the control message",
      forms.exit(peer(), from, to, reason()),
      tuple(3, from, to, OOPS),
    ],
    ["of a link, behind it", forms.exit(payload, from, to, reason()), tuple(24, from, to)],
    [
      "of exit/2, in it",
      forms.exit2(peer(), from, to, reason(), undefined),
      tuple(8, from, to, OOPS),
    ],
    [
      "of exit/2, in it, traced",
      forms.exit2(peer(), from, to, reason(), token),
      tuple(18, from, to, token, OOPS),
    ],
    [
      "of exit/2, behind it",
      forms.exit2(payload, from, to, reason(), undefined),
      tuple(26, from, to),
    ],
    [
      "of exit/2, behind it, traced",
      forms.exit2(payload, from, to, reason(), token),
      tuple(27, from, to, token),
    ],
    [
      "of a monitored process, in it",
      forms.monitorExit(peer(), from, to, ref, reason()),
      tuple(21, from, to, ref, OOPS),
    ],
    [
      "of a monitored name, behind it",
      forms.monitorExit(payload, name, to, ref, reason()),
      tuple(28, name, to, ref),
    ],
  ])("%s", (_, [control, behind], expected) => {
    expect(control).toStrictEqual(expected);
    expect(behind?.chunks).toStrictEqual(
      hasPayload(checkControl(control)) ? new EncodedTerm(OOPS).chunks : undefined,
    );
  });

  test("is encoded once for all peers, and not at all for those that read it in place", () => {
    const made = reason();
    const [, first] = forms.exit(payload, from, to, made);
    const [, second] = forms.monitorExit(payload, from, to, ref, made);
    expect(second).toBe(first);
    const impossible = new forms.ExitReason((() => {}) as unknown as Term);
    expect(() => forms.exit(peer(), from, to, impossible)).not.toThrow();
    expect(() => forms.exit(payload, from, to, impossible)).toThrow(
      expect.objectContaining({ code: "ETF_NOT_A_TERM" }),
    );
  });
});

test("links, monitors and spawns", () => {
  expect(forms.link(from, to)).toStrictEqual([tuple(1, from, to)]);
  expect(forms.unlink(peer(), 9, from, to)).toStrictEqual({
    form: [tuple(4, from, to)],
    acknowledged: false,
  });
  expect(forms.unlink(peer(DFLAG.UNLINK_ID), 9, from, to)).toStrictEqual({
    form: [tuple(35, 9, from, to)],
    acknowledged: true,
  });
  expect(forms.unlinkAck(9, from, to)).toStrictEqual([tuple(36, 9, from, to)]);
  expect(forms.monitor(from, name, ref)).toStrictEqual([tuple(19, from, name, ref)]);
  expect(forms.demonitor(from, name, ref)).toStrictEqual([tuple(20, from, name, ref)]);
  expect(forms.spawnReply(ref, to, 3, from)).toStrictEqual([tuple(31, ref, to, 3, from)]);
  const args = new EncodedTerm([]);
  const fields = {
    reqId: ref,
    from,
    groupLeader: to,
    module: atom("m"),
    function: atom("f"),
    arity: 0,
    optList: [atom("link")],
  };
  expect(forms.spawnRequest(peer(), fields, args)).toBeUndefined();
  expect(forms.spawnRequest(peer(DFLAG.SPAWN), fields, args)).toStrictEqual([
    tuple(29, ref, from, to, tuple(atom("m"), atom("f"), 0), [atom("link")]),
    args,
  ]);
});
