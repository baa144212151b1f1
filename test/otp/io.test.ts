import { describe, expect, test } from "vitest";
import { atom, charlist, Pid, Reference, type Term, tuple } from "../../etf/index.ts";
import { Cluster, inbox } from "../support/cluster.ts";
import { RawNode } from "../support/raw-node.ts";

const OK = atom("ok");
const UNICODE = atom("unicode");
const LATIN1 = atom("latin1");
const theirs = new Pid("other@vm", 1, 2, 7);
const replyAs = new Reference("other@vm", 7, [1, 2, 3]);
const error = (reason: Term) => tuple(atom("error"), reason) as Term;
const putChars = (...fields: Term[]) => tuple(atom("put_chars"), ...fields) as Term;
const ioLib = (encoding: Term, name: string, ...args: Term[]) =>
  putChars(encoding, atom("io_lib"), atom(name), args);

/** A node's user device; `ask` gives its reply, `printed` what it has printed. */
async function setUp() {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  const raw = await RawNode.connect(cluster, "gandalf@vm");
  const ask = async (request: Term) => {
    const message = tuple(atom("io_request"), theirs, replyAs, request);
    raw.send(tuple(22, theirs, node.groupLeader), message);
    await cluster.settle();
    const [heard, ...more] = raw.take();
    expect(more).toEqual([]);
    const [word, as, reply] = (heard?.payload ?? []) as Term[];
    expect([word, as]).toStrictEqual([atom("io_reply"), replyAs]);
    return reply;
  };
  return { cluster, node, raw, ask, printed: node.printed };
}

describe("the device", () => {
  test("is put out of service by nobody's exit signal, nor are the node's other services", async () => {
    const { node, raw, cluster, ask, printed } = await setUp();
    for (const name of ["user", "rex", "net_kernel"]) {
      const { pid } = node.whereis(name)!;
      raw.send(tuple(8, theirs, pid, atom("kill")));
      raw.send(tuple(8, theirs, pid, atom("why")));
      await cluster.settle();
      expect(node.whereis(name)?.pid).toBe(pid);
    }
    expect(await ask(putChars(UNICODE, charlist("still here")))).toBe(OK);
    expect(printed).toEqual(["still here"]);
  });

  test("is the node's group leader, registered as user, and its own", async () => {
    const { node } = await setUp();
    const device = node.whereis("user")!;
    expect(node.groupLeader).toBe(device.pid);
    expect(device.groupLeader).toBe(device.pid);
    expect(inbox(node).process.groupLeader).toBe(device.pid);
  });

  test("prints what the node's code on other nodes prints", async () => {
    const cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair();
    bilbo.expose("m", {
      async hello() {
        const ref = this.self.monitor(["rex", "bilbo@vm"]);
        const request = tuple(atom("put_chars"), UNICODE, "hello\n");
        void this.self.send(
          this.self.groupLeader,
          tuple(atom("io_request"), this.self.pid, ref, request),
        );
        const [, , reply] = (await this.self.receive()) as Term[];
        return reply;
      },
    });
    expect(await cluster.settled(gandalf.rpc.call("bilbo@vm", "m", "hello", []))).toBe(OK);
    expect([gandalf.printed, bilbo.printed]).toEqual([["hello\n"], []]);
  });
});

describe("put_chars", () => {
  test.each<[string, Term, string]>([
    ["UTF-8", putChars(UNICODE, Buffer.from("é€")), "é€"],
    ["code points", putChars(UNICODE, charlist("é€")), "é€"],
    ["Latin-1 bytes", putChars(LATIN1, Buffer.from([233])), "é"],
    ["Latin-1 characters", putChars(LATIN1, charlist("é")), "é"],
    ["without an encoding, which is Latin-1", putChars(Buffer.from([233])), "é"],
    ["io_lib's format", ioLib(UNICODE, "format", charlist("~ts~n"), [charlist("€")]), "€\n"],
    [
      "io_lib's format without an encoding",
      putChars(atom("io_lib"), atom("format"), [charlist("~w"), [1]]),
      "1",
    ],
    ["io_lib's nl", ioLib(UNICODE, "nl"), "\n"],
    ["nothing", putChars(UNICODE, []), ""],
  ])("of %s prints", async (_, request, text) => {
    const { ask, printed } = await setUp();
    expect(await ask(request)).toBe(OK);
    expect(printed).toEqual([text]);
  });

  test.each<[string, Term, Term]>([
    ["bytes that are no UTF-8", UNICODE, Buffer.from([233])],
    ["characters beyond the encoding", LATIN1, charlist("€")],
    ["what is no chardata", UNICODE, tuple(1)],
    ["an integer", UNICODE, 104],
  ])("of %s is an error, and nothing is printed", async (_, encoding, chars) => {
    const { ask, printed } = await setUp();
    expect(await ask(putChars(encoding, chars))).toStrictEqual(
      error(tuple(atom("put_chars"), encoding, chars) as Term),
    );
    expect(printed).toEqual([]);
  });

  test.each<[string, Term]>([
    ["another function", putChars(UNICODE, atom("os"), atom("cmd"), [charlist("true")])],
    ["a format that does not fit", ioLib(UNICODE, "format", charlist("~w"), [])],
    ["a format that asks for too much", ioLib(UNICODE, "format", charlist("~999999999w"), [1])],
  ])("by %s is an error, and nothing is printed", async (_, request) => {
    const { node, ask, printed } = await setUp();
    const reply = (await ask(request)) as Term[];
    expect(reply[0]).toBe(atom("error"));
    expect(printed).toEqual([]);
    expect(node.whereis("user")?.alive).toBe(true);
  });

  test.each<[string, Term]>([
    ["an encoding there is not", putChars(atom("utf16"), Buffer.from("x"))],
    ["no fields", putChars()],
  ])("with %s is a bad request", async (_, request) => {
    const { ask } = await setUp();
    expect(await ask(request)).toStrictEqual(error(atom("request")));
  });
});

