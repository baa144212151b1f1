import { describe, expect, test } from "vitest";
import { atom, charlist, Pid, Reference, type Term, tuple } from "../../../etf/index.ts";
import type { DeviceOptions } from "../../../src/otp/io/io-device.ts";
import { Cluster, inbox } from "../../support/cluster.ts";
import { RawNode } from "../../support/raw-node.ts";

const OK = atom("ok");
const UNICODE = atom("unicode");
const LATIN1 = atom("latin1");
const theirs = new Pid("other@vm", 1, 2, 7);
const replyAs = new Reference("other@vm", 7, [1, 2, 3]);
const error = (reason: Term) => tuple(atom("error"), reason) as Term;
const putChars = (...fields: Term[]) => tuple(atom("put_chars"), ...fields) as Term;
const ioLib = (encoding: Term, name: string, ...args: Term[]) =>
  putChars(encoding, atom("io_lib"), atom(name), args);

/** A node's user device: `ask` returns its reply, `printed` the text that it printed. */
async function setUp(options: Partial<DeviceOptions> = {}) {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm", options);
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
  test("no exit signal ends it or another service of the node", async () => {
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

  test("is the node's group leader and its own, registered as user", async () => {
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
    ["bytes that are not UTF-8", UNICODE, Buffer.from([233])],
    ["characters beyond the encoding", LATIN1, charlist("€")],
    ["a term that is not chardata", UNICODE, tuple(1)],
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

  test("that are not a list are a bad request", async () => {
    const { ask } = await setUp();
    expect(await ask(tuple(atom("requests"), tuple()))).toStrictEqual(error(atom("request")));
  });
});

describe("other requests", () => {
  test("getopts reports unicode", async () => {
    const { ask } = await setUp();
    expect(await ask(atom("getopts"))).toStrictEqual([
      tuple(atom("binary"), false),
      tuple(atom("encoding"), UNICODE),
    ]);
  });

  test.each<[string, Term]>([
    ["get_line", tuple(atom("get_line"), UNICODE, charlist("> "))],
    ["get_chars", tuple(atom("get_chars"), UNICODE, charlist("> "), 3)],
    ["get_line of old", tuple(atom("get_line"), charlist("> "))],
    ["get_chars of old", tuple(atom("get_chars"), charlist("> "), 3)],
  ])("without input %s prompts and gets eof", async (_, request) => {
    const { ask, printed } = await setUp();
    expect(await ask(request)).toBe(atom("eof"));
    expect(printed).toEqual(["> "]);
  });

  test.each<[Term, string]>([
    [tuple(atom("get_password"), UNICODE), "enotsup"],
    [tuple(atom("setopts"), [tuple(atom("log"), atom("all"))]), "enotsup"],
    [tuple(atom("setopts"), [tuple(atom("binary"), 1)]), "enotsup"],
    [tuple(atom("setopts"), [tuple(atom("encoding"), atom("utf16"))]), "enotsup"],
    [tuple(atom("setopts"), atom("binary")), "enotsup"],
    [tuple(atom("get_geometry"), atom("depth")), "request"],
    [tuple(atom("get_line"), atom("utf16"), []), "request"],
    [tuple(atom("get_line")), "request"],
    [tuple(atom("get_line"), UNICODE, [], 1, 2), "request"],
    [tuple(atom("get_chars"), UNICODE, [], -1), "request"],
    [tuple(atom("get_chars"), UNICODE, [], atom("all")), "request"],
    [tuple(atom("get_until"), UNICODE, [], atom("m"), 1, []), "request"],
    [tuple(atom("get_until"), UNICODE, [], atom("m"), atom("f"), 1), "request"],
    [tuple(atom("get_until"), UNICODE, [], atom("os"), atom("cmd"), []), "cmd"],
    [tuple(atom("get_until"), UNICODE, [], atom("io_lib"), atom("fread"), [[]]), "fread"],
    [tuple(atom("get_until"), UNICODE, [], atom("erl_scan"), atom("tokens"), [0]), "tokens"],
    [tuple(atom("get_until"), UNICODE, [], atom("erl_scan"), atom("tokens"), [1, 2, 3]), "tokens"],
    [tuple(atom("get_geometry"), atom("columns")), "enotsup"],
    [tuple(atom("shout"), 1), "request"],
    [tuple(Buffer.from("put_chars"), UNICODE, Buffer.from("x")), "request"],
    [tuple([atom("put_chars")], UNICODE, Buffer.from("x")), "request"],
    [Buffer.from("getopts"), "request"],
    [tuple(), "request"],
    [atom("shout"), "request"],
    [1, "request"],
    [charlist("getopts"), "request"],
  ])("%o gets the answer {error, %s}", async (request, reason) => {
    const { ask, printed } = await setUp();
    expect(await ask(request)).toStrictEqual(error(atom(reason)));
    expect(printed).toEqual([]);
  });

  test("a request may be nested to any depth", async () => {
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

  test("other messages are dropped", async () => {
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

/** Input that the test controls: `type` makes text arrive. */
class Keyboard implements AsyncIterable<string | Uint8Array> {
  readonly #typed: (string | Uint8Array | Error | undefined)[] = [];
  #wake = (): void => {};
  reads = 0;

  type(...pieces: (string | Uint8Array | Error | undefined)[]): void {
    this.#typed.push(...pieces);
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string | Uint8Array> {
    for (;;) {
      this.reads++;
      while (this.#typed.length === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      const piece = this.#typed.shift();
      if (piece === undefined) return;
      if (piece instanceof Error) throw piece;
      yield piece;
    }
  }
}

/** A node whose user device reads from a keyboard, and a reader of another node. */
async function reading(...typed: (string | Uint8Array | Error | undefined)[]) {
  const keyboard = new Keyboard();
  keyboard.type(...typed);
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm", { input: keyboard });
  const bilbo = await cluster.start("bilbo@vm");
  const request = (what: Term) => bilbo.io.request(["user", "gandalf@vm"], what);
  const ask = (what: Term) => cluster.settled(request(what));
  return { cluster, node, bilbo, keyboard, request, ask, printed: node.printed };
}

const getLine = (prompt: Term = [], encoding: Term = UNICODE) =>
  tuple(atom("get_line"), encoding, prompt) as Term;
const getChars = (count: number, encoding: Term = UNICODE) =>
  tuple(atom("get_chars"), encoding, [], count) as Term;
const getTokens = (...args: Term[]) =>
  tuple(atom("get_until"), UNICODE, [], atom("erl_scan"), atom("tokens"), args) as Term;

describe("input", () => {
  test("is read by lines, and the last one may have no newline", async () => {
    const { ask } = await reading("one\ntw", "o\n", "three", undefined);
    for (const line of ["one\n", "two\n", "three"]) {
      expect(await ask(getLine())).toStrictEqual(charlist(line));
    }
    expect(await ask(getLine())).toBe(atom("eof"));
    expect(await ask(getChars(1))).toBe(atom("eof"));
  });

  test("is read by characters, across the ends of lines", async () => {
    const { ask } = await reading("ab\n", "c\u{1f600}d", undefined);
    expect(await ask(getChars(0))).toStrictEqual([]);
    expect(await ask(getChars(4))).toStrictEqual(charlist("ab\nc"));
    expect(await ask(getChars(1))).toStrictEqual([0x1f600]);
    expect(await ask(getChars(9))).toStrictEqual(charlist("d"));
    expect(await ask(getChars(0))).toStrictEqual([]);
    expect(await ask(getChars(1))).toBe(atom("eof"));
  });

  test("in bytes is UTF-8, wherever the pieces end", async () => {
    const bytes = Buffer.from("€é\n");
    const { ask } = await reading(...[...bytes].map((byte) => Uint8Array.of(byte)));
    expect(await ask(getLine())).toStrictEqual(charlist("€é\n"));
  });

  test("that is not UTF-8 is an error after the text before it", async () => {
    const { ask } = await reading(Buffer.from([0x61, 0x0a, 0xff, 0x62, 0x0a]), "more\n");
    expect(await ask(getLine())).toStrictEqual(charlist("a\n"));
    for (let i = 0; i < 2; i++) expect(await ask(getLine())).toStrictEqual(error(atom("eilseq")));
    const cut = await reading(Buffer.from([0x61, 0xe2, 0x82]), undefined);
    expect(await cut.ask(getChars(1))).toStrictEqual(charlist("a"));
    expect(await cut.ask(getChars(1))).toStrictEqual(error(atom("eilseq")));
    const marked = await reading(Buffer.from("\ufeffa\n"));
    expect(await marked.ask(getLine())).toStrictEqual(charlist("\ufeffa\n"));
  });

  test("is not read before a request, and no further than requested", async () => {
    const { ask, keyboard } = await reading("one\n", "two\n");
    expect(keyboard.reads).toBe(0);
    await ask(getLine());
    expect(keyboard.reads).toBe(1);
  });

  test("is awaited after the prompt, while others print", async () => {
    const { cluster, request, ask, keyboard, printed } = await reading();
    const line = request(getLine(charlist("name: ")));
    await cluster.settle();
    expect(await ask(putChars(UNICODE, charlist("meanwhile\n")))).toBe(OK);
    keyboard.type("frodo\n");
    expect(await cluster.settled(line)).toStrictEqual(charlist("frodo\n"));
    expect(printed).toEqual(["name: ", "meanwhile\n"]);
  });

  test.each<[string, Term, string]>([
    ["an atom", atom("abc"), "abc"],
    ["the empty atom", atom(""), ""],
    ["a binary", Buffer.from("é "), "é "],
    ["characters", charlist("€ "), "€ "],
    ["a format", tuple(atom("format"), charlist("~w> "), [1]) as Term, "1> "],
    ["another term", tuple(1, 2) as Term, "{1,2}"],
    ["an integer", 65, "65"],
  ])("is prompted for by %s", async (_, prompt, shown) => {
    const { ask, printed } = await reading("x\n");
    await ask(getLine(prompt));
    expect(printed.join("")).toBe(shown);
  });

  test("goes to the waiting readers in order", async () => {
    const { cluster, request, keyboard, printed } = await reading();
    const lines = [request(getLine(charlist("1"))), request(getLine(charlist("2")))];
    await cluster.settle();
    expect(printed).toEqual(["1"]);
    keyboard.type("one\ntwo\n");
    expect(await cluster.settled(Promise.all(lines))).toStrictEqual([
      charlist("one\n"),
      charlist("two\n"),
    ]);
  });

  test("is not taken by a reader that died", async () => {
    const { cluster, node, bilbo, ask, keyboard } = await reading();
    const reader = bilbo.spawn((self) => self.receive());
    const request = tuple(atom("io_request"), reader.pid, replyAs, getLine());
    await bilbo.send(["user", "gandalf@vm"], request);
    await cluster.settle();
    expect(keyboard.reads).toBe(1);
    bilbo.exit(reader.pid, atom("why"));
    await cluster.settle();
    keyboard.type("for the living\n");
    expect(await ask(getLine())).toStrictEqual(charlist("for the living\n"));
    expect(node.whereis("user")?.alive).toBe(true);
  });

  test("that fails is an error with its POSIX name", async () => {
    const failure = Object.assign(new Error("broken"), { code: "EIO" });
    const { ask } = await reading("half a line", failure);
    expect(await ask(getLine())).toStrictEqual(error(atom("eio")));
    expect(await ask(getChars(4))).toStrictEqual(charlist("half"));
    const other = await reading(new Error("what?"));
    expect(await other.ask(getLine())).toStrictEqual(error(atom("einval")));
  });

  test("beyond Latin-1 fails a request for Latin-1, and stays", async () => {
    const { ask } = await reading("é€\n");
    const refused = error(tuple(atom("no_translation"), UNICODE, LATIN1) as Term);
    expect(await ask(getLine([], LATIN1))).toStrictEqual(refused);
    expect(await ask(getChars(1, LATIN1))).toStrictEqual([233]);
    expect(await ask(getLine())).toStrictEqual(charlist("€\n"));
  });

  test("in a list of requests is awaited before the next", async () => {
    const { cluster, request, keyboard, printed } = await reading();
    const both = request(
      tuple(atom("requests"), [
        getLine(charlist("> ")),
        putChars(UNICODE, charlist("thanks")),
        getLine(),
      ]) as Term,
    );
    await cluster.settle();
    expect(printed).toEqual(["> "]);
    keyboard.type("one\ntwo\n");
    expect(await cluster.settled(both)).toStrictEqual(charlist("two\n"));
    expect(printed).toEqual(["> ", "thanks"]);
  });
});

describe("options", () => {
  test("binary makes input binaries, list makes it lists", async () => {
    const { ask } = await reading("é\né\né\n");
    expect(await ask(tuple(atom("setopts"), [atom("binary")]) as Term)).toBe(OK);
    expect(await ask(getLine())).toStrictEqual(Buffer.from("é\n"));
    expect(await ask(getLine([], LATIN1))).toStrictEqual(Buffer.from("é\n", "latin1"));
    expect(await ask(atom("getopts"))).toStrictEqual([
      tuple(atom("binary"), true),
      tuple(atom("encoding"), UNICODE),
    ]);
    expect(await ask(tuple(atom("setopts"), [atom("list")]) as Term)).toBe(OK);
    expect(await ask(getLine())).toStrictEqual(charlist("é\n"));
  });

  test("encoding latin1 shows other characters as numbers", async () => {
    const { ask, printed } = await reading();
    const options = [tuple(atom("encoding"), LATIN1) as Term, tuple(atom("echo"), false) as Term];
    expect(await ask(tuple(atom("setopts"), options) as Term)).toBe(OK);
    expect(await ask(putChars(UNICODE, charlist("é€\u{1f600}")))).toBe(OK);
    expect(printed).toEqual(["é\\x{20AC}\\x{1F600}"]);
  });

  test("are not set if one is unknown", async () => {
    const { ask } = await reading();
    const options = [atom("binary"), tuple(atom("colour"), true) as Term];
    expect(await ask(tuple(atom("setopts"), options) as Term)).toStrictEqual(
      error(atom("enotsup")),
    );
    expect(await ask(atom("getopts"))).toStrictEqual([
      tuple(atom("binary"), false),
      tuple(atom("encoding"), UNICODE),
    ]);
  });

  test("geometry is the terminal's, if the device is one", async () => {
    const { ask } = await setUp({ geometry: () => ({ columns: 132, rows: 50 }) });
    expect(await ask(tuple(atom("get_geometry"), atom("columns")) as Term)).toBe(132);
    expect(await ask(tuple(atom("get_geometry"), atom("rows")) as Term)).toBe(50);
    const none = await setUp({ geometry: () => undefined });
    expect(await none.ask(tuple(atom("get_geometry"), atom("rows")) as Term)).toStrictEqual(
      error(atom("enotsup")),
    );
  });
});

describe("a form", () => {
  test("is read up to its dot, over several lines, with a prompt for each", async () => {
    const { cluster, request, keyboard, printed } = await reading();
    const until = tuple(
      ...[atom("get_until"), UNICODE, charlist("> "), atom("erl_scan"), atom("tokens"), [1]],
    ) as Term;
    const form = request(until);
    keyboard.type("{a,\n");
    await cluster.settle();
    keyboard.type("1}. b.\n");
    expect(await cluster.settled(form)).toStrictEqual(
      tuple(
        OK,
        [
          tuple(atom("{"), 1),
          tuple(atom("atom"), 1, atom("a")),
          tuple(atom(","), 1),
          tuple(atom("integer"), 2, 1),
          tuple(atom("}"), 2),
          tuple(atom("dot"), 2),
        ],
        2,
      ),
    );
    expect(printed).toEqual(["> ", "> "]);
    expect(await cluster.settled(request(getTokens(1)))).toStrictEqual(
      tuple(OK, [tuple(atom("atom"), 1, atom("b")), tuple(atom("dot"), 1)], 2),
    );
  });
});

describe("a device of the program", () => {
  test("is a group leader like the node's own, and ends when it is stopped", async () => {
    const cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair();
    const printed: string[] = [];
    const device = gandalf.openDevice({ output: (text) => printed.push(text) });
    await cluster.settled(bilbo.io.putChars(device.pid, "to the device"));
    expect([printed, gandalf.printed]).toEqual([["to the device"], []]);
  });
});
