/**
 * No request blocks the program for longer than its size allows. Measures the longest turn of the event
 * loop, in processor time, at one size and at four times that; quadratic work takes sixteen times as long.
 */
import { describe, expect, test } from "vitest";
import { atom, charlist, Float, Pid, Reference, type Term, tuple } from "../../etf/index.ts";
import { EpmdClient } from "../../src/epmd/client.ts";
import { EpmdServer } from "../../src/epmd/server.ts";
import { exceptionOf } from "../../src/node/exceptions.ts";
import { chardataToText } from "../../src/otp/io/chardata.ts";
import { cutTokens } from "../../src/otp/io/erl-scan.ts";
import { cutCharacters, cutLine } from "../../src/otp/io/io-input.ts";
import { ioLibFormat } from "../../src/otp/io/io-lib.ts";
import { MemoryNetwork } from "../../src/transport/memory-network.ts";
import { Cluster, inbox, type TestNode } from "../support/cluster.ts";
import { RAW_FLAGS, RawNode } from "../support/raw-node.ts";

/** A shorter time is too short to compare. */
const LEAST_MS = 8;
/** The allowed factor between the two sizes; quadratic work would have 16. */
const MOST_TIMES = 10;
/** The longest time allowed at any size: a small request that takes long does so at both sizes. */
const MOST_MS = 1000;

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Runs a function and everything that follows from it; returns the longest turn in milliseconds. */
async function longestTurn(cluster: Cluster, act: () => void): Promise<number> {
  let before = processorMs();
  act();
  let longest = processorMs() - before;
  for (let idle = 0; idle < 3; ) {
    before = processorMs();
    idle = (await cluster.clock.turn()) ? 0 : idle + 1;
    longest = Math.max(longest, processorMs() - before);
  }
  return longest;
}

/** The shortest of several runs, since noise only adds time. */
async function least(run: () => number | Promise<number>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let runs = 0; runs < 3 && best > LEAST_MS / 4; runs++) best = Math.min(best, await run());
  return best;
}

async function growsWithItsSize(
  size: number,
  run: (size: number) => number | Promise<number>,
): Promise<void> {
  const small = Math.max(LEAST_MS, await least(() => run(size)));
  let large = 0;
  // On a busy machine, measure again.
  for (let tries = 0; tries < 3; tries++) {
    large = await least(() => run(4 * size));
    if (large <= MOST_TIMES * small && large <= MOST_MS) return;
  }
  expect(large).toBeLessThanOrEqual(MOST_MS);
  expect(large).toBeLessThanOrEqual(MOST_TIMES * small);
}

function timed(act: () => unknown): number {
  const before = processorMs();
  act();
  return processorMs() - before;
}

const many = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));

