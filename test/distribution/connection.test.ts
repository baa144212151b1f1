import { describe, expect, test } from "vitest";
import { atom, charlist, encode, Pid, type Term, tuple } from "../../etf/index.ts";
import { Connection, type ConnectionOptions } from "../../src/distribution/connection.ts";
import { CONTROL, type ControlMessage, hasPayload } from "../../src/distribution/control.ts";
import { EncodedTerm } from "../../src/distribution/encoded-term.ts";
import { DFLAG } from "../../src/distribution/flags.ts";
import { BY_REFERENCE_BYTES } from "../../src/distribution/shared-state.ts";
import { type MemoryPairOptions, memoryPair } from "../../src/transport/memory.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { frameOf, messageBytes, RawNode } from "../support/raw-node.ts";

const from = new Pid("bilbo@vm", 1, 0, 7);
const to = new Pid("gandalf@vm", 2, 0, 8);
const LINK = tuple(CONTROL.LINK.op, from, to);
const SEND = tuple(CONTROL.SEND.op, atom(""), to);

interface SetUp extends Partial<ConnectionOptions> {
  pair?: MemoryPairOptions;
  leftover?: Uint8Array;
  control?: (message: ControlMessage, payload: Term) => void;
}

/** A connection, started, and the other end of its transport in our hands. */
function setUp({ pair, leftover = new Uint8Array(), control, ...options }: SetUp = {}) {
  const clock = new FakeClock();
  const [ours, theirs] = memoryPair({ clock, ...pair });
  const got: Term[][] = [];
  const closed: { code: string; message: string }[] = [];
  const connection = new Connection({
    transport: ours,
    clock,
    peerName: "bilbo@vm",
    negotiatedFlags: DFLAG.SPAWN | DFLAG.ALIAS,
    hidden: false,
    netTickTimeMs: 60_000,
    netTickIntensity: 4,
    maxFrameBytes: 1_000_000,
    highWaterMarkBytes: 10_000,
    maxQueuedBytes: 1_000_000_000,
    handler: {
      control: (message, encoded) => {
        const payload = hasPayload(message) ? encoded.read() : false;
        got.push([message as unknown as Term, payload]);
        control?.(message, payload);
      },
      closed: (error) => closed.push(error),
    },
    ...options,
  });
  const peer = new RawNode(theirs);
  connection.start(leftover);
  return { clock, connection, peer, got, closed };
}

const body = messageBytes;

