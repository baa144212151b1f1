/** Control messages of the fuzzing's own making, and what becomes of frames that are read. */
import { EtfDecodeError, type Term } from "../../etf/index.ts";
import { hasPayload } from "../../src/distribution/control.ts";
import { DistProtocolError } from "../../src/distribution/errors.ts";
import { FrameSplitter } from "../../src/distribution/frame.ts";
import { MessageReader } from "../../src/distribution/message-reader.ts";
import type { Choices } from "./choices.ts";
import { makeModel, makePid } from "./make.ts";
import { type Model, modelOf } from "./model.ts";
import { write } from "./write.ts";

type FieldKind = "pid" | "atom" | "pidOrAtom" | "ref" | "mfa" | "list" | "id" | "flags" | "any";

/** Operation, fields, and whether a payload follows: as the specification has them. */
const CONTROLS: readonly (readonly [op: number, fields: readonly FieldKind[], payload?: true])[] = [
  [1, ["pid", "pid"]],
  [2, ["any", "pid"], true],
  [3, ["pid", "pid", "any"]],
  [4, ["pid", "pid"]],
  [6, ["pid", "any", "atom"], true],
  [7, ["pid", "pid"]],
  [8, ["pid", "pid", "any"]],
  [12, ["any", "pid", "any"], true],
  [13, ["pid", "pid", "any", "any"]],
  [16, ["pid", "any", "atom", "any"], true],
  [18, ["pid", "pid", "any", "any"]],
  [19, ["pid", "pidOrAtom", "ref"]],
  [20, ["pid", "pidOrAtom", "ref"]],
  [21, ["pidOrAtom", "pid", "ref", "any"]],
  [22, ["pid", "pid"], true],
  [23, ["pid", "pid", "any"], true],
  [24, ["pid", "pid"], true],
  [25, ["pid", "pid", "any"], true],
  [26, ["pid", "pid"], true],
  [27, ["pid", "pid", "any"], true],
  [28, ["pidOrAtom", "pid", "ref"], true],
  [29, ["ref", "pid", "pid", "mfa", "list"], true],
  [30, ["ref", "pid", "pid", "mfa", "list", "any"], true],
  [31, ["ref", "pid", "flags", "pidOrAtom"]],
  [32, ["ref", "pid", "flags", "pidOrAtom", "any"]],
  [33, ["pid", "ref"], true],
  [34, ["pid", "ref", "any"], true],
  [35, ["id", "pid", "pid"]],
  [36, ["id", "pid", "pid"]],
];

export interface MadeMessage {
  readonly control: Model;
  readonly payload: Model | undefined;
  /** Between processes of anybody: OTP ends the connection of a peer that speaks for others. */
  readonly unruly?: true;
}

const integer = (value: number): Model => ({ is: "integer", value: BigInt(value) });
const atom = (name: string): Model => ({ is: "atom", name });
export const tupleOf = (...items: Model[]): Model => ({ is: "tuple", items });

export function makeMessage(choices: Choices): MadeMessage {
  const [op, fields, payload] = choices.pick(CONTROLS);
  const control = tupleOf(integer(op), ...fields.map((kind) => makeField(kind, choices)));
  return { control, payload: payload === true ? makeModel(choices) : undefined };
}

function makeField(kind: FieldKind, choices: Choices): Model {
  switch (kind) {
    case "pid":
      return makePid(choices);
    case "atom":
      return atom(choices.pick(["rex", "nobody", "true", "false", "", "é"]));
    case "pidOrAtom":
      return choices.oneIn(2) ? makeField("atom", choices) : makePid(choices);
    case "ref":
      return {
        is: "reference",
        node: "other@vm",
        creation: choices.below(3),
        ids: [choices.byte(), choices.byte(), choices.byte()],
      };
    case "mfa":
      return tupleOf(atom("m"), atom(choices.pick(["f", "true"])), integer(choices.byte()));
    case "list":
      return { is: "list", items: [atom("link"), atom("monitor")].slice(0, choices.below(3)) };
    case "id":
      return integer(1 + choices.byte());
    case "flags":
      return integer(choices.below(4));
    case "any":
      return makeModel(choices, 4);
  }
}

const VERSION: Uint8Array = Uint8Array.of(131);

/** A frame without a header: 112, and both terms with a version byte. */
export function passThrough({ control, payload }: MadeMessage, choices: Choices): Buffer {
  const parts: Uint8Array[] = [Buffer.of(112, 131), write(control, choices)];
  if (payload !== undefined) parts.push(VERSION, write(payload, choices));
  return Buffer.concat(parts);
}

export function frameOf(body: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** A message as it was read. */
export interface ReadMessage {
  readonly control: Model | undefined;
  readonly payload: () => Model | undefined;
}

export interface Reading {
  readonly messages: ReadMessage[];
  /** What ended it. */
  readonly error: Error | undefined;
  readonly heldBytes: number;
}

/**
 * Reads chunks of a stream as a connection does: frames, headers, fragments, control messages.
 * Errors that are not documented are thrown.
 */
export function readStream(chunks: Iterable<Uint8Array>, negotiatedFlags: bigint): Reading {
  const messages: ReadMessage[] = [];
  const reader = new MessageReader({ negotiatedFlags }, (control, payload) => {
    const made = modelOf(control as unknown as Term);
    // Read where it lies, for the error of a malformed one; and again from what was kept of it.
    const term = hasPayload(control) ? payload.read() : undefined;
    const kept = term === undefined ? undefined : payload.keep();
    messages.push({ control: made, payload: () => modelOf(kept?.read()?.term ?? false) });
  });
  const splitter = new FrameSplitter(
    1 << 20,
    (bytes, start, end) => {
      if (start < end) reader.read(bytes, start, end);
    },
    reader,
  );
  let error: Error | undefined;
  try {
    for (const chunk of chunks) splitter.push(chunk);
  } catch (thrown) {
    const documented = thrown instanceof DistProtocolError || thrown instanceof EtfDecodeError;
    if (!documented) throw thrown;
    error = thrown;
  }
  return { messages, error, heldBytes: reader.heldBytes };
}