describe("a printing request", () => {
  const bytes = (count: number, byte: number): Term => Buffer.alloc(count, byte);
  const nested = (levels: number): Term => {
    let term: Term = [];
    for (let level = 0; level < levels; level++) term = [term];
    return term;
  };
  const large = (size: number): bigint => BigInt(`0x${"f1".repeat(size)}`);

  test.each<[string, number, (size: number) => Term]>([
    ["Latin-1 in a binary", 250_000, (size) => bytes(size, 0xe9)],
    ["numbers in a binary", 100_000, (size) => bytes(size, 1)],
    ["Unicode in a binary", 50_000, (size) => Buffer.from("€".repeat(size))],
    ["a list of characters", 100_000, (size) => many(size, () => 65)],
    ["a list of numbers", 50_000, (size) => many(size, (at) => at % 256)],
    ["a list of tuples", 10_000, (size) => many(size, (at) => tuple(atom("a"), at) as Term)],
    ["many levels", 20_000, nested],
    ["a large integer", 500_000, large],
    ["many large integers", 250, (size) => many(size, (at) => large(1000) + BigInt(at))],
  ])("of %s", async (_, size, make) => {
    for (const format of ["~p", "~w", "~tp", "~30w"]) {
      await growsWithItsSize(size, (of) => {
        const term = make(of);
        return timed(() => ioLibFormat(charlist(format), [term]));
      });
    }
  });

  test.each<[string, number, (size: number) => Term]>([
    ["a binary", 500_000, (size) => bytes(size, 0xe9)],
    ["a list", 100_000, (size) => many(size, () => 65)],
    ["a list of lists", 25_000, (size) => many(size, () => [[65], []])],
    ["many levels", 25_000, nested],
  ])("of text in %s", async (_, size, make) => {
    for (const format of ["~s", "~10s", "~100000s", "~100000.10s"]) {
      await growsWithItsSize(size, (of) => {
        const term = make(of);
        return timed(() => [chardataToText(term, true), ioLibFormat(charlist(format), [term])]);
      });
    }
  });

  test.each<[string, number, (size: number) => [string, Term[]]]>([
    ["a width", 250_000, (size) => [`~${size}c`, [65]]],
    ["places of a float", 250_000, (size) => [`~.${size}f`, [new Float(1e308)]]],
    [
      "300 bytes of wide fields",
      250_000,
      (size) => [
        `~.${size}f~${size}c`.repeat(16),
        many(32, (at) => (at % 2 ? 65 : new Float(1e308))),
      ],
    ],
    ["digits of a float", 250_000, (size) => [`~.${size}e`, [new Float(0.1)]]],
    ["newlines", 250_000, (size) => [`~${size}n`, []]],
    ["control sequences", 2400, (size) => ["~w\n~p".repeat(size / 2), many(size, () => 1)]],
    ["small widths", 2400, (size) => ["~200c".repeat(size), many(size, () => 65)]],
    ["text", 250_000, (size) => ["x".repeat(size), []]],
    ["arguments too many", 250_000, (size) => ["~w", many(size, () => 1)]],
    ["digits of a width", 250_000, (size) => [`~${"1".repeat(size)}`, []]],
    ["an integer", 250_000, (size) => ["~B~.16B", [large(size), large(size)]]],
  ])("with %s", async (_, size, make) => {
    await growsWithItsSize(size, (of) => {
      const [format, args] = make(of);
      return timed(() => ioLibFormat(Buffer.from(format), args));
    });
  });

  test("is refused when one format asks for too much in total", () => {
    const asks = (format: string, args: Term[]) => ioLibFormat(charlist(format), args);
    expect(asks("~500000c~500000c", [65, 65])).toHaveLength(1_000_000);
    expect(asks("~500000c~500001c", [65, 65])).toBeUndefined();
    expect(asks("~500000c~.500001f", [65, new Float(1)])).toBeUndefined();
    expect(
      asks(
        "~w".repeat(10_000),
        many(10_000, () => 1),
      ),
    ).toHaveLength(10_000);
    expect(
      asks(
        "~w".repeat(10_001),
        many(10_001, () => 1),
      ),
    ).toBeUndefined();
    expect(
      asks(
        "~256c".repeat(10_000),
        many(10_000, () => 65),
      ),
    ).toHaveLength(2_560_000);
  });

  test("writes integers of 64 KiB in decimal, larger ones in base 16, and to the last digit", () => {
    const decimal = large(64 * 1024);
    expect(ioLibFormat(charlist("~p"), [decimal])).toBe(String(decimal));
    expect(ioLibFormat(charlist("~B"), [-decimal])).toBe(String(-decimal));
    const digits = "F1".repeat(64 * 1024 + 1);
    const beyond = large(64 * 1024 + 1);
    expect(ioLibFormat(charlist("~w"), [[beyond, -beyond]])).toBe(`[16#${digits},-16#${digits}]`);
    expect(ioLibFormat(charlist("~.16B"), [beyond])).toBe(digits);
    expect(ioLibFormat(charlist("~B"), [beyond])).toBeUndefined();
  });
});

describe("a reading request", () => {
  test.each<[string, number, (size: number) => unknown]>([
    ["a line", 500_000, (size) => cutLine(`${"x".repeat(size)}\n`, false)],
    ["characters", 250_000, (size) => cutCharacters(size)("x".repeat(size), false)],
    [
      "tokens",
      5000,
      (size) => cutTokens({ line: 1, column: 1 })(`${"{a,\n1} ".repeat(size)}.\n`, true),
    ],
    [
      "no tokens",
      100_000,
      (size) => cutTokens({ line: 1, column: 1 })(`${"\n".repeat(size)}"`, true),
    ],
  ])("of %s", async (_, size, read) => {
    await growsWithItsSize(size, (of) => timed(() => read(of)));
  });
});

describe("what an exposed function throws", () => {
  test.each(["at ", " (", "at async x (", "file://:1:1:", "(at\n    at "])(
    "with a message of %j",
    async (part) => {
      await growsWithItsSize(50_000, (size) => {
        const error = new Error(`\n    at ${part.repeat(size)}`);
        return timed(() => exceptionOf(error));
      });
    },
  );
});

/** A node, and a peer that the test controls. */
async function withPeer() {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  const raw = await RawNode.connect(cluster, "gandalf@vm", { flags: RAW_FLAGS });
  return { cluster, node, raw };
}
type WithPeer = Awaited<ReturnType<typeof withPeer>>;

const theirs = (creation: number): Pid => new Pid("other@vm", 1, 2, creation);
const reg = (name: string): Term => tuple(6, theirs(1), atom(""), atom(name)) as Term;

