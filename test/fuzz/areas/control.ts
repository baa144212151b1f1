/** Control messages and their payloads, read from whole frames: sound ones arrive as they were sent. */
import { MANDATORY_25 } from "../../../src/distribution/flags.ts";
import type { Area } from "../area.ts";
import { claim, spoilt } from "../choices.ts";
import { frameOf, type MadeMessage, makeMessage, passThrough, readStream } from "../messages.ts";
import type { Model } from "../model.ts";
import { canonical } from "../write.ts";
import { cuts } from "./frames.ts";

export const control: Area = {
  name: "control",
  share: 100,
  run(choices) {
    const sent: MadeMessage[] = [];
    const bodies: Uint8Array[] = [];
    for (let count = choices.below(4); count >= 0; count--) {
      const message = makeMessage(choices);
      sent.push(message);
      bodies.push(passThrough(message, choices));
    }
    const broken = choices.oneIn(3);
    if (broken) bodies[bodies.length - 1] = spoilt(bodies.at(-1)!, choices);
    const stream = Buffer.concat(bodies.map(frameOf));
    const { messages, error } = readStream(cuts(stream, choices), MANDATORY_25);
    const sound = broken ? sent.length - 1 : sent.length;
    if (error !== undefined && messages.length < sound) throw error;
    claim(messages.length >= sound, `${sound} messages arrive`);
    for (let i = 0; i < sound; i++) checkSame(messages[i]!, sent[i]!);
    // What was spoilt may be a message still: its payload is a term, or an error.
    if (messages.length > sound) messages[sound]!.payload();
  },
};

export function checkSame(
  read: { control: Model | undefined; payload: () => Model | undefined },
  sent: MadeMessage,
): void {
  claim(canonical(read.control!) === canonical(sent.control), "the control message as it was sent");
  if (sent.payload === undefined) return;
  claim(canonical(read.payload()!) === canonical(sent.payload), "the payload as it was sent");
}
