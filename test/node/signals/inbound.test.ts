/** Each control message as a peer sends it, by the number it has on the wire. */
import { describe, expect, test } from "vitest";
import { atom, Pid, Reference, type Term, type TermInput, tuple } from "../../../etf/index.ts";
import { Cluster, inbox } from "../../support/cluster.ts";
import { messageBytes, RawNode } from "../../support/raw-node.ts";

const EXIT = atom("EXIT");
const NOPROC = atom("noproc");
const UNUSED = atom("");
const TOKEN = tuple(1, 2, 3, 4, 5);
const oops = tuple(atom("oops"), 1) as Term;

async function setUp() {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  const raw = await RawNode.connect(cluster, "gandalf@vm");
  const box = inbox(node, { trapExit: true, name: "box" });
  return {
    cluster,
    node,
    raw,
    box,
    ours: box.process.pid,
    theirs: new Pid("other@vm", 1, 2, 7),
    ref: new Reference("other@vm", 7, [1, 2, 3]),
    nobody: new Pid("gandalf@vm", 9999, 0, node.creation),
    /** Sends a message and returns what the node answered. */
    say: async (control: TermInput, payload?: TermInput) => {
      raw.send(control, payload);
      await cluster.settle();
      return raw.take();
    },
  };
}

describe("messages", () => {
  test.each<[string, (theirs: Pid, ours: Pid) => TermInput]>([
    ["SEND", (_, ours) => tuple(2, UNUSED, ours)],
    ["SEND_TT", (_, ours) => tuple(12, UNUSED, ours, TOKEN)],
    ["SEND_SENDER", (theirs, ours) => tuple(22, theirs, ours)],
    ["SEND_SENDER_TT", (theirs, ours) => tuple(23, theirs, ours, TOKEN)],
    ["REG_SEND", (theirs) => tuple(6, theirs, UNUSED, atom("box"))],
    ["REG_SEND_TT", (theirs) => tuple(16, theirs, UNUSED, atom("box"), TOKEN)],
  ])("%s is delivered", async (_, control) => {
    const { say, box, ours, theirs } = await setUp();
    expect(await say(control(theirs, ours), oops)).toEqual([]);
    expect(box.messages).toStrictEqual([oops]);
  });

  test.each<[string, number, Term[]]>([
    ["ALIAS_SEND", 33, []],
    ["ALIAS_SEND_TT", 34, [TOKEN as Term]],
  ])("%s is delivered", async (_, op, token) => {
    const { node, say, box, theirs } = await setUp();
    const alias = node.runtime.alias(box.process, false);
    await say(tuple(op, theirs, alias, ...token), oops);
    expect(box.messages).toStrictEqual([oops]);
  });

  test.each<[string, number, (theirs: Pid, ours: Pid) => Term[]]>([
    ["to a pid", 0, (_, ours) => [ours]],
    ["to a pid, first of all", 1, (_, ours) => [ours]],
    ["to a name", 8, () => [atom("box")]],
    ["with a token", 2, (_, ours) => [ours, TOKEN as Term]],
    ["with what later releases may add", 32, (_, ours) => [ours, 1, 2]],
  ])("ALTACT_SIG_SEND is delivered %s", async (_, flags, to) => {
    const { say, box, ours, theirs } = await setUp();
    expect(await say(tuple(37, flags, theirs, ...to(theirs, ours)), oops)).toEqual([]);
    expect(box.messages).toStrictEqual([oops]);
  });

  test("ALTACT_SIG_SEND is delivered to an alias, once if the alias is for one message", async () => {
    const { node, say, box, theirs } = await setUp();
    for (const once of [false, true]) {
      const alias = node.runtime.alias(box.process, once);
      for (const flags of [4, 5]) await say(tuple(37, flags, theirs, alias), flags);
    }
    expect(box.messages).toStrictEqual([4, 5, 4]);
  });

  test("ALTACT_SIG_SEND may be an exit signal, to a pid, a name or an alias", async () => {
    const { node, say, box, ours, theirs } = await setUp();
    const alias = node.runtime.alias(box.process, false);
    await say(tuple(37, 16, theirs, ours), 1);
    await say(tuple(37, 17, theirs, ours), 2);
    await say(tuple(37, 24, theirs, atom("box")), 3);
    await say(tuple(37, 20, theirs, alias), 4);
    await say(tuple(37, 21, theirs, alias), 5);
    node.runtime.unalias(alias);
    await say(tuple(37, 20, theirs, alias), 6);
    expect(box.messages).toStrictEqual(
      [1, 2, 3, 4, 5].map((reason) => tuple(EXIT, theirs, reason)),
    );
  });

  test("to nobody are dropped without a reply", async () => {
    const { say, raw, box, ours, theirs, ref, nobody } = await setUp();
    const formerLife = new Pid(ours.node, ours.id, ours.serial, ours.creation + 1);
    const elsewhere = new Pid("frodo@vm", ours.id, ours.serial, ours.creation);
    for (const to of [nobody, formerLife, elsewhere]) {
      expect(await say(tuple(22, theirs, to), 1)).toEqual([]);
    }
    expect(await say(tuple(6, theirs, UNUSED, atom("nobody")), 1)).toEqual([]);
    expect(await say(tuple(33, theirs, ref), 1)).toEqual([]);
    for (const flags of [0, 16]) {
      expect(await say(tuple(37, flags, theirs, nobody), 1)).toEqual([]);
      expect(await say(tuple(37, flags + 4, theirs, ref), 1)).toEqual([]);
      expect(await say(tuple(37, flags + 8, theirs, atom("nobody")), 1)).toEqual([]);
    }
    expect([box.messages, raw.closed]).toEqual([[], false]);
  });
});