describe("what a lost peer leaves behind:", () => {
  const call = (pid: Pid, request: Term): Term =>
    tuple(atom("$gen_call"), tuple(pid, atom("tag")), request) as Term;

  test.each<[string, number, (peer: WithPeer, ours: Pid, size: number) => void]>([
    [
      "locks",
      2500,
      ({ raw }, _, size) => {
        for (let at = 0; at < size; at++) {
          const id = tuple(at, atom("me"));
          raw.send(reg("global_name_server"), call(theirs(1), tuple(atom("set_lock"), id) as Term));
        }
      },
    ],
    [
      "one lock of many processes",
      2500,
      ({ raw }, _, size) => {
        const id = tuple(atom("it"), atom("me"));
        for (let at = 0; at < size; at++) {
          raw.send(
            reg("global_name_server"),
            call(theirs(at), tuple(atom("set_lock"), id) as Term),
          );
        }
      },
    ],
    [
      "links of pids that differ in their creation",
      5000,
      ({ raw }, ours, size) => {
        for (let at = 0; at < size; at++) raw.send(tuple(1, theirs(at), ours));
      },
    ],
    [
      "monitors with references of one hash",
      5000,
      ({ raw }, ours, size) => {
        for (let at = 0; at < size; at++) {
          raw.send(tuple(19, theirs(1), ours, new Reference("other@vm", 1, [1, 2, 3, at])));
        }
      },
    ],
  ])("%s", async (_, size, tie) => {
    for (const end of ["none", "connection", "process"] as const) {
      await growsWithItsSize(size, async (of) => {
        const peer = await withPeer();
        const { cluster, node, raw } = peer;
        const { process } = inbox(node, { trapExit: true });
        const tying = await longestTurn(cluster, () => tie(peer, process.pid, of));
        if (end === "none") return tying;
        return longestTurn(cluster, () => {
          if (end === "connection") raw.transport.destroy();
          else process.terminate(atom("why"));
        });
      });
    }
  });
});

describe("a request of an operator", () => {
  test.each<[string, number, (node: TestNode, size: number) => readonly [string, string, Term[]]]>([
    [
      "for what observer lists",
      5000,
      (node, size) => {
        const { pid } = inbox(node).process;
        for (let at = 0; at < size; at++) inbox(node);
        return ["observer_backend", "procs_info", [pid]];
      },
    ],
    [
      "for all processes",
      10_000,
      (node, size) => {
        for (let at = 0; at < size; at++) inbox(node);
        return ["erlang", "processes", []];
      },
    ],
    [
      "for all names",
      5000,
      (node, size) => {
        for (let at = 0; at < size; at++) inbox(node, { name: `name${at}` });
        return ["erlang", "registered", []];
      },
    ],
    [
      "for one item many times",
      250,
      (node, size) => {
        const { process } = inbox(node);
        for (let at = 0; at < 200; at++) process.monitor(inbox(node).process.pid);
        return ["erlang", "process_info", [process.pid, many(size, () => atom("monitors"))]];
      },
    ],
    [
      "for kinds of nodes",
      25_000,
      (_, size) => ["erlang", "nodes", [many(size, () => atom("visible"))]],
    ],
    [
      "for kinds of memory",
      25_000,
      (_, size) => ["erlang", "memory", [many(size, () => atom("total"))]],
    ],
  ])("%s", async (_, size, prepare) => {
    await growsWithItsSize(size, async (of) => {
      const cluster = new Cluster();
      const [caller, node] = await cluster.pair();
      const [module, name, args] = prepare(node, of);
      return longestTurn(cluster, () => {
        caller.rpc.call("bilbo@vm", module, name, args).catch(() => {});
      });
    });
  });
});

test("a list of requests to a device", async () => {
  await growsWithItsSize(10_000, async (size) => {
    const { cluster, raw } = await withPeer();
    const requests = tuple(
      atom("requests"),
      many(size, () => atom("getopts")),
    );
    const ref = new Reference("other@vm", 1, [1, 2, 3]);
    const message = tuple(atom("io_request"), theirs(1), ref, requests);
    return longestTurn(cluster, () => raw.send(reg("user"), message as Term));
  });
});

test("names at EPMD", async () => {
  await growsWithItsSize(250, async (size) => {
    const host = new MemoryNetwork().host("vm");
    const server = await EpmdServer.start({ network: host });
    const client = new EpmdClient({ network: host, tcpPort: server.tcpPort });
    const held = await Promise.all(many(size, (at) => client.register(`name${at}`, 1)));
    const before = processorMs();
    await client.names("vm");
    const took = processorMs() - before;
    await Promise.all(held.map((each) => each.close()));
    await server.close();
    return took;
  });
});
