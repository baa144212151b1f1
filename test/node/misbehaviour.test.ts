/**
 * Every control message as a misbehaving peer sends it: cut short, twice, too long, without
 * negotiation, and out of turn. The connection ends with its documented code, or nothing
 * happens; the node keeps working either way.
 */
import { describe, expect, test } from "vitest";
import { atom, Pid, Reference, type TermInput, tuple } from "../../etf/index.ts";
import { CONTROL, type ControlName } from "../../src/distribution/control.ts";
import { DFLAG } from "../../src/distribution/flags.ts";
import { Cluster, inbox } from "../support/cluster.ts";
import { frameOf, messageBytes, RAW_FLAGS, RawNode } from "../support/raw-node.ts";

const theirs = new Pid("bad@vm", 1, 2, 7);
const ref = new Reference("bad@vm", 7, [1, 2, 3]);
const token = tuple(1, 17, 1, theirs, 0);

/** The values of the fields; `ours` is a process of the node without ties to the peer. */
function fieldsOf(ours: Pid): Record<string, TermInput> {
  return {
    fromPid: theirs,
    toPid: ours,
    fromProc: theirs,
    toProc: ours,
    toName: atom("nobody"),
    ref,
    reqId: ref,
    alias: ref,
    groupLeader: theirs,
    mfa: tuple(atom("m"), atom("f"), 0),
    optList: [],
    id: 7,
    flags: 0,
    altactFlags: 0,
    reason: atom("normal"),
    result: atom("badarg"),
    traceToken: token,
    to: ours,
    unused: atom(""),
  };
}

/** Those without a receiver here, whose payload is not read. */
const FOR_NOBODY: ReadonlySet<ControlName> = new Set<ControlName>([
  "REG_SEND",
  "REG_SEND_TT",
  "ALIAS_SEND",
  "ALIAS_SEND_TT",
  "PAYLOAD_EXIT",
  "PAYLOAD_EXIT_TT",
  "PAYLOAD_MONITOR_P_EXIT",
]);

/** A message of that name; with `alone`, without its payload. */
function messageOf(name: ControlName, ours: Pid, alone = false): Buffer {
  const { op, fields, payload } = CONTROL[name];
  const values = fieldsOf(ours);
  const control = tuple(op, ...fields.map((field) => values[field]!));
  const isExit = name.includes("EXIT");
  const body: TermInput = isExit ? atom("normal") : [];
  return payload && !alone ? messageBytes(control, body) : messageBytes(control);
}

async function setUp() {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm", { maxFrameBytes: 5000 });
  const good = await RawNode.connect(cluster, "gandalf@vm", { name: "good@vm" });
  const box = inbox(node, { trapExit: true });
  node.events.length = 0;
  return {
    cluster,
    node,
    box,
    ours: box.process.pid,
    /** Sends these frames on a connection; returns the code with which it ended, if it did. */
    fate: async (frames: readonly Uint8Array[], flags = RAW_FLAGS): Promise<string> => {
      const raw = await RawNode.connect(cluster, "gandalf@vm", { name: "bad@vm", flags });
      for (const bytes of frames) raw.bytes(bytes);
      await cluster.settle();
      const ended = raw.closed;
      raw.transport.destroy();
      await cluster.settle();
      const [up, down] = node.events.splice(0) as [string, string];
      expect(up).toBe("up bad@vm");
      return ended ? down.replace("down bad@vm ", "") : "lives";
    },
    /** The node still works with other peers. */
    lives: async (): Promise<void> => {
      box.messages.length = 0;
      good.send(tuple(22, new Pid("good@vm", 1, 2, 7), box.process.pid), "still here");
      await cluster.settle();
      expect([box.process.alive, good.closed, node.events]).toEqual([true, false, []]);
      expect(box.messages).toStrictEqual([Buffer.from("still here")]);
    },
  };
}

const names = Object.keys(CONTROL) as ControlName[];

