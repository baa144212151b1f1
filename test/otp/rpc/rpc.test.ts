import { describe, expect, test } from "vitest";
import { atom, isTuple, type Pid, type Term, tuple } from "../../../etf/index.ts";
import { ErlangError } from "../../../src/node/exceptions.ts";
import type { CallContext, ExposedModule } from "../../../src/node/exposed/functions.ts";
import { badrpcOf, erpcExceptionOf } from "../../../src/otp/gen/errors.ts";
import { Cluster } from "../../support/cluster.ts";

const EXIT = atom("EXIT");
const oops = tuple(atom("oops"), 1) as Term;

async function serving(functions: ExposedModule) {
  const cluster = new Cluster();
  const [caller, callee] = await cluster.pair();
  for (const node of [caller, callee]) node.expose("m", functions);
  /** The outcome of a call: its result or its error. */
  const call = (name: string, args: Term[] = [], node = "bilbo@vm") =>
    cluster.settled(
      caller.rpc.call(node, "m", name, args).catch((error: unknown) => error as Term),
    );
  return { cluster, caller, callee, call };
}

describe.each(["bilbo@vm", "gandalf@vm"])("rpc.call to %s", (node) => {
  test("resolves with a returned and with a thrown term", async () => {
    const { call } = await serving({
      returns: () => oops,
      throws: () => {
        throw ErlangError.throw(oops);
      },
    });
    expect(await call("returns", [], node)).toStrictEqual(oops);
    expect(await call("throws", [], node)).toStrictEqual(oops);
  });

  test("a returned {badrpc, _} is a result like others", async () => {
    const { call } = await serving({ badrpc: () => tuple(atom("badrpc"), atom("nodedown")) });
    expect(await call("badrpc", [], node)).toStrictEqual(tuple(atom("badrpc"), atom("nodedown")));
  });

  test("rejects with an exit or error, and the term that OTP would return", async () => {
    const { call } = await serving({
      exits: () => {
        throw ErlangError.exit(oops);
      },
      errors: () => {
        throw ErlangError.error(oops);
      },
    });
    expect(await call("exits", [], node)).toMatchObject({
      code: "REMOTE_EXIT",
      badrpc: tuple(atom("badrpc"), tuple(EXIT, oops)),
    });
    const error = (await call("errors", [], node)) as unknown as { badrpc: Term; stackTrace: Term };
    expect(error).toMatchObject({ code: "REMOTE_ERROR" });
    expect(error.badrpc).toStrictEqual(
      tuple(atom("badrpc"), tuple(EXIT, tuple(oops, error.stackTrace))),
    );
  });

  test("a function that is not exposed is undef, as in OTP", async () => {
    const { call } = await serving({});
    expect(await call("nothing", [1], node)).toMatchObject({
      badrpc: tuple(
        atom("badrpc"),
        tuple(EXIT, tuple(atom("undef"), [tuple(atom("m"), atom("nothing"), [1], [])])),
      ),
    });
  });

  test("a result {'EXIT', Reason} counts as an exit, returned or thrown; others do not", async () => {
    const results: Record<string, Term> = {
      exit: tuple(EXIT, oops) as Term,
      binary: tuple(Buffer.from("EXIT"), oops) as Term,
      list: tuple([EXIT], oops) as Term,
      longer: tuple(EXIT, oops, 1) as Term,
    };
    const { call } = await serving({
      returns: (name: { name: string }) => results[name.name],
      throws: (name: { name: string }) => {
        throw ErlangError.throw(results[name.name]!);
      },
    });
    for (const how of ["returns", "throws"]) {
      expect(await call(how, [atom("exit")], node)).toMatchObject({
        code: "REMOTE_EXIT",
        reason: oops,
      });
      for (const name of ["binary", "list", "longer"]) {
        expect(await call(how, [atom(name)], node)).toStrictEqual(results[name]);
      }
    }
  });
});

