import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import {
  atom,
  ImproperList,
  isAtom,
  type Reference,
  type Term,
  tuple,
} from "../../../etf/index.ts";
import { Identifiers } from "../../../src/node/process/identifiers.ts";
import { Mailbox, Pattern } from "../../../src/node/process/mailbox.ts";
import { FakeClock } from "../../support/fake-clock.ts";

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

  test("takes the oldest matching message and leaves the others in order", async () => {
    const { mailbox } = filled(1, 2, 3, 4, 5);
    expect(await mailbox.receive(even)).toBe(2);
    expect(await mailbox.receive(even)).toBe(4);
    expect(mailbox.length).toBe(3);
    expect([await mailbox.receive(), await mailbox.receive(), await mailbox.receive()]).toEqual([
      1, 3, 5,
    ]);
  });

  test("waits for a matching message; others stay", async () => {
    const { mailbox } = filled(1);
    const received = mailbox.receive(even);
    mailbox.push(3);
    mailbox.push(4);
    expect(await received).toBe(4);
    expect([await mailbox.receive(), await mailbox.receive()]).toEqual([1, 3]);
  });

  test("the first matching receive gets the message", async () => {
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

  test("a matcher that throws fails its own receive, and no message is lost", async () => {
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

const MANY = 100_000;

/** A mailbox with many unwanted messages, and references made before and after they arrived. */
function crowded() {
  const identifiers = new Identifiers({ node: atom("gandalf@vm"), creation: 9 }, 5);
  const mailbox = new Mailbox(new FakeClock(), undefined, identifiers);
  const early = identifiers.newReference();
  let asked = 0;
  const counted =
    (matches: (message: Term) => boolean) =>
    (message: Term): boolean => {
      asked++;
      return matches(message);
    };
  for (let sent = 0; sent < MANY; sent++) mailbox.push(2 * sent + 1);
  return {
    mailbox,
    early,
    newReference: () => identifiers.newReference(),
    counted,
    /** How often matchers were called since the last time. */
    asked: () => {
      const before = asked;
      asked = 0;
      return before;
    },
  };
}

/** A reference that counts how often it is compared. */
function compared(ref: Reference): { ref: Reference; count: () => number } {
  let count = 0;
  const equals = ref.equals.bind(ref);
  ref.equals = (other: unknown) => {
    count++;
    return equals(other);
  };
  return { ref, count: () => count };
}

describe("with 100,000 unwanted messages", () => {
  test("a waiting receive checks each message once, and then each new one", async () => {
    const { mailbox, counted, asked } = crowded();
    const received = mailbox.receive(counted(even));
    expect(asked()).toBe(MANY);
    for (let sent = 0; sent < 10; sent++) mailbox.push(7);
    expect(asked()).toBe(10);
    mailbox.push(2);
    expect(await received).toBe(2);
    expect([asked(), mailbox.length]).toEqual([1, MANY + 10]);
  });

  test("a pattern checks each message once, however often it is used", async () => {
    const { mailbox, counted, asked } = crowded();
    const pattern = new Pattern(counted(even));
    for (let round = 1; round <= 1000; round++) {
      const waiting = round % 2 === 0 ? mailbox.receive(pattern) : undefined;
      mailbox.push(2 * round);
      mailbox.push(1);
      expect(await (waiting ?? mailbox.receive(pattern))).toBe(2 * round);
    }
    // The odd ones that arrived with each are checked when the next is received.
    expect(asked()).toBeLessThan(MANY + 2000);
    expect(mailbox.length).toBe(MANY + 1000);
  });

  test("a plain matcher checks messages again, as its answer may change", async () => {
    const { mailbox, counted, asked } = crowded();
    let wanted = -1;
    const matches = counted((message) => message === wanted);
    void mailbox.receive(matches).catch(() => {});
    wanted = 3;
    expect(await mailbox.receive(matches)).toBe(3);
    expect(asked()).toBe(MANY + 2);
  });

  test("a pattern still skips messages after others took some of those it refused", async () => {
    const { mailbox, counted } = crowded();
    const pattern = new Pattern(counted(even));
    mailbox.push(2);
    mailbox.push(9);
    mailbox.push(4);
    expect(await mailbox.receive(pattern)).toBe(2);
    for (const gone of [2 * MANY - 1, 2 * MANY - 3, 1, 9]) {
      expect(await mailbox.receive((message) => message === gone)).toBe(gone);
    }
    expect(await mailbox.receive(pattern)).toBe(4);
    mailbox.push(6);
    expect(await mailbox.receive(pattern)).toBe(6);
    while (mailbox.length > 0) await mailbox.receive();
    mailbox.push(8);
    expect(await mailbox.receive(pattern)).toBe(8);
  });

  test("a reference is not searched for in messages older than itself", async () => {
    const { mailbox, newReference } = crowded();
    for (let call = 0; call < 100; call++) {
      const { ref, count } = compared(newReference());
      mailbox.push(tuple(newReference(), atom("other")));
      mailbox.push(tuple(ref, call));
      expect(await mailbox.receive(ref)).toStrictEqual(tuple(ref, call));
      expect(count()).toBeLessThan(2 * call + 5);
    }
    expect(mailbox.length).toBe(MANY + 100);
  });

  test("messages with one reference are taken in order, each checked once", async () => {
    const { mailbox, newReference } = crowded();
    const { ref, count } = compared(newReference());
    for (let sent = 0; sent < 1000; sent++) {
      mailbox.push(tuple(newReference()));
      mailbox.push(tuple(atom("reply"), ref, sent));
    }
    for (let sent = 0; sent < 1000; sent++) {
      expect(await mailbox.receive(ref)).toStrictEqual(tuple(atom("reply"), ref, sent));
    }
    expect(count()).toBeLessThan(5000);
  });

  test("an older reference, or one from another node, is searched for everywhere", async () => {
    const { mailbox, early } = crowded();
    const foreign = new Identifiers({ node: atom("bilbo@vm"), creation: 1 }, 0).newReference();
    const unmade = new Identifiers({ node: atom("gandalf@vm"), creation: 9 }, 1000).newReference();
    const rest: Term[] = [];
    for (const ref of [early, foreign, unmade]) {
      mailbox.push(tuple(new ImproperList([atom("alias")], ref), 1));
      mailbox.push(0);
      rest.push(await mailbox.receive(ref));
    }
    expect(rest).toHaveLength(3);
    expect(mailbox.length).toBe(MANY + 3);
  });

  test("a flush since a reference checks only later messages", () => {
    const { mailbox, counted, asked, newReference } = crowded();
    const ref = newReference();
    for (const message of [1, 2, 3, 4]) mailbox.push(message);
    expect(mailbox.flush(counted(even), ref)).toEqual([2, 4]);
    expect([asked(), mailbox.length]).toEqual([4, MANY + 2]);
  });

  test("messages taken from the middle leave the others in order, with timeouts in between", async () => {
    const clock = new FakeClock();
    const mailbox = new Mailbox(clock);
    const expected = new Set<number>();
    const pattern = new Pattern(even);
    for (let sent = 0; sent < 3000; sent++) {
      mailbox.push((sent * 7919) % 1000);
      expected.add(sent);
    }
    let evens = 0;
    for (let taken: Term = 0; taken !== undefined; evens++) {
      const received = mailbox.receive(pattern, { timeoutMs: 1 }).catch(() => undefined);
      await clock.advance(mailbox.length === 1500 ? 1 : 0);
      taken = (await received) as Term;
    }
    expect(evens - 1).toBe(1500);
    const order: Term[] = [];
    while (mailbox.length > 0) order.push(await mailbox.receive());
    const odd = [...expected].map((sent) => (sent * 7919) % 1000).filter((left) => left % 2 === 1);
    expect(order).toEqual(odd);
  });
});

describe("timeout and abort", () => {
  test("a receive times out with PROCESS_RECEIVE_TIMEOUT, and not early", async () => {
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

  test("0 checks the queue and does not wait", async () => {
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

  test("the first of timeout and signal ends the wait and releases the other", async () => {
    for (const first of ["time", "signal"]) {
      const { clock, mailbox } = filled(1);
      const abort = new AbortController();
      const waiting = mailbox
        .receive(even, { timeoutMs: 100, signal: abort.signal })
        .catch((error: unknown) => error);
      if (first === "signal") abort.abort(new Error("enough"));
      await clock.advance(100);
      abort.abort(new Error("too late"));
      expect(await waiting).toMatchObject(
        first === "time" ? { code: "PROCESS_RECEIVE_TIMEOUT" } : { message: "enough" },
      );
      expect(clock.timerCount).toBe(0);
      expect(getEventListeners(abort.signal, "abort")).toHaveLength(0);
    }
  });

  test("Infinity means no limit", async () => {
    const { clock, mailbox } = filled();
    const received = mailbox.receive(even, { timeoutMs: Number.POSITIVE_INFINITY });
    expect(clock.timerCount).toBe(0);
    mailbox.push(2);
    expect(await received).toBe(2);
  });

  test("an abort rejects with its reason, before and during the wait", async () => {
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
  test("takes every matching message", async () => {
    const { mailbox } = filled(1, 2, 3, 4);
    expect(mailbox.flush(even)).toEqual([2, 4]);
    expect(mailbox.flush(even)).toEqual([]);
    expect([await mailbox.receive(), await mailbox.receive()]).toEqual([1, 3]);
  });
});

describe("close", () => {
  test("rejects waiting and later receives, and drops all messages", async () => {
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

test("shows the messages and their size without taking them", async () => {
  const { mailbox } = filled(1);
  const { bytes: entryBytes } = mailbox;
  mailbox.push(2, 10);
  mailbox.push(3, 20);
  expect([mailbox.messages, mailbox.bytes]).toEqual([[1, 2, 3], 30 + 3 * entryBytes]);
  await mailbox.receive(even);
  expect([mailbox.messages, mailbox.bytes]).toEqual([[1, 3], 20 + 2 * entryBytes]);
  expect(mailbox.length).toBe(2);
});