describe("receiving", () => {
  test.each([1, 3, 7, 100_000])("messages in order, in chunks of %i bytes", async (cut) => {
    const { clock, peer, got, closed } = setUp({ pair: { cut } });
    peer.send(LINK);
    peer.bytes(Buffer.alloc(4));
    peer.send(SEND, "hello");
    peer.send(LINK);
    await clock.settle();
    expect(got).toStrictEqual([
      [LINK, false],
      [SEND, Buffer.from("hello")],
      [LINK, false],
    ]);
    expect(closed).toEqual([]);
  });

  test("what came behind the handshake is the first of it", async () => {
    const first = frameOf(body(SEND, 1));
    const second = frameOf(body(SEND, 2));
    const { clock, peer, got } = setUp({
      leftover: Buffer.concat([first, second.subarray(0, 9)]),
    });
    peer.bytes(second.subarray(9));
    await clock.settle();
    expect(got).toStrictEqual([
      [SEND, 1],
      [SEND, 2],
    ]);
  });

  const link = body(LINK);
  const send = body(SEND, tuple(1, 2));
  const deflated = encode(charlist("a".repeat(100)), { compressed: true });
  const compressed = Buffer.concat([body(SEND), deflated]);
  test.each<[string, Uint8Array, string]>([
    ["another type of frame", Buffer.from([68, ...link.subarray(1)]), "DIST_FRAME_TYPE"],
    ["a distribution header", Buffer.from([131, 68, 0]), "DIST_FRAME_TYPE"],
    ["no version byte", Buffer.from([112, 104, 0]), "DIST_FRAME_TYPE"],
    ["the type alone", Buffer.from([112]), "DIST_FRAME_TYPE"],
    ["no control message", Buffer.from([112, 131]), "DIST_TERM_MALFORMED"],
    ["half a control message", link.subarray(0, -1), "DIST_TERM_MALFORMED"],
    ["half a payload", send.subarray(0, -1), "DIST_TERM_MALFORMED"],
    ["an unknown tag", Buffer.from([112, 131, 250]), "DIST_TERM_MALFORMED"],
    [
      "a list longer than the frame",
      Buffer.from([112, 131, 108, 255, 255, 255, 255]),
      "DIST_TERM_MALFORMED",
    ],
    ["an atom cache reference", Buffer.from([112, 131, 82, 0]), "DIST_TERM_MALFORMED"],
    ["an unknown operation", body(tuple(38, 1, from, to), 1), "DIST_CONTROL_UNKNOWN"],
    ["a wrong number of fields", body(tuple(1, from)), "DIST_CONTROL_MALFORMED"],
    ["a field of the wrong type", body(tuple(4, from, atom("kvs"))), "DIST_CONTROL_MALFORMED"],
    ["a list for a control message", body([1, from, to]), "DIST_CONTROL_MALFORMED"],
    ["no payload", body(SEND), "DIST_CONTROL_MALFORMED"],
    ["a compressed payload", compressed, "DIST_TERM_MALFORMED"],
    [
      "an opaque payload",
      Buffer.concat([body(SEND), Buffer.from([131, 121, 1, 2])]),
      "DIST_TERM_MALFORMED",
    ],
    [
      "a compressed control message",
      Buffer.concat([Buffer.from([112]), deflated]),
      "DIST_TERM_MALFORMED",
    ],
    [
      "a payload without version byte",
      Buffer.concat([body(SEND), Buffer.from([97, 1])]),
      "DIST_CONTROL_MALFORMED",
    ],
    ["a frame over the limit", Buffer.alloc(1_000_001), "DIST_FRAME_LIMIT"],
  ])("%s ends the connection: nothing behind it counts", async (_, bad, code) => {
    const { clock, peer, got, closed } = setUp();
    peer.bytes(Buffer.concat([frameOf(body(SEND, "good")), frameOf(bad), frameOf(body(SEND, 2))]));
    await clock.settle();
    expect(closed.map((error) => error.code)).toEqual([code]);
    expect(got).toStrictEqual([[SEND, Buffer.from("good")]]);
    expect(peer.closed).toBe(true);
    expect(clock.timerCount).toBe(0);
  });

  test("the error says what was wrong and never what was sent", async () => {
    const { clock, peer, closed } = setUp();
    peer.send(tuple(CONTROL.SEND.op, atom("cookie-like"), atom("name-like")), "payload-like");
    await clock.settle();
    expect(closed[0]!.message).toBe("The peer sent SEND with a field toPid of the wrong type.");
  });

  test("a fault in handling a message ends the connection, not the program", async () => {
    const { clock, peer, closed } = setUp({
      control: () => {
        throw new RangeError("handled badly");
      },
    });
    peer.send(LINK);
    await clock.settle();
    expect(closed).toEqual([
      expect.objectContaining({
        code: "DIST_INTERNAL",
        message: expect.stringContaining("handled badly"),
        cause: expect.any(RangeError),
      }),
    ]);
    expect(peer.closed).toBe(true);
  });

  test("a connection ended while a chunk is handled takes no more of that chunk", async () => {
    const ended = setUp({ control: () => ended.connection.disconnect() });
    ended.peer.bytes(Buffer.concat([frameOf(body(SEND, 1)), frameOf(body(SEND, 2))]));
    await ended.clock.settle();
    expect(ended.got).toHaveLength(1);
  });
});

