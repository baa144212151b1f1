import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { isAtom, type Term } from "../../etf/index.ts";
import { Mailbox } from "../../src/node/mailbox.ts";
import { FakeClock } from "../support/fake-clock.ts";

const even = (message: Term) => typeof message === "number" && message % 2 === 0;

function filled(...messages: Term[]) {
  const clock = new FakeClock();
  const mailbox = new Mailbox(clock);
  for (const message of messages) mailbox.push(message);
  return { clock, mailbox };
}

describe("receive", () => {
  test("takes the oldest message", async () => {
    const { mailbox } = filled(1, 2, 3);
    expect([await mailbox.receive(), await mailbox.receive(), mailbox.length]).toEqual([1, 2, 1]);
  });

  test("takes the oldest that matches and leaves the others in order", async () => {
    const { mailbox } = filled(1, 2, 3, 4, 5);
    expect(await mailbox.receive(even)).toBe(2);
    expect(await mailbox.receive(even)).toBe(4);
    expect(mailbox.length).toBe(3);
    expect([await mailbox.receive(), await mailbox.receive(), await mailbox.receive()]).toEqual([
      1, 3, 5,
    ]);
  });

  test("waits for a message that matches; others stay", async () => {
    const { mailbox } = filled(1);
    const received = mailbox.receive(even);
    mailbox.push(3);
    mailbox.push(4);
    expect(await received).toBe(4);
    expect([await mailbox.receive(), await mailbox.receive()]).toEqual([1, 3]);
  });

  test("of several that wait, the first that matches gets a message", async () => {
    const { mailbox } = filled();
    const got: string[] = [];
    void mailbox.receive(even).then((message) => got.push(`even ${message}`));
    void mailbox.receive().then((message) => got.push(`first ${message}`));
    void mailbox.receive().then((message) => got.push(`second ${message}`));
    for (const message of [1, 2, 3]) mailbox.push(message);
    await new Promise((resolve) => setImmediate(resolve));
    expect(got.sort()).toEqual(["even 2", "first 1", "second 3"]);
    expect(mailbox.length).toBe(0);
  });

  test("keeps order over thousands of messages taken from the front", async () => {
    const { mailbox } = filled();
    let next = 0;
    for (let sent = 0; sent < 5000; sent++) {
      mailbox.push(sent);
      if (sent % 3 !== 0) expect(await mailbox.receive()).toBe(next++);
    }
    expect(mailbox.length).toBe(5000 - next);
    while (mailbox.length > 0) expect(await mailbox.receive()).toBe(next++);
    expect(next).toBe(5000);
  });

  test("a matcher that throws ends its own receive, and nothing is lost", async () => {
    const broken = () => {
      throw new Error("no match");
    };
    const { mailbox } = filled(1);
    await expect(mailbox.receive(broken)).rejects.toThrow("no match");
    expect(await mailbox.receive()).toBe(1);
    const waiting = mailbox.receive(broken);
    const other = mailbox.receive();
    mailbox.push(2);
    await expect(waiting).rejects.toThrow("no match");
    expect(await other).toBe(2);
  });
});

describe("time-out and abort", () => {
  test("a wait ends with PROCESS_RECEIVE_TIMEOUT, and not before its time", async () => {
    const { clock, mailbox } = filled(1);
    let outcome: unknown = "pending";
    mailbox.receive(even, { timeoutMs: 100 }).catch((error: unknown) => {
      outcome = error;
    });
    await clock.advance(99);
    expect(outcome).toBe("pending");
    await clock.advance(1);
    expect(outcome).toMatchObject({ name: "NodeError", code: "PROCESS_RECEIVE_TIMEOUT" });
    mailbox.push(2);
    expect(mailbox.length).toBe(2);
  });

  test("0 only looks", async () => {
    const { clock, mailbox } = filled(1, 2);
    expect(await mailbox.receive(even, { timeoutMs: 0 })).toBe(2);
    const nothing = mailbox.receive(even, { timeoutMs: 0 });
    const rejected = expect(nothing).rejects.toMatchObject({ code: "PROCESS_RECEIVE_TIMEOUT" });
    await clock.advance(0);
    await rejected;
  });

  test("a message in time leaves no timer and no listener", async () => {
    const { clock, mailbox } = filled();
    const abort = new AbortController();
    const received = mailbox.receive(isAtomNever, { timeoutMs: 100, signal: abort.signal });
    const second = mailbox.receive(even, { timeoutMs: 100, signal: abort.signal });
    mailbox.push(2);
    expect(await second).toBe(2);
    expect(clock.timerCount).toBe(1);
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(1);
    abort.abort(new Error("enough"));
    await expect(received).rejects.toThrow("enough");
    expect(clock.timerCount).toBe(0);
  });

  test("an abort rejects with its reason, before and during", async () => {
    const { mailbox } = filled(1);
    const reason = new Error("enough");
    await expect(mailbox.receive(undefined, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    expect(mailbox.length).toBe(1);
  });
});

const isAtomNever = (message: Term) => isAtom(message, "never");

describe("flush", () => {
  test("takes out every message that matches", async () => {
    const { mailbox } = filled(1, 2, 3, 4);
    expect(mailbox.flush(even)).toEqual([2, 4]);
    expect(mailbox.flush(even)).toEqual([]);
    expect([await mailbox.receive(), await mailbox.receive()]).toEqual([1, 3]);
  });
});

describe("close", () => {
  test("rejects who waits and who comes, and drops what was there", async () => {
    const { clock, mailbox } = filled(1);
    const dead = new Error("dead");
    const waiting = mailbox.receive(even, { timeoutMs: 100 });
    mailbox.close(dead);
    await expect(waiting).rejects.toBe(dead);
    await expect(mailbox.receive()).rejects.toBe(dead);
    expect(mailbox.length).toBe(0);
    expect(clock.timerCount).toBe(0);
  });
});