describe("links", () => {
  test("LINK makes a link, whose end is reported", async () => {
    const { cluster, raw, say, box, ours, theirs } = await setUp();
    expect(await say(tuple(1, theirs, ours))).toEqual([]);
    expect(await say(tuple(1, theirs, ours))).toEqual([]);
    box.process.terminate(oops);
    await cluster.settle();
    expect(raw.take()).toStrictEqual([{ control: tuple(24, ours, theirs), payload: oops }]);
  });

  test("LINK to a dead process is answered with an exit signal", async () => {
    const { say, theirs, nobody } = await setUp();
    expect(await say(tuple(1, theirs, nobody))).toStrictEqual([
      { control: tuple(24, nobody, theirs), payload: NOPROC },
    ]);
  });

  test.each<[string, (theirs: Pid, ours: Pid) => [TermInput, TermInput?]]>([
    ["EXIT", (theirs, ours) => [tuple(3, theirs, ours, oops)]],
    ["EXIT_TT", (theirs, ours) => [tuple(13, theirs, ours, TOKEN, oops)]],
    ["PAYLOAD_EXIT", (theirs, ours) => [tuple(24, theirs, ours), oops]],
    ["PAYLOAD_EXIT_TT", (theirs, ours) => [tuple(25, theirs, ours, TOKEN), oops]],
  ])("%s is heard of a link, once, and of nothing else", async (_, message) => {
    const { raw, say, box, ours, theirs } = await setUp();
    await say(...message(theirs, ours));
    expect(box.messages).toEqual([]);
    raw.send(tuple(1, theirs, ours));
    await say(...message(theirs, ours));
    await say(...message(theirs, ours));
    expect(box.messages).toStrictEqual([tuple(EXIT, theirs, oops)]);
  });

  test("UNLINK, without an id, removes a link and is not acknowledged", async () => {
    const { raw, say, box, ours, theirs } = await setUp();
    raw.send(tuple(1, theirs, ours));
    expect(await say(tuple(4, theirs, ours))).toEqual([]);
    await say(tuple(24, theirs, ours), oops);
    expect(box.messages).toEqual([]);
  });
});

describe("exit signals", () => {
  test.each<[string, (theirs: Pid, ours: Pid) => [TermInput, TermInput?]]>([
    ["EXIT2", (theirs, ours) => [tuple(8, theirs, ours, oops)]],
    ["EXIT2_TT", (theirs, ours) => [tuple(18, theirs, ours, TOKEN, oops)]],
    ["PAYLOAD_EXIT2", (theirs, ours) => [tuple(26, theirs, ours), oops]],
    ["PAYLOAD_EXIT2_TT", (theirs, ours) => [tuple(27, theirs, ours, TOKEN), oops]],
  ])("%s is heard without a link", async (_, message) => {
    const { node, say, box, ours, theirs, nobody } = await setUp();
    const plain = inbox(node);
    await say(...message(theirs, ours));
    await say(...message(theirs, plain.process.pid));
    await say(...message(theirs, nobody));
    expect(box.messages).toStrictEqual([tuple(EXIT, theirs, oops)]);
    expect(plain.died).toStrictEqual(oops);
  });
});