describe.each(names)("%s", (name) => {
  test("cut short ends the connection, unless it cuts only a payload for nobody", async () => {
    const { ours, fate, lives } = await setUp();
    const whole = messageOf(name, ours);
    const forNobody = FOR_NOBODY.has(name);
    const looked = messageOf(name, ours, forNobody).length;
    const codes = new Set<string>();
    const step = Math.ceil(whole.length / 12);
    for (let end = 1; end < looked; end += step) {
      codes.add(await fate([frameOf(whole.subarray(0, end))]));
    }
    const last = await fate([frameOf(whole.subarray(0, -1))]);
    if (forNobody) expect(last).toBe("lives");
    else codes.add(last);
    const documented = ["DIST_FRAME_TYPE", "DIST_TERM_MALFORMED", "DIST_CONTROL_MALFORMED"];
    expect(documented).toEqual(expect.arrayContaining([...codes]));
    expect(codes.size).toBeGreaterThan(1);
    await lives();
  });

  test("out of turn, once or twice, is accepted", async () => {
    const { ours, box, fate, lives } = await setUp();
    const frame = frameOf(messageOf(name, ours));
    expect(await fate([frame])).toBe("lives");
    expect(await fate([frame, frame])).toBe("lives");
    expect(box.process.links?.size ?? 0).toBe(0);
    await lives();
  });

  test("twice in one frame, or with trailing bytes: the rest is ignored", async () => {
    const { ours, fate, lives } = await setUp();
    const whole = messageOf(name, ours);
    expect(await fate([frameOf(Buffer.concat([whole, whole]))])).toBe("lives");
    const longer = Buffer.concat([whole, Buffer.from([106])]);
    expect(await fate([frameOf(longer)])).toBe("lives");
    await lives();
  });

  test("in a frame over the limit ends the connection before the frame has arrived", async () => {
    const { ours, fate, lives } = await setUp();
    const whole = messageOf(name, ours);
    const announced = Buffer.alloc(4);
    announced.writeUInt32BE(5001);
    expect(await fate([announced, whole])).toBe("DIST_FRAME_LIMIT");
    await lives();
  });
});

test.each(names.filter((name) => "flag" in CONTROL[name]))(
  "%s, not negotiated, ends the connection",
  async (name) => {
    const { flag } = CONTROL[name] as { flag: bigint };
    const { ours, fate, lives } = await setUp();
    expect(await fate([frameOf(messageOf(name, ours))], RAW_FLAGS & ~flag)).toBe(
      "DIST_CONTROL_UNKNOWN",
    );
    await lives();
  },
);

test("messages that a distribution flag introduced need that flag, and no others", () => {
  const needed = new Map<bigint, string[]>();
  for (const name of names) {
    const { flag } = CONTROL[name] as { flag?: bigint };
    if (flag !== undefined) needed.set(flag, [...(needed.get(flag) ?? []), name]);
  }
  expect(needed).toEqual(
    new Map([
      [DFLAG.SEND_SENDER, ["SEND_SENDER", "SEND_SENDER_TT"]],
      [
        DFLAG.EXIT_PAYLOAD,
        [
          "PAYLOAD_EXIT",
          "PAYLOAD_EXIT_TT",
          "PAYLOAD_EXIT2",
          "PAYLOAD_EXIT2_TT",
          "PAYLOAD_MONITOR_P_EXIT",
        ],
      ],
      [DFLAG.SPAWN, ["SPAWN_REQUEST", "SPAWN_REQUEST_TT", "SPAWN_REPLY", "SPAWN_REPLY_TT"]],
      [DFLAG.ALIAS, ["ALIAS_SEND", "ALIAS_SEND_TT"]],
      [DFLAG.UNLINK_ID, ["UNLINK_ID", "UNLINK_ID_ACK"]],
      [DFLAG.ALTACT_SIG, ["ALTACT_SIG_SEND"]],
    ]),
  );
});
