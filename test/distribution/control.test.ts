import { describe, expect, test } from "vitest";
import {
  atom,
  namedAtom,
  Pid,
  Reference,
  type Term,
  type Tuple,
  tuple,
  tupleFrom,
} from "../../etf/index.ts";
import {
  ALTACT_FLAG,
  altactFlags,
  CONTROL,
  type ControlName,
  checkControl,
  controlName,
  hasPayload,
} from "../../src/distribution/control.ts";

const pid = new Pid("bilbo@vm", 1, 2, 3);
const ref = new Reference("bilbo@vm", 3, [1, 2, 3]);
const name = atom("kvs");
const noTuple = [1, pid, pid];

/** For each field: what may stand there, and what may not. */
const FIELDS: Record<string, { good: Term[]; bad: Term[] }> = {
  fromPid: { good: [pid], bad: [name, ref, 1, true] },
  toPid: { good: [pid], bad: [name, ref, 1] },
  fromProc: { good: [pid, name, true], bad: [ref, 1, []] },
  toProc: { good: [pid, name, false], bad: [ref, 1, []] },
  toName: { good: [name, true, false], bad: [pid, Buffer.from("kvs"), 1] },
  ref: { good: [ref], bad: [pid, name] },
  reqId: { good: [ref], bad: [pid, name] },
  alias: { good: [ref], bad: [pid, name] },
  groupLeader: { good: [pid], bad: [name, ref] },
  mfa: {
    good: [tuple(name, name, 0)],
    bad: [tuple(name, name), [name, name, 0]],
  },
  optList: { good: [[], [name]], bad: [name, tuple(name)] },
  id: { good: [1, 2n ** 64n - 1n], bad: [-1, -(2n ** 64n), 2n ** 64n, name] },
  flags: { good: [0, 3], bad: [-1, name] },
  // Those of a message to a pid, whatever else a later release may set.
  altactFlags: {
    good: [0, 1, 16, 17, 224, 256, 2 ** 40, 2n ** 70n],
    bad: [-1, -(2n ** 70n), name],
  },
  to: { good: [pid], bad: [1, [], Buffer.from("kvs")] },
  reason: { good: [pid, 1, []], bad: [] },
  result: { good: [pid, name], bad: [1, ref] },
  traceToken: { good: [tuple(), 1], bad: [] },
  unused: { good: [atom(""), 1], bad: [] },
};

const names = Object.keys(CONTROL) as ControlName[];

function message(row: ControlName, replace: (field: string) => Term | undefined = () => undefined) {
  const { op, fields } = CONTROL[row];
  return tupleFrom<Term>([
    op,
    ...fields.map((field) => replace(field) ?? (FIELDS[field]!.good[0] as Term)),
  ]) as Tuple;
}

describe("each control message", () => {
  test("has an operation number of its own, which names it", () => {
    const ops = names.map((row) => CONTROL[row].op);
    expect(new Set(ops).size).toBe(names.length);
    for (const row of names) expect(controlName(CONTROL[row].op)).toBe(row);
    expect(controlName(99)).toBe("operation 99");
  });

  test.each(names)("%s is taken with its fields, and says whether a payload follows", (row) => {
    for (const field of CONTROL[row].fields) {
      for (const good of FIELDS[field]!.good) {
        const given = message(row, (name) => (name === field ? good : undefined));
        const checked = checkControl(given);
        expect(checked).toBe(given);
        expect(hasPayload(checked)).toBe(CONTROL[row].payload);
      }
    }
  });

  test("names in them are atoms, `true` and `false` too", () => {
    expect(checkControl(tuple(6, pid, atom(""), true))[3]).toBe(namedAtom("true"));
    expect(checkControl(tuple(19, pid, false, ref))[2]).toBe(namedAtom("false"));
    expect(checkControl(tuple(37, ALTACT_FLAG.NAME, pid, true))[3]).toBe(namedAtom("true"));
    // What is no name stays the term that it is.
    expect(checkControl(tuple(21, true, pid, ref, true))[4]).toBe(true);
  });

  test.each(names)("%s is refused with a field too many or too few", (row) => {
    const right = [...message(row)];
    const count = CONTROL[row].fields.length;
    const longer = "open" in CONTROL[row] ? [] : [[...right, 1]];
    for (const wrong of [right.slice(0, -1), ...longer]) {
      expect(() => checkControl(tupleFrom(wrong) as Tuple)).toThrow(
        expect.objectContaining({
          code: "DIST_CONTROL_MALFORMED",
          message: `The peer sent ${row} with ${wrong.length - 1} fields where ${count} belong.`,
        }),
      );
    }
  });

  test.each(names)("%s is refused with a field of the wrong type, which is named", (row) => {
    const { fields } = CONTROL[row];
    const lax: readonly string[] =
      "lax" in CONTROL[row] ? (CONTROL[row].lax as readonly string[]) : [];
    for (const field of fields) {
      for (const bad of FIELDS[field]!.bad) {
        const given = message(row, (name) => (name === field ? bad : undefined));
        if (lax.includes(field)) {
          expect(checkControl(given)).toBe(given);
          continue;
        }
        expect(() => checkControl(given)).toThrow(
          expect.objectContaining({
            code: "DIST_CONTROL_MALFORMED",
            message: expect.stringContaining(`${row} with a field ${field} `),
          }),
        );
      }
    }
  });
});