describe("sending", () => {
  test("puts the messages of a turn into one write, in order", async () => {
    const { clock, connection, peer } = setUp();
    const chunks: number[] = [];
    const [ours, theirs] = memoryPair({ clock });
    theirs.start({ data: (chunk) => chunks.push(chunk.length), drain() {}, close() {} });
    const other = setUp({ transport: ours, clock }).connection;
    for (const each of [connection, other]) {
      each.send(LINK);
      each.send(SEND, [1, 2]);
      each.send(SEND, new EncodedTerm("ahead"));
    }
    expect(peer.heard).toEqual([]);
    await clock.settle();
    expect(peer.heard).toStrictEqual([
      { control: LINK },
      { control: SEND, payload: [1, 2] },
      { control: SEND, payload: Buffer.from("ahead") },
    ]);
    expect(chunks).toHaveLength(1);
  });

  test("binaries written by reference arrive in their place", async () => {
    const { clock, connection, peer } = setUp();
    const large = Buffer.alloc(BY_REFERENCE_BYTES, 5);
    connection.send(SEND, tuple(1, large, 2));
    connection.send(SEND, new EncodedTerm([large, large]));
    connection.send(LINK);
    await clock.settle();
    expect(peer.heard).toHaveLength(3);
    const [first, second, third] = peer.heard;
    expect(first!.payload).toStrictEqual(tuple(1, large, 2));
    expect(second!.payload).toStrictEqual([large, large]);
    expect(third).toStrictEqual({ control: LINK });
  });

  test("what is not a term is refused and leaves nothing of itself", async () => {
    const { clock, connection, peer } = setUp();
    connection.send(SEND, 1);
    const notATerm = expect.objectContaining({ code: "ETF_NOT_A_TERM" });
    expect(() => connection.send(SEND, [Buffer.alloc(BY_REFERENCE_BYTES), Number.NaN])).toThrow(
      notATerm,
    );
    expect(() => connection.send(tuple(1, undefined as unknown as Term), 1)).toThrow(notATerm);
    connection.send(SEND, 2);
    await clock.settle();
    expect(peer.heard.map((heard) => heard.payload)).toEqual([1, 2]);
    expect(connection.stats().framesOut).toBe(2);
  });

  test("what is in force is asked by flag", () => {
    const { connection } = setUp();
    expect(connection.has(DFLAG.SPAWN)).toBe(true);
    expect(connection.has(DFLAG.UNLINK_ID)).toBe(false);
  });

  test("counts what it carries", async () => {
    const { clock, connection, peer } = setUp();
    const frame = frameOf(body(SEND, 1));
    connection.send(SEND, 1);
    expect(connection.stats()).toEqual({
      bytesIn: 0,
      bytesOut: 0,
      framesIn: 0,
      framesOut: 1,
      queuedBytes: frame.length,
    });
    peer.bytes(frame);
    peer.bytes(Buffer.alloc(4));
    await clock.settle();
    expect(connection.stats()).toEqual({
      bytesIn: frame.length + 4,
      bytesOut: frame.length,
      framesIn: 2,
      framesOut: 1,
      queuedBytes: 0,
    });
  });
});

describe("back-pressure", () => {
  const block = Buffer.alloc(6_000);

  test("is over the high-water mark until the peer has read", async () => {
    const { clock, connection, peer } = setUp({ pair: { highWaterMarkBytes: 10_000 } });
    peer.transport.pause();
    connection.send(SEND, block);
    expect(connection.congested).toBe(false);
    connection.send(SEND, block);
    expect(connection.congested).toBe(true);
    let drained = false;
    void connection.drained().then(() => {
      drained = true;
    });
    await clock.settle();
    expect(drained).toBe(false);
    expect(connection.congested).toBe(true);
    peer.transport.resume();
    await clock.settle();
    expect(drained).toBe(true);
    expect(connection.congested).toBe(false);
    expect(peer.heard).toHaveLength(2);
  });

  test("ends with the turn when the transport takes everything at once", async () => {
    const { clock, connection } = setUp();
    connection.send(SEND, block);
    connection.send(SEND, block);
    const drained = connection.drained();
    await clock.settle();
    await drained;
    expect(connection.queuedBytes).toBe(0);
  });

  test("nobody waits where there is room; who waits when the connection ends gets its error", async () => {
    const { clock, connection, peer } = setUp({ pair: { highWaterMarkBytes: 10_000 } });
    await connection.drained();
    peer.transport.pause();
    connection.send(SEND, block);
    connection.send(SEND, block);
    const waiting = connection.drained();
    peer.transport.destroy();
    await clock.settle();
    for (const late of [waiting, connection.drained()]) {
      await expect(late).rejects.toMatchObject({ code: "CONN_CLOSED" });
    }
  });
});

