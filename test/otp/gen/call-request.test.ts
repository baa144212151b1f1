import { describe, expect, test } from "vitest";
import type { Term } from "../../../etf/index.ts";
import { CallRequest, CallRequests } from "../../../src/otp/gen/call-request.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A call that the test controls. */
function call(clock = new FakeClock()) {
  let resolve: (value: Term) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  let given: AbortSignal | undefined;
  const request = new CallRequest(clock, (signal) => {
    given = signal;
    signal.addEventListener("abort", () => reject(signal.reason));
    return new Promise((whenDone, whenFailed) => {
      resolve = whenDone;
      reject = whenFailed;
    });
  });
  return {
    clock,
    request,
    resolve: (value: Term) => resolve(value),
    reject: (error: unknown) => reject(error),
    givenUp: () => given?.aborted === true,
  };
}

describe("a request", () => {
  test("gives its result to every caller of receive", async () => {
    const { request, resolve } = call();
    resolve(7);
    expect(await request.wait()).toStrictEqual({ status: "fulfilled", value: 7 });
    expect(await request.receive()).toBe(7);
    expect(await request.receive({ timeoutMs: 0 })).toBe(7);
  });

  test("throws its error, or returns it", async () => {
    const { request, reject } = call();
    const error = new Error("no");
    reject(error);
    await expect(request.receive()).rejects.toBe(error);
    expect(await request.wait()).toStrictEqual({ status: "rejected", reason: error });
  });

  test("continues after a wait that timed out", async () => {
    const { clock, request, resolve, givenUp } = call();
    const waited = request.wait({ timeoutMs: 10 });
    await clock.advance(10);
    expect(await waited).toBeUndefined();
    expect(givenUp()).toBe(false);
    expect(clock.timerCount).toBe(0);
    resolve(1);
    expect(await request.receive()).toBe(1);
  });

  test("is abandoned by a receive that timed out", async () => {
    const { clock, request, resolve, givenUp } = call();
    const received = request.receive({ timeoutMs: 10 });
    const code = expect(received).rejects.toMatchObject({ code: "CALL_TIMEOUT", mayHaveRun: true });
    await clock.advance(10);
    await code;
    expect(givenUp()).toBe(true);
    resolve(1);
    await expect(request.receive()).rejects.toMatchObject({ code: "CALL_TIMEOUT" });
  });

  test("obeys a signal, and leaves no listener or timer behind", async () => {
    const { clock, request, resolve } = call();
    const abort = new AbortController();
    const waited = request.wait({ signal: abort.signal, timeoutMs: 50 });
    abort.abort(new Error("enough"));
    await expect(waited).rejects.toThrow("enough");
    expect(clock.timerCount).toBe(0);
    await expect(request.wait({ signal: abort.signal })).rejects.toThrow("enough");
    resolve(2);
    expect(await request.receive()).toBe(2);
  });
});

describe("a collection", () => {
  test("returns answers as they arrive, with their labels, results and errors alike", async () => {
    const [one, two] = [call(), call()];
    const requests = new CallRequests<string>(one.clock).add(one.request, "one");
    requests.add(two.request, "two");
    expect(requests.size).toBe(2);
    two.reject("lost");
    expect(await requests.receive()).toStrictEqual({
      label: "two",
      request: two.request,
      answer: { status: "rejected", reason: "lost" },
    });
    one.resolve(1);
    expect((await requests.wait())?.answer).toStrictEqual({ status: "fulfilled", value: 1 });
    expect(requests.size).toBe(0);
    expect(await requests.receive()).toBeUndefined();
    expect(await requests.wait()).toBeUndefined();
  });

  test("a wait that times out changes nothing; a receive that times out abandons all", async () => {
    const { clock, request, givenUp } = call();
    const requests = new CallRequests<number>(clock).add(request, 1);
    const waited = requests.wait({ timeoutMs: 5 });
    await clock.advance(5);
    expect(await waited).toBeUndefined();
    expect(givenUp()).toBe(false);
    const received = requests.receive({ timeoutMs: 5 });
    const code = expect(received).rejects.toMatchObject({ code: "CALL_TIMEOUT" });
    await clock.advance(5);
    await code;
    expect(givenUp()).toBe(true);
    expect((await requests.wait())?.answer.status).toBe("rejected");
  });

  test("two waiters get one answer each", async () => {
    const [one, two] = [call(), call()];
    const requests = new CallRequests<string>(one.clock).add(one.request, "one");
    requests.add(two.request, "two");
    const both = Promise.all([requests.wait(), requests.wait()]);
    one.resolve(1);
    await one.clock.settle();
    two.resolve(2);
    expect((await both).map((answered) => answered?.label)).toStrictEqual(["one", "two"]);
  });

  test("can be iterated to its end", async () => {
    const calls = [call(), call(), call()];
    const requests = new CallRequests<number>(calls[0]!.clock);
    for (const [index, { request }] of calls.entries()) requests.add(request, index);
    for (const index of [2, 0, 1]) calls[index]!.resolve(index);
    const labels: number[] = [];
    for await (const { label } of requests) labels.push(label);
    expect(labels).toStrictEqual([2, 0, 1]);
  });
});
