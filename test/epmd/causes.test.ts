/** What made a request to EPMD fail is the cause of its error, and errors without one have none. */
import { describe, expect, test } from "vitest";
import { EpmdClient } from "../../src/epmd/client.ts";
import { TransportError, type TransportErrorCode } from "../../src/transport/errors.ts";
import { memoryPair } from "../../src/transport/memory.ts";
import type { ConnectOptions, Network, Transport } from "../../src/transport/transport.ts";
import { FakeClock } from "../support/fake-clock.ts";

const listen = () => Promise.reject(new Error("not listened on"));

function networkWith(connect: (options: ConnectOptions) => Promise<Transport>): Network {
  return { connect, listen };
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

describe("a connection that cannot be made", () => {
  test.each<[TransportErrorCode, string]>([
    ["TRANSPORT_REFUSED", "EPMD_UNREACHABLE"],
    ["TRANSPORT_UNREACHABLE", "EPMD_UNREACHABLE"],
    ["TRANSPORT_FAILED", "EPMD_UNREACHABLE"],
    ["TRANSPORT_HOST_UNKNOWN", "EPMD_HOST_UNKNOWN"],
    ["TRANSPORT_TIMEOUT", "EPMD_TIMEOUT"],
  ])("with %s is %s, and the cause is kept", async (transport, code) => {
    const cause = new TransportError(transport, "as it is");
    const client = new EpmdClient({ network: networkWith(() => Promise.reject(cause)) });
    expect(await failure(client.names("vm"))).toMatchObject({ name: "EpmdError", code, cause });
  });

  test("because it was aborted has the reason of the abort as its cause", async () => {
    const reason = new Error("enough");
    const aborted = new TransportError("TRANSPORT_ABORTED", "aborted", { cause: reason });
    const client = new EpmdClient({ network: networkWith(() => Promise.reject(aborted)) });
    const error = await failure(client.names("vm"));
    expect(error).toMatchObject({ code: "EPMD_ABORTED", cause: reason });
  });

  test("for a reason of its own is passed on", async () => {
    const fault = new TypeError("a fault");
    const client = new EpmdClient({ network: networkWith(() => Promise.reject(fault)) });
    expect(await failure(client.names("vm"))).toBe(fault);
  });

  test("is given the address, the time limit and the signal of the request", async () => {
    const asked: ConnectOptions[] = [];
    const network = networkWith((options) => {
      asked.push(options);
      return Promise.reject(new TransportError("TRANSPORT_REFUSED", "no"));
    });
    const client = new EpmdClient({ network, tcpPort: 5, timeoutMs: 70 });
    const { signal } = new AbortController();
    await failure(client.names());
    await failure(client.names("vm", { timeoutMs: 30, signal }));
    await failure(new EpmdClient({ network }).names("vm"));
    expect(asked).toEqual([
      { host: "127.0.0.1", tcpPort: 5, timeoutMs: 70 },
      { host: "vm", tcpPort: 5, timeoutMs: 30, signal },
      { host: "vm", tcpPort: 4369, timeoutMs: 10_000 },
    ]);
  });
});

describe("a connection that was made", () => {
  function connected(clock = new FakeClock()) {
    const [ours, theirs] = memoryPair({ clock });
    const network = networkWith(() => Promise.resolve(ours));
    return { clock, ours, theirs, client: new EpmdClient({ network, clock, timeoutMs: 50 }) };
  }

  test("and says nothing is given up without a cause", async () => {
    const { clock, client } = connected();
    const failing = failure(client.names("vm"));
    await clock.advance(50);
    const error = await failing;
    expect(error).toMatchObject({ code: "EPMD_TIMEOUT" });
    expect(Object.hasOwn(error as object, "cause")).toBe(false);
    expect(clock.timerCount).toBe(0);
  });

  test("and aborted has the reason as its cause", async () => {
    const { clock, client } = connected();
    const abort = new AbortController();
    const reason = new Error("enough");
    const failing = failure(client.names("vm", { signal: abort.signal }));
    await clock.settle();
    abort.abort(reason);
    expect(await failing).toMatchObject({ code: "EPMD_ABORTED", cause: reason });
    expect(clock.timerCount).toBe(0);
  });

  test("and broke before the answer has the error as its cause", async () => {
    const { clock, ours, client } = connected();
    const failing = failure(client.names("vm"));
    await clock.settle();
    const cause = new Error("reset");
    ours.destroy(cause);
    await clock.settle();
    expect(await failing).toMatchObject({ code: "EPMD_REFUSED", cause });
  });

  test.each([
    ["in order", undefined],
    ["with an error", new Error("reset")],
  ])("and held a registration reports its end %s", async (_, cause) => {
    const { clock, ours, theirs, client } = connected();
    theirs.start({ data: () => {}, drain() {}, close() {} });
    const registering = client.register("gandalf", 1);
    theirs.write(Buffer.from("7600", "hex"));
    theirs.write(Buffer.from("00000007", "hex"));
    await clock.settle();
    const registration = await registering;
    if (cause === undefined) theirs.destroy();
    else ours.destroy(cause);
    await clock.settle();
    const error = await registration.lost;
    expect(error).toMatchObject({ code: "EPMD_CLOSED" });
    expect(Object.hasOwn(error, "cause")).toBe(cause !== undefined);
    expect(error.cause).toBe(cause);
  });
});