describe("ticks", () => {
  test("go out in each quarter without other traffic", async () => {
    const { clock, connection, peer } = setUp();
    await clock.advance(15_000);
    expect(peer.ticks).toBe(1);
    peer.bytes(Buffer.alloc(4));
    connection.send(LINK);
    await clock.advance(14_999);
    expect(peer.ticks).toBe(1);
    await clock.advance(1);
    expect(peer.ticks).toBe(1);
    await clock.advance(15_000);
    expect(peer.ticks).toBe(2);
  });

  test("a silent peer is given up within 1 to 1.25 net tick times", async () => {
    const { clock, peer, closed } = setUp();
    peer.bytes(Buffer.alloc(4));
    await clock.advance(74_999);
    expect(closed).toEqual([]);
    await clock.advance(1);
    expect(closed.map((error) => error.code)).toEqual(["CONN_NET_TICK_TIMEOUT"]);
    expect(closed[0]!.message).toContain("bilbo@vm");
    expect(peer.closed).toBe(true);
    expect(clock.timerCount).toBe(0);
  });

  test("a peer that only ticks is alive", async () => {
    const { clock, peer, closed } = setUp();
    for (let part = 0; part < 20; part++) {
      peer.bytes(Buffer.alloc(4));
      await clock.advance(15_000);
    }
    expect(closed).toEqual([]);
    expect(peer.ticks).toBe(20);
  });

  test("the net tick time and its parts are options", async () => {
    const { clock, peer, closed } = setUp({ netTickTimeMs: 8_000, netTickIntensity: 8 });
    await clock.advance(7_999);
    expect(peer.ticks).toBe(7);
    expect(closed).toEqual([]);
    await clock.advance(1);
    expect(closed).toHaveLength(1);
  });

  test("with a hidden node they answer silence even while we write", async () => {
    const [hidden, normal] = [setUp({ hidden: true }), setUp()];
    for (const { clock, connection, peer } of [hidden, normal]) {
      peer.bytes(Buffer.alloc(4));
      for (let part = 0; part < 3; part++) {
        connection.send(LINK);
        await clock.advance(15_000);
      }
    }
    expect(hidden.peer.ticks).toBe(2);
    expect(normal.peer.ticks).toBe(0);
  });
});

describe("the end", () => {
  test("from our side: what is queued is sent, and closed is told at once and once", async () => {
    const { clock, connection, peer, got, closed } = setUp();
    connection.send(SEND, "last words");
    connection.disconnect();
    expect(closed.map((error) => error.code)).toEqual(["CONN_DISCONNECTED"]);
    connection.disconnect();
    connection.send(SEND, "too late");
    peer.send(LINK);
    await clock.settle();
    await connection.released();
    expect(peer.heard).toStrictEqual([{ control: SEND, payload: Buffer.from("last words") }]);
    expect(peer.closed).toBe(true);
    expect(closed).toHaveLength(1);
    expect(got).toEqual([]);
    expect(clock.timerCount).toBe(0);
  });

  test("from our side, of a peer that reads no more: it is cut off after a second", async () => {
    const { clock, connection, peer } = setUp();
    peer.transport.pause();
    let released = false;
    void connection.released().then(() => {
      released = true;
    });
    connection.send(SEND, 1);
    connection.disconnect();
    await clock.advance(999);
    expect(released).toBe(false);
    await clock.advance(1);
    expect(released).toBe(true);
    expect(clock.timerCount).toBe(0);
  });

  test("from the peer's side", async () => {
    const { clock, connection, peer, closed } = setUp();
    peer.send(LINK);
    peer.transport.end();
    await clock.settle();
    await connection.released();
    expect(closed.map((error) => error.code)).toEqual(["CONN_CLOSED"]);
    expect(closed[0]!.message).toContain("bilbo@vm");
    connection.send(LINK);
    await clock.settle();
    expect(peer.heard).toEqual([]);
    expect(clock.timerCount).toBe(0);
  });

  test("by a broken stream, whose error is the cause", async () => {
    const clock = new FakeClock();
    const [transport] = memoryPair({ clock });
    const { closed } = setUp({ clock, transport });
    const broken = new Error("connection reset");
    transport.destroy(broken);
    await clock.settle();
    expect(closed).toEqual([
      expect.objectContaining({
        code: "CONN_CLOSED",
        message: expect.stringContaining("connection reset"),
        cause: broken,
      }),
    ]);
  });
});