describe("monitors", () => {
  test.each(["pid", "name"])(
    "MONITOR_P by %s reports the end, by what it monitored",
    async (by) => {
      const { cluster, raw, say, box, ours, theirs, ref } = await setUp();
      const object = by === "pid" ? ours : atom("box");
      expect(await say(tuple(19, theirs, object, ref))).toEqual([]);
      box.process.terminate(oops);
      await cluster.settle();
      expect(raw.take()).toStrictEqual([
        { control: tuple(28, object, theirs, ref), payload: oops },
      ]);
    },
  );

  test("MONITOR_P of a dead process fires at once", async () => {
    const { say, theirs, ref, nobody } = await setUp();
    for (const object of [nobody, atom("nobody")]) {
      expect(await say(tuple(19, theirs, object, ref))).toStrictEqual([
        { control: tuple(28, object, theirs, ref), payload: NOPROC },
      ]);
    }
  });

  test("DEMONITOR_P removes a monitor, and does nothing if there is none", async () => {
    const { cluster, raw, say, box, ours, theirs, ref } = await setUp();
    raw.send(tuple(19, theirs, ours, ref));
    expect(await say(tuple(20, theirs, ours, ref))).toEqual([]);
    expect(await say(tuple(20, theirs, ours, ref))).toEqual([]);
    expect(box.process.monitoredBy?.size).toBe(0);
    box.process.terminate(oops);
    await cluster.settle();
    expect(raw.take()).toEqual([]);
  });

  test.each<[string, (theirs: Pid, ours: Pid, ref: Reference) => [TermInput, TermInput?]]>([
    ["MONITOR_P_EXIT", (theirs, ours, ref) => [tuple(21, theirs, ours, ref, oops)]],
    ["PAYLOAD_MONITOR_P_EXIT", (theirs, ours, ref) => [tuple(28, theirs, ours, ref), oops]],
  ])("%s is heard once, by who set that monitor", async (_, message) => {
    const { say, box, ours, theirs, ref } = await setUp();
    await say(...message(theirs, ours, ref));
    expect(box.messages).toEqual([]);
    const set = box.process.monitor(theirs);
    await say(...message(theirs, ours, set));
    await say(...message(theirs, ours, set));
    expect(box.messages).toStrictEqual([tuple(atom("DOWN"), set, atom("process"), theirs, oops)]);
  });
});

test("GROUP_LEADER sets the group leader of a process", async () => {
  const { say, box, ours, theirs, nobody } = await setUp();
  await say(tuple(7, theirs, ours));
  await say(tuple(7, theirs, nobody));
  expect(box.process.groupLeader).toStrictEqual(theirs);
});

