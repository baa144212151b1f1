import { describe, expect, test } from "vitest";
import { atom, type Term } from "../../../etf/index.ts";
import { inbox } from "../../support/cluster.ts";
import { connected } from "../../support/two-nodes.ts";

const NORMAL = atom("normal");

describe("aliases", () => {
  test("receive until they are removed, or once", async () => {
    const { cluster, gandalf, bilbo } = await connected();
    const box = inbox(bilbo);
    const [lasting, once] = [
      bilbo.runtime.alias(box.process, false),
      bilbo.runtime.alias(box.process, true),
    ];
    const self = inbox(gandalf).process;
    for (const message of [1, 2]) {
      void self.send(lasting, message);
      void self.send(once, message * 10);
    }
    await cluster.settle();
    expect(box.messages).toEqual([1, 10, 2]);
    expect([
      bilbo.runtime.unalias(lasting),
      bilbo.runtime.unalias(lasting),
      bilbo.runtime.unalias(once),
    ]).toEqual([true, false, false]);
    void self.send(lasting, 3);
    await cluster.settle();
    expect(box.messages).toHaveLength(3);
  });

  test("die with their process, and may have their own receiver", async () => {
    const { cluster, gandalf, bilbo } = await connected();
    const box = inbox(bilbo);
    const got: Term[] = [];
    const alias = bilbo.runtime.alias(box.process, false, (message) => got.push(message));
    void gandalf.send(alias, 1);
    await cluster.settle();
    box.process.terminate(NORMAL);
    void gandalf.send(alias, 2);
    await cluster.settle();
    expect([got, box.messages]).toEqual([[1], []]);
    expect(bilbo.runtime.unalias(alias)).toBe(false);
  });
});
