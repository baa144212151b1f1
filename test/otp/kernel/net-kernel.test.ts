import { describe, expect, test } from "vitest";
import { atom, ImproperList, Pid, Reference, type Term, tuple } from "../../../etf/index.ts";
import { Cluster } from "../../support/cluster.ts";
import { RawNode } from "../../support/raw-node.ts";

describe("ping", () => {
  test("of a node that is up is pong, connecting first if necessary; of itself too", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    await cluster.start("bilbo@vm");
    expect(await cluster.settled(gandalf.ping("bilbo@vm"))).toBe("pong");
    expect(gandalf.nodes()).toEqual(["bilbo@vm"]);
    expect(await cluster.settled(gandalf.ping("bilbo@vm"))).toBe("pong");
    expect(await cluster.settled(gandalf.ping("gandalf@vm"))).toBe("pong");
  });

  test("of a node that is down or refuses the connection is pang", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    await cluster.start("saruman@vm", { cookie: "other" });
    for (const name of ["nobody@vm", "saruman@vm", "no name", "bilbo@vm.example"]) {
      expect(await cluster.settled(gandalf.ping(name))).toBe("pang");
    }
  });

  test("of a node that does not answer is pang at the time-out", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    await RawNode.connect(cluster, "gandalf@vm");
    let answer: string | undefined;
    void gandalf.ping("other@vm").then((given) => {
      answer = given;
    });
    await cluster.clock.advance(4999);
    expect(answer).toBeUndefined();
    await cluster.clock.advance(1);
    expect(answer).toBe("pang");
    void gandalf.ping("other@vm", { timeoutMs: 10 }).then((given) => {
      answer = `${given} again`;
    });
    await cluster.clock.advance(10);
    expect(answer).toBe("pang again");
  });

  test("is aborted with the signal's reason", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    await cluster.start("bilbo@vm");
    const reason = new Error("enough");
    const abort = new AbortController();
    const pinging = gandalf.ping("bilbo@vm", { signal: abort.signal });
    abort.abort(reason);
    await expect(cluster.settled(pinging)).rejects.toBe(reason);
  });
});

describe("net_kernel", () => {
  const theirs = new Pid("other@vm", 1, 2, 7);
  const alias = new Reference("other@vm", 7, [1, 2, 3]);
  const tag = new ImproperList<Term>([atom("alias")], alias);

  async function say(request: Term) {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const raw = await RawNode.connect(cluster, "gandalf@vm");
    const call = tuple(atom("$gen_call"), tuple(theirs, tag), request);
    raw.send(tuple(6, theirs, atom(""), atom("net_kernel")), call);
    await cluster.settle();
    return { node, heard: raw.take() };
  }

  test("answers is_auth with yes, to the alias", async () => {
    const { node, heard } = await say(tuple(atom("is_auth"), atom("other@vm")) as Term);
    const self = node.whereis("net_kernel")!.pid;
    expect(heard).toStrictEqual([
      { control: tuple(37, 4, self, alias), payload: tuple(tag, atom("yes")) },
    ]);
  });

  test.each<[Term]>([[atom("is_auth")], [tuple(atom("is_auth"))], [tuple(atom("halt"), 1)]])(
    "does not answer %o, and lives",
    async (request) => {
      const { node, heard } = await say(request);
      expect(heard).toEqual([]);
      expect(node.whereis("net_kernel")?.alive).toBe(true);
    },
  );
});
