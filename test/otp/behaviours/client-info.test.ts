import { expect, test } from "vitest";
import { atom, Pid, tuple } from "../../../etf/index.ts";
import { clientInfo } from "../../../src/otp/behaviours/client-info.ts";
import { Cluster, inbox } from "../../support/cluster.ts";

test("the caller is undefined, remote, dead, or known by name or pid", async () => {
  const node = await new Cluster().start("gandalf@vm");
  const info = (pid?: Pid) => clientInfo(node, pid);
  expect(info()).toBe(atom("undefined"));
  const far = new Pid("bilbo@vm", 1, 0, 1);
  expect(info(far)).toStrictEqual(tuple(far, atom("remote")));
  const { pid } = inbox(node).process;
  expect(info(pid)).toStrictEqual(tuple(pid, tuple(pid, [])));
  const named = inbox(node, { name: "me" }).process;
  expect(info(named.pid)).toStrictEqual(tuple(named.pid, tuple(atom("me"), [])));
  named.terminate(atom("normal"));
  expect(info(named.pid)).toStrictEqual(tuple(named.pid, atom("dead")));
});
