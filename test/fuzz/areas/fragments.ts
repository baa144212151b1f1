/**
 * Messages in fragments, several under way at once, between whole ones: each arrives as it was sent,
 * and what is held of unfinished ones is never more than what came.
 */
import { DFLAG, MANDATORY_25 } from "../../../src/distribution/flags.ts";
import type { Area } from "../area.ts";
import { type Choices, claim, spoilt } from "../choices.ts";
import { frameOf, type MadeMessage, makeMessage, readStream } from "../messages.ts";
import type { Model } from "../model.ts";
import { write } from "../write.ts";
import { checkSame } from "./control.ts";
import { cuts } from "./frames.ts";

const FLAGS = MANDATORY_25 | DFLAG.FRAGMENTS | DFLAG.DIST_HDR_ATOM_CACHE;

interface Sequence {
  readonly message: MadeMessage;
  /** Bodies of frames still to be sent. */
  readonly frames: Buffer[];
}

export const fragments: Area = {
  name: "fragments",
  share: 80,
  run(choices) {
    const open = Array.from({ length: 1 + choices.below(4) }, (_, id) => begun(choices, id));
    const arriving: MadeMessage[] = [];
    const bodies: Buffer[] = [];
    const unfinished = choices.oneIn(6);
    while (open.length > (unfinished ? 1 : 0)) {
      const at = choices.byte() % open.length;
      const { frames, message } = open[at]!;
      bodies.push(frames.shift()!);
      if (frames.length > 0) continue;
      arriving.push(message);
      open.splice(at, 1);
    }
    const broken = choices.oneIn(3);
    if (broken) {
      const at = choices.byte() % bodies.length;
      if (bodies.length > 0) bodies[at] = Buffer.from(spoilt(bodies[at]!, choices));
    }
    const stream = Buffer.concat(bodies.map(frameOf));
    const { messages, error, heldBytes } = readStream(cuts(stream, choices), FLAGS);
    claim(heldBytes <= 64 * stream.length, "no more is held than a multiple of what came");
    if (broken) {
      for (const message of messages) message.payload();
      return;
    }
    if (error !== undefined) throw error;
    claim(messages.length === arriving.length, `${arriving.length} messages arrive`);
    arriving.forEach((message, index) => {
      checkSame(messages[index]!, message);
    });
  },
};

function begun(choices: Choices, id: number): Sequence {
  const made = makeMessage(choices);
  const message =
    made.payload === undefined ? made : { ...made, payload: enlarged(made.payload, choices) };
  const control = Buffer.concat([Buffer.of(0), write(message.control, choices)]);
  const { payload } = message;
  const body = payload === undefined ? Buffer.alloc(0) : write(payload, choices);
  const count = payload === undefined ? 1 : 1 + choices.below(6);
  if (count === 1 && choices.oneIn(2)) {
    return { message, frames: [Buffer.concat([Buffer.of(131, 68), control, body])] };
  }
  const frames: Buffer[] = [];
  let at = 0;
  for (let fragment = count; fragment > 0; fragment--) {
    const size = fragment === 1 ? body.length : choices.below(65_536) % (body.length + 1 - at);
    const part = body.subarray(at, fragment === 1 ? body.length : at + size);
    at += part.length;
    const head = Buffer.alloc(18);
    head.set([131, fragment === count ? 69 : 70]);
    head.writeBigUInt64BE(BigInt(id) + 2n ** 40n, 2);
    head.writeBigUInt64BE(BigInt(fragment), 10);
    frames.push(Buffer.concat([head, fragment === count ? control : Buffer.alloc(0), part]));
  }
  return { message, frames };
}

/** Now and then a payload of which a fragment comes in several chunks. */
function enlarged(payload: Model, choices: Choices): Model {
  if (!choices.oneIn(6)) return payload;
  const bytes = Buffer.alloc(choices.below(65_536) % 30_000, choices.byte());
  return { is: "tuple", items: [payload, { is: "bits", bytes, lastBits: 8 }] };
}
