import { describe, expect, test } from "vitest";
import { atom, charlist, format, type Term, TermSyntaxError, tuple } from "../../../etf/index.ts";
import { IoError } from "../../../src/otp/io/errors.ts";
import { Cluster } from "../../support/cluster.ts";

const USER = ["user", "gandalf@vm"] as const;

async function* pieces(...text: string[]) {
  yield* text;
}

/** Bilbo uses the device of gandalf, which reads the given text. */
async function setUp(...text: string[]) {
  const cluster = new Cluster();
  const gandalf = await cluster.start("gandalf@vm", {
    input: pieces(...text),
    geometry: () => ({ columns: 80, rows: 24 }),
  });
  const bilbo = await cluster.start("bilbo@vm");
  return { cluster, gandalf, bilbo, io: bilbo.io };
}

/** A device that answers every request with the same reply. */
function answering(node: Awaited<ReturnType<typeof setUp>>["gandalf"], reply: Term) {
  return node.spawn({
    message(message, self) {
      const [, from, ref] = message as unknown as [Term, never, Term];
      return self.send(from, tuple(atom("io_reply"), ref, reply));
    },
  });
}

describe("a device of another node", () => {
  test("prints text and formats", async () => {
    const { cluster, gandalf, io } = await setUp();
    await cluster.settled(io.putChars(USER, "é€\n"));
    await cluster.settled(io.format(USER, "~ts is ~p~n", ["n", 1]));
    await cluster.settled(io.format(USER, "plain"));
    expect(gandalf.printed).toEqual(["é€\n", "n is 1\n", "plain"]);
  });

  test("returns lines, characters and terms, and undefined at the end", async () => {
    const { cluster, gandalf, io } = await setUp(
      "one\ntwo {a, \"s\",\n 'q\\n', $c,",
      " -1.5}. X.\n",
    );
    const settled = <T>(promise: Promise<T>) => cluster.settled(promise);
    expect(await settled(io.getLine(USER, "> "))).toBe("one\n");
    expect(await settled(io.getChars(USER, "", 4))).toBe("two ");
    const term = await settled(io.read(USER, "term: "));
    expect(format(term as Term)).toBe("{a,\"s\",'q\\n',99,-1.5}");
    await expect(settled(io.read(USER))).rejects.toBeInstanceOf(TermSyntaxError);
    expect(await settled(io.getLine(USER))).toBeUndefined();
    expect(await settled(io.getChars(USER, "", 1))).toBeUndefined();
    expect(await settled(io.read(USER))).toBeUndefined();
    expect(gandalf.printed.join("")).toBe("> term: ");
  });

  test.each([
    ['~"s".\n', '<<"s">>'],
    ['~b"s".\n', '<<"s">>'],
    ['{~s"s", ~S"t"}.\n', '{"s","t"}'],
  ])("gives the term of the sigil %j", async (text, shown) => {
    const { cluster, io } = await setUp(text);
    expect(format((await cluster.settled(io.read(USER))) as Term)).toBe(shown);
  });

  test("returns and sets options, and returns the geometry", async () => {
    const { cluster, io } = await setUp("é\n");
    await cluster.settled(io.setOptions(USER, [atom("binary")]));
    expect(await cluster.settled(io.getOptions(USER))).toStrictEqual([
      tuple(atom("binary"), true),
      tuple(atom("encoding"), atom("unicode")),
    ]);
    expect(await cluster.settled(io.getLine(USER))).toBe("é\n");
    expect(await cluster.settled(io.columns(USER))).toBe(80);
    expect(await cluster.settled(io.rows(USER))).toBe(24);
    const bilboHasNone = cluster.settled(io.columns(["user", "bilbo@vm"]));
    expect(await bilboHasNone).toBeUndefined();
  });

  test("carries out several requests at once", async () => {
    const { cluster, gandalf, io } = await setUp();
    const print = tuple(atom("put_chars"), atom("unicode"), charlist("x"));
    expect(await cluster.settled(io.requests(USER, [print, print]))).toBe(atom("ok"));
    expect(gandalf.printed.join("")).toBe("xx");
  });
});

describe("failures", () => {
  test("a refusal is an IoError with its reason", async () => {
    const { cluster, io } = await setUp();
    const failure = cluster.settled(io.setOptions(USER, [atom("nonsense")]));
    await expect(failure).rejects.toMatchObject({
      name: "IoError",
      code: "IO_ERROR",
      reason: atom("enotsup"),
    });
  });

  test.each<[string, Term]>([
    ["a term that is not text", 1],
    ["text of no characters", [-1]],
  ])("an answer of %s is an error", async (_, reply) => {
    const { cluster, gandalf, io } = await setUp();
    const device = answering(gandalf, reply);
    const asks: (() => Promise<unknown>)[] = [
      () => io.getLine(device.pid),
      () => io.getChars(device.pid, "", 1),
      () => io.read(device.pid),
    ];
    for (const ask of asks) {
      await expect(cluster.settled(ask())).rejects.toMatchObject({ code: "IO_ERROR" });
    }
    await expect(
      cluster.settled(io.getOptions(answering(gandalf, atom("ok")).pid)),
    ).rejects.toThrow(IoError);
  });

  test("a device that does not exist, or ends, is terminated", async () => {
    const { cluster, gandalf, io } = await setUp();
    const nobody = cluster.settled(io.putChars(["nobody", "gandalf@vm"], "x"));
    await expect(nobody).rejects.toMatchObject({
      code: "IO_TERMINATED",
      reason: atom("terminated"),
    });
    const silent = gandalf.spawn({ message: () => {} });
    const asked = io.getLine(silent.pid);
    await cluster.settle();
    gandalf.exit(silent.pid, atom("kill"));
    await expect(cluster.settled(asked)).rejects.toMatchObject({ code: "IO_TERMINATED" });
  });

  test("time-outs, signals, and a node that is down", async () => {
    const { cluster, gandalf, io } = await setUp();
    const silent = gandalf.spawn({ message: () => {} }).pid;
    const late = io.getLine(silent, "", { timeoutMs: 1000 });
    const timedOut = expect(late).rejects.toMatchObject({ code: "CALL_TIMEOUT" });
    await cluster.clock.advance(1000);
    await timedOut;
    const controller = new AbortController();
    const given = io.getLine(silent, "", { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(given).rejects.toThrow("enough");
    await expect(io.getLine(silent, "", { signal: controller.signal })).rejects.toThrow("enough");
    const nowhere = cluster.settled(io.getLine(["user", "nobody@vm"]));
    await expect(nowhere).rejects.toMatchObject({ code: "CALL_NO_CONNECTION" });
  });

  test("the node's end fails pending and later requests", async () => {
    const { cluster, gandalf, bilbo, io } = await setUp();
    const asked = io.getLine(gandalf.spawn({ message: () => {} }).pid);
    await cluster.settle();
    const failed = expect(asked).rejects.toMatchObject({ code: "CALL_NO_CONNECTION" });
    const stopped = bilbo.stop();
    await cluster.clock.advance(5000);
    await stopped;
    await failed;
    await expect(io.getLine(USER)).rejects.toMatchObject({ code: "NODE_STOPPED" });
  });

  test("a value that is not a term is refused before it is sent", async () => {
    const { cluster, io } = await setUp();
    const bad = cluster.settled(io.format(USER, "~p", [Number.NaN]));
    await expect(bad).rejects.toMatchObject({ code: "ETF_NOT_A_TERM" });
  });
});