describe("options", () => {
  test("are those of erpc: time-out and abort", async () => {
    const { cluster, caller } = await serving({ never: () => new Promise(() => {}) });
    const outcome = caller.rpc
      .call("bilbo@vm", "m", "never", [], { timeoutMs: 100 })
      .catch((error: unknown) => error);
    await cluster.clock.advance(100);
    expect(await cluster.settled(outcome)).toMatchObject({ code: "CALL_TIMEOUT" });
    const reason = new Error("enough");
    await expect(
      caller.rpc.call("bilbo@vm", "m", "never", [], { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
  });

  test("without a time-out a call keeps waiting", async () => {
    const { cluster, caller } = await serving({ never: () => new Promise(() => {}) });
    let outcome: unknown = "pending";
    caller.rpc.call("bilbo@vm", "m", "never", []).catch((error: unknown) => {
      outcome = error;
    });
    await cluster.clock.advance(3_600_000);
    expect(outcome).toBe("pending");
    caller.disconnect("bilbo@vm");
    await cluster.settle();
    expect(outcome).toMatchObject({ code: "CALL_NO_CONNECTION", mayHaveRun: true });
  });
});

describe("on several nodes", () => {
  test("multicall: results, exceptions as badrpc, and bad nodes", async () => {
    const { cluster, caller } = await serving({
      which(this: CallContext) {
        if (this.self.pid.node === atom("bilbo@vm")) throw ErlangError.exit(oops);
        return atom("here");
      },
    });
    const nodes = ["gandalf@vm", "bilbo@vm", "nobody@nowhere"];
    const { results, badNodes } = await cluster.settled(
      caller.rpc.multicall(nodes, "m", "which", []),
    );
    expect(results).toStrictEqual([atom("here"), tuple(atom("badrpc"), tuple(EXIT, oops))]);
    expect(badNodes).toStrictEqual(["nobody@nowhere"]);
  });

  test("multicall rejects arguments that are not terms", async () => {
    const { caller } = await serving({});
    await expect(caller.rpc.multicall(["bilbo@vm"], "m", "f", [Number.NaN])).rejects.toMatchObject({
      code: "ETF_NOT_A_TERM",
    });
  });

  test("parallelEval and pmap take the nodes in turn", async () => {
    const { cluster, caller } = await serving({
      "which/1"(this: CallContext, value: Term) {
        return tuple(this.self.pid.node, value);
      },
    });
    const nodes = ["gandalf@vm", "bilbo@vm"];
    const at = (node: string, value: number) => tuple(atom(node), value);
    const expected = [at("gandalf@vm", 1), at("bilbo@vm", 2), at("gandalf@vm", 3)];
    const calls = [1, 2, 3].map((value) => ["m", "which", [value]] as const);
    expect(await cluster.settled(caller.rpc.parallelEval(nodes, calls))).toStrictEqual(expected);
    expect(
      await cluster.settled(caller.rpc.pmap(nodes, ["m", "which"], [], [1, 2, 3])),
    ).toStrictEqual(expected);
  });

  test("sbcast, multiServerCall, serverCall and abcast", async () => {
    const { cluster, caller, callee } = await serving({});
    const name = atom("server");
    const got: Term[] = [];
    callee
      .spawn({
        message(message, self) {
          got.push(message);
          if (!isTuple(message, 2)) return undefined;
          const [from] = message as unknown as [Pid];
          // A message with another name or node is not an answer.
          void self.send(from, tuple(atom("other"), atom("bilbo@vm"), 1));
          void self.send(from, tuple(name, atom("gandalf@vm"), 2));
          return self.send(from, tuple(name, atom("bilbo@vm"), 3));
        },
      })
      .register(name);
    const nodes = ["gandalf@vm", "bilbo@vm"];
    expect(await cluster.settled(caller.rpc.sbcast(nodes, name, 7))).toStrictEqual({
      goodNodes: ["bilbo@vm"],
      badNodes: ["gandalf@vm"],
    });
    expect(await cluster.settled(caller.rpc.multiServerCall(nodes, name, 8))).toStrictEqual({
      replies: [3],
      badNodes: ["gandalf@vm"],
    });
    expect(await cluster.settled(caller.rpc.serverCall("bilbo@vm", name, name, 9))).toBe(3);
    await expect(caller.rpc.serverCall("gandalf@vm", name, name, 9)).rejects.toMatchObject({
      code: "CALL_NO_CONNECTION",
    });
    expect(await cluster.settled(caller.rpc.multiServerCall([], name, 9))).toStrictEqual({
      replies: [],
      badNodes: [],
    });
    caller.rpc.abcast(nodes, name, 10);
    await cluster.settle();
    expect(got.at(-1)).toBe(10);
    expect(caller.stats().processes).toBe(callee.stats().processes - 1);
  });
});

test("badrpcOf and erpcExceptionOf throw other errors on", () => {
  const error = new Error("mine");
  expect(() => badrpcOf(error)).toThrow(error);
  expect(() => erpcExceptionOf(error)).toThrow(error);
});