test("the acknowledgement of 0 is taken, and UNLINK_ID 0 is not", () => {
  const zero = (row: ControlName) => message(row, (field) => (field === "id" ? 0 : undefined));
  expect(checkControl(zero("UNLINK_ID_ACK"))).toEqual(zero("UNLINK_ID_ACK"));
  expect(() => checkControl(zero("UNLINK_ID"))).toThrow(
    expect.objectContaining({ code: "DIST_CONTROL_MALFORMED" }),
  );
});

describe("ALTACT_SIG_SEND", () => {
  const { PRIO, TOKEN, ALIAS, NAME, EXIT } = ALTACT_FLAG;

  test.each<[string, Term[]]>([
    ["to a pid", [PRIO, pid, pid]],
    ["to an alias", [ALIAS | PRIO, pid, ref]],
    ["to a name", [NAME, pid, name]],
    ["an exit signal to an alias", [ALIAS | EXIT, pid, ref]],
    ["with a trace token", [TOKEN, pid, pid, tuple(0, 1)]],
    ["with more than a release of today sends", [32, pid, pid, 1, 2, 3]],
    ["with flags of any size", [2n ** 70n + BigInt(ALIAS), pid, ref]],
  ])("%s is taken", (_, fields) => {
    const given = tupleFrom<Term>([37, ...fields]) as Tuple;
    expect(checkControl(given)).toBe(given);
  });

  test.each<[string, Term[]]>([
    ["to a pid that is none", [0, pid, ref]],
    ["to an alias that is none", [ALIAS, pid, pid]],
    ["to a name that is none", [NAME, pid, pid]],
    ["to a name and an alias", [NAME | ALIAS, pid, ref]],
    ["to a name and an alias, with a name", [NAME | ALIAS, pid, name]],
    ["without the trace token", [TOKEN, pid, pid]],
    ["from a name", [0, name, pid]],
  ])("%s is malformed", (_, fields) => {
    expect(() => checkControl(tupleFrom<Term>([37, ...fields]) as Tuple)).toThrow(
      expect.objectContaining({
        code: "DIST_CONTROL_MALFORMED",
        message: expect.stringContaining("ALTACT_SIG_SEND"),
      }),
    );
  });

  test("flags of any size have their low bits", () => {
    expect(altactFlags(21)).toBe(21);
    expect(altactFlags(2 ** 40 + 5)).toBe(5);
    expect(altactFlags(2n ** 70n + 9n)).toBe(9);
  });
});

describe("what is no control message", () => {
  test.each([0, 5, 38, 255, -1, 2 ** 40])("operation %d is not known", (op) => {
    expect(() => checkControl(tuple(op, pid, pid))).toThrow(
      expect.objectContaining({
        code: "DIST_CONTROL_UNKNOWN",
        message: expect.stringContaining(`control message ${op}`),
      }),
    );
  });

  test.each<[string, Term]>([
    ["a list", noTuple],
    ["an empty tuple", tuple()],
    ["an atom first", tuple(name, pid, pid)],
    ["a big integer first", tuple(2n ** 70n, pid, pid)],
    ["an integer", 1],
    ["a pid", pid],
  ])("%s is malformed", (_, term) => {
    expect(() => checkControl(term)).toThrow(
      expect.objectContaining({ name: "DistProtocolError", code: "DIST_CONTROL_MALFORMED" }),
    );
  });
});