describe("signals that tie processes together", () => {
  const stranger = new Pid("frodo@vm", 1, 0, 9);
  const theirs = new Pid("bad@vm", 1, 2, 7);
  const ref = new Reference("bad@vm", 7, [1, 2, 3]);
  const mfa = tuple(atom("m"), atom("f"), 0);

  /** The control message with its sender and receiver. */
  const signals: [string, (from: Pid, to: Pid) => TermInput, payload?: TermInput][] = [
    ["LINK", (from, to) => tuple(1, from, to)],
    ["UNLINK_ID", (from, to) => tuple(35, 1, from, to)],
    ["UNLINK_ID_ACK", (from, to) => tuple(36, 1, from, to)],
    ["EXIT", (from, to) => tuple(3, from, to, oops)],
    ["PAYLOAD_EXIT", (from, to) => tuple(24, from, to), oops],
    ["MONITOR_P", (from, to) => tuple(19, from, to, ref)],
    ["DEMONITOR_P", (from, to) => tuple(20, from, to, ref)],
  ];
  const spawnRequest = (from: Pid): TermInput => tuple(29, ref, from, theirs, mfa, []);

  test.each<[string, (ours: Pid) => TermInput, TermInput?]>([
    ...signals.map(
      ([name, control, payload]) =>
        [
          `${name} in the name of another node's process`,
          (ours: Pid) => control(stranger, ours),
          payload,
        ] as [string, (ours: Pid) => TermInput, TermInput?],
    ),
    ...signals.map(
      ([name, control, payload]) =>
        [`${name} for another node's process`, () => control(theirs, stranger), payload] as [
          string,
          (ours: Pid) => TermInput,
          TermInput?,
        ],
    ),
    ["LINK in our own name", (ours) => tuple(1, ours, ours)],
    ["SPAWN_REQUEST in our own name", (ours) => spawnRequest(ours), []],
  ])("%s is refused, and does nothing", async (_, control, payload) => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const raw = await RawNode.connect(cluster, "gandalf@vm", { name: "bad@vm" });
    const frodo = await RawNode.connect(cluster, "gandalf@vm", { name: "frodo@vm" });
    const box = inbox(node, { trapExit: true });
    box.process.link(stranger);
    await cluster.settle();
    raw.send(control(box.process.pid), payload);
    await cluster.settle();
    expect(node.events.slice(2)).toEqual(["down bad@vm DIST_CONTROL_MALFORMED"]);
    expect([raw.closed, frodo.closed, box.messages]).toEqual([true, false, []]);
    expect(box.process.links?.size).toBe(1);
  });
});

describe("a protocol violation", () => {
  const pid = new Pid("gandalf@vm", 1, 0, 100);

  test.each<[string, Uint8Array, string]>([
    ["an unknown operation", messageBytes(tuple(99, pid, pid)), "DIST_CONTROL_UNKNOWN"],
    ["one that was not offered", messageBytes(tuple(38, 1, pid, pid), 1), "DIST_CONTROL_UNKNOWN"],
    ["a field too few", messageBytes(tuple(1, pid)), "DIST_CONTROL_MALFORMED"],
    ["a field of the wrong type", messageBytes(tuple(4, pid, 5)), "DIST_CONTROL_MALFORMED"],
    ["a missing payload", messageBytes(tuple(2, UNUSED, pid)), "DIST_CONTROL_MALFORMED"],
    ["a frame over the limit", Buffer.alloc(5001), "DIST_FRAME_LIMIT"],
    ["no term", Buffer.from([112, 131, 104, 3, 97, 1, 200, 0]), "DIST_TERM_MALFORMED"],
    ["a frame of another kind", Buffer.from([131, 68, 0, 104, 0]), "DIST_FRAME_TYPE"],
  ])("%s closes that connection; the node goes on, with it too", async (_, bad, code) => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm", { maxFrameBytes: 5000 });
    const good = await RawNode.connect(cluster, "gandalf@vm", { name: "good@vm" });
    const raw = await RawNode.connect(cluster, "gandalf@vm", { name: "bad@vm" });
    const box = inbox(node, { trapExit: true });
    const theirs = new Pid("bad@vm", 1, 2, 7);
    const ref = box.process.monitor(theirs);
    box.process.link(theirs);
    await cluster.settle();
    raw.frame(bad);
    raw.send(tuple(22, theirs, box.process.pid), "behind it");
    await cluster.settle();
    const NOCONNECTION = atom("noconnection");
    expect(raw.closed).toBe(true);
    expect(box.messages).toStrictEqual([
      tuple(EXIT, theirs, NOCONNECTION),
      tuple(atom("DOWN"), ref, atom("process"), theirs, NOCONNECTION),
    ]);
    expect(node.events).toEqual(["up good@vm", "up bad@vm", `down bad@vm ${code}`]);
    good.send(tuple(22, new Pid("good@vm", 1, 2, 7), box.process.pid), "still here");
    const again = await RawNode.connect(cluster, "gandalf@vm", { name: "bad@vm" });
    again.send(tuple(22, theirs, box.process.pid), "back again");
    await cluster.settle();
    expect(box.messages.slice(2)).toStrictEqual([
      Buffer.from("still here"),
      Buffer.from("back again"),
    ]);
  });
});
