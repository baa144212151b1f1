/** What every `Transport` promises, run on each kind. */
import { describe, expect, test } from "vitest";
import { memoryPair } from "../../src/transport/memory.ts";
import { type TcpOptions, tcpNetwork } from "../../src/transport/tcp.ts";
import type { Transport, TransportReceiver } from "../../src/transport/transport.ts";

/** Keeps what a transport says, and lets a test wait for it. */
class Recorder implements TransportReceiver {
  chunks: Buffer[] = [];
  drains = 0;
  closes: (Error | undefined)[] = [];
  readonly #wake: (() => void)[] = [];

  get text(): string {
    return Buffer.concat(this.chunks).toString("latin1");
  }

  data(chunk: Uint8Array): void {
    this.chunks.push(Buffer.from(chunk));
    this.#changed();
  }

  drain(): void {
    this.drains++;
    this.#changed();
  }

  close(error?: Error): void {
    this.closes.push(error);
    this.#changed();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

async function tcpPair(options?: TcpOptions): Promise<[Transport, Transport]> {
  const network = tcpNetwork(options);
  let accepted!: (transport: Transport) => void;
  const acceptedOne = new Promise<Transport>((resolve) => {
    accepted = resolve;
  });
  const listener = await network.listen({ host: "127.0.0.1", tcpPort: 0 }, accepted);
  const ours = await network.connect({ host: "127.0.0.1", tcpPort: listener.tcpPort });
  const theirs = await acceptedOne;
  await listener.close();
  return [ours, theirs];
}

/** Sends a byte over another pair and waits for it: what was sent before has arrived by then too. */
async function arrived(makePair: () => Promise<[Transport, Transport]>): Promise<void> {
  const [a, b] = await makePair();
  const heard = new Recorder();
  a.start(new Recorder());
  b.start(heard);
  a.write(Buffer.of(1));
  await heard.until(() => heard.chunks.length > 0);
  a.destroy();
}

const kinds: [string, (options?: TcpOptions) => Promise<[Transport, Transport]>][] = [
  ["in memory", async (options) => memoryPair(options)],
  [
    "in memory, cut into single bytes",
    async (options) =>
      memoryPair({ ...options, cut: (waiting) => (waiting > 1000 ? waiting - 1000 : 1) }),
  ],
  ["over TCP", tcpPair],
];

describe.each(kinds)("a transport %s", (_kind, makePair) => {
  test("carries bytes both ways in order", async () => {
    const [a, b] = await makePair();
    const [heardByA, heardByB] = [new Recorder(), new Recorder()];
    a.start(heardByA);
    b.start(heardByB);
    a.write(Buffer.from("one "));
    a.writeMany([Buffer.from("two "), Buffer.from("three "), new Uint8Array([52])]);
    b.write(Buffer.from("reply"));
    await heardByB.until(() => heardByB.text === "one two three 4");
    await heardByA.until(() => heardByA.text === "reply");
    a.destroy();
    await heardByB.until(() => heardByB.closes.length > 0);
  });

  test("delivers nothing before start, and everything after", async () => {
    const [a, b] = await makePair();
    a.start(new Recorder());
    a.write(Buffer.from("early"));
    a.end();
    await arrived(makePair);
    const late = new Recorder();
    b.start(late);
    await late.until(() => late.closes.length > 0);
    expect(late.text).toBe("early");
    expect(late.closes).toEqual([undefined]);
  });

  test("hands the stream from one owner to the next without a gap", async () => {
    const [a, b] = await makePair();
    a.start(new Recorder());
    const [first, second] = [new Recorder(), new Recorder()];
    b.start({
      data(chunk) {
        first.data(chunk);
        b.pause();
      },
      drain() {},
      close: (error) => first.close(error),
    });
    a.write(Buffer.from("A"));
    await first.until(() => first.text === "A");
    a.write(Buffer.from("BCD"));
    a.end();
    await arrived(makePair);
    expect(first.text).toBe("A");
    b.start(second);
    await second.until(() => second.closes.length > 0);
    expect(second.text).toBe("BCD");
    expect(first.closes).toEqual([]);
  });

  test("reports an end that came while nobody listened to the next owner", async () => {
    const [a, b] = await makePair();
    a.start(new Recorder());
    const [first, second] = [new Recorder(), new Recorder()];
    b.start(first);
    b.destroy(new Error("we had enough"));
    await first.until(() => first.closes.length > 0);
    b.start(second);
    await second.until(() => second.closes.length > 0);
    expect(second.closes.map((error) => error?.message)).toEqual(["we had enough"]);
  });

  test("an orderly end arrives after the bytes, and closes both ends once", async () => {
    const [a, b] = await makePair();
    const [heardByA, heardByB] = [new Recorder(), new Recorder()];
    a.start(heardByA);
    b.start(heardByB);
    b.write(Buffer.from("x".repeat(100)));
    a.write(Buffer.from("goodbye"));
    a.end();
    await heardByB.until(() => heardByB.closes.length > 0);
    await heardByA.until(() => heardByA.closes.length > 0);
    expect(heardByB.text).toBe("goodbye");
    expect(heardByA.text).toHaveLength(100);
    expect([heardByA.closes, heardByB.closes]).toEqual([[undefined], [undefined]]);
    expect(a.write(Buffer.from("late"))).toBe(true);
    expect(a.bufferedBytes).toBe(0);
  });

  test("pushes back on a paused receiver, and drains at the low-water mark", async () => {
    const [a, b] = await makePair({ highWaterMarkBytes: 64 * 1024, lowWaterMarkBytes: 16 * 1024 });
    const [heardByA, heardByB] = [new Recorder(), new Recorder()];
    a.start(heardByA);
    b.start(heardByB);
    b.pause();
    const block = Buffer.alloc(8 * 1024, 7);
    let written = 0;
    do written += block.length;
    while (a.write(block) && written < 64 * 1024 * 1024);
    expect(a.bufferedBytes).toBeGreaterThan(64 * 1024);
    expect(a.bufferedBytes).toBeLessThan(64 * 1024 * 1024);
    expect(heardByA.drains).toBe(0);
    let bufferedAtDrain = -1;
    const onDrain = heardByA.drain.bind(heardByA);
    heardByA.drain = () => {
      bufferedAtDrain = a.bufferedBytes;
      onDrain();
    };
    b.resume();
    await heardByA.until(() => heardByA.drains > 0);
    expect(bufferedAtDrain).toBeLessThanOrEqual(16 * 1024);
    await heardByB.until(
      () => heardByB.chunks.reduce((sum, chunk) => sum + chunk.length, 0) === written,
    );
    expect(heardByA.drains).toBe(1);
    b.destroy();
    await heardByA.until(() => heardByA.closes.length > 0);
  });

  test("never calls the receiver from inside write", async () => {
    const [a, b] = await makePair();
    let writing = false;
    let nested = false;
    const heard = new Recorder();
    const watch = (): TransportReceiver => ({
      data: (chunk) => {
        nested ||= writing;
        heard.data(chunk);
      },
      drain: () => {
        nested ||= writing;
      },
      close: (error) => {
        nested ||= writing;
        heard.close(error);
      },
    });
    a.start(watch());
    b.start(watch());
    writing = true;
    a.write(Buffer.from("ping"));
    a.destroy();
    a.write(Buffer.from("dropped"));
    writing = false;
    await heard.until(() => heard.closes.length === 2);
    expect(nested).toBe(false);
    expect(heard.text).not.toContain("dropped");
  });
});
