import { expect, test } from "vitest";
import { EventQueue } from "../../../src/otp/behaviours/event-queue.ts";
import type { QueuedEvent } from "../../../src/otp/behaviours/gen-statem-callbacks.ts";

const event = (content: number): QueuedEvent => ({ type: "internal", content });
const contents = (queue: EventQueue) => queue.toArray().map(({ content }) => content);

test("returns events in order, the prepended ones first", () => {
  const queue = new EventQueue();
  for (const content of [1, 2, 3]) queue.push(event(content));
  expect(queue.shift()).toEqual(event(1));
  queue.prepend([event(10), event(11)]);
  queue.push(event(4));
  expect(contents(queue)).toEqual([10, 11, 2, 3, 4]);
  expect([queue.first, queue.length]).toEqual([event(10), 5]);
  const taken = Array.from({ length: 5 }, () => queue.shift()?.content);
  expect(taken).toEqual([10, 11, 2, 3, 4]);
  expect([queue.first, queue.shift(), queue.length]).toEqual([undefined, undefined, 0]);
});

test("takes back hundreds of thousands of postponed events at once", () => {
  const queue = new EventQueue();
  const postponed = Array.from({ length: 300_000 }, (_, i) => event(i));
  queue.prepend(postponed);
  for (const { content } of postponed) expect(queue.shift()!.content === content).toBe(true);
});