describe("requests", () => {
  test("are carried out in order; the last one's reply is the answer", async () => {
    const { ask, printed } = await setUp();
    const requests = [putChars(UNICODE, charlist("a")), putChars(UNICODE, charlist("b"))];
    expect(await ask(tuple(atom("requests"), requests))).toBe(OK);
    expect(
      await ask(tuple(atom("requests"), [...requests, tuple(atom("get_line"), UNICODE, [])])),
    ).toBe(atom("eof"));
    expect(printed.join("")).toBe("abab");
  });

  test("end at the first that fails", async () => {
    const { ask, printed } = await setUp();
    const bad = tuple(atom("shout"), 1) as Term;
    expect(
      await ask(tuple(atom("requests"), [bad, putChars(UNICODE, charlist("b"))])),
    ).toStrictEqual(error(atom("request")));
    expect(printed).toEqual([]);
  });

  test("that are no list are a bad request", async () => {
    const { ask } = await setUp();
    expect(await ask(tuple(atom("requests"), tuple()))).toStrictEqual(error(atom("request")));
  });
});

describe("other requests", () => {
  test("getopts tells that the device is unicode", async () => {
    const { ask } = await setUp();
    expect(await ask(atom("getopts"))).toStrictEqual([
      tuple(atom("binary"), false),
      tuple(atom("encoding"), UNICODE),
    ]);
  });

  test.each(["get_line", "get_chars", "get_until", "get_password"])("%s gets eof", async (kind) => {
    const { ask } = await setUp();
    expect(await ask(tuple(atom(kind), UNICODE, charlist("> ")))).toBe(atom("eof"));
  });

  test.each<[Term, string]>([
    [tuple(atom("setopts"), []), "enotsup"],
    [tuple(atom("get_geometry"), atom("columns")), "enotsup"],
    [tuple(atom("shout"), 1), "request"],
    [tuple(Buffer.from("put_chars"), UNICODE, Buffer.from("x")), "request"],
    [tuple([atom("put_chars")], UNICODE, Buffer.from("x")), "request"],
    [Buffer.from("getopts"), "request"],
    [tuple(), "request"],
    [atom("shout"), "request"],
    [1, "request"],
    [charlist("getopts"), "request"],
  ])("%o is answered {error, %s}", async (request, reason) => {
    const { ask, printed } = await setUp();
    expect(await ask(request)).toStrictEqual(error(atom(reason)));
    expect(printed).toEqual([]);
  });

  test("a request may be as deep as it likes", async () => {
    const { node, ask } = await setUp();
    let deep: Term = [];
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(await ask(deep)).toStrictEqual(error(atom("request")));
    expect(await ask(tuple(deep, 1))).toStrictEqual(error(atom("request")));
    let nested: Term = atom("getopts");
    for (let level = 0; level < 100_000; level++)
      nested = tuple(atom("requests"), [nested]) as Term;
    await ask(nested);
    expect(node.whereis("user")?.alive).toBe(true);
  });

  test("what is no request is dropped", async () => {
    const { cluster, node, raw, printed } = await setUp();
    for (const message of [
      atom("hello"),
      tuple(atom("io_request"), theirs, replyAs),
      tuple(atom("io_request"), atom("me"), replyAs, putChars(UNICODE, charlist("x"))),
      tuple(atom("io_reply"), theirs, replyAs, putChars(UNICODE, charlist("x"))),
    ]) {
      raw.send(tuple(22, theirs, node.groupLeader), message as Term);
    }
    await cluster.settle();
    expect([raw.take(), printed]).toEqual([[], []]);
  });
});
