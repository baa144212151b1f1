/** What docs/two-hosts.md shows, run on two hosts that are network namespaces. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createNetworkHosts, type NetworkHosts } from "./index.ts";
import { blocks, compileExamples, type ExamplePrograms } from "./support/documents.ts";
import { runHostSession } from "./support/host-sessions.ts";
import { withNamespaces } from "./support/vitest.ts";

const page = "docs/two-hosts.md";
let programs: ExamplePrograms;
beforeAll(() => {
  programs = compileExamples([page]);
});
afterAll(() => programs[Symbol.dispose]());

it("the program has no type errors", () => {
  expect(programs.typeErrors("gandalf.ts")).toEqual([]);
});

withNamespaces("between two hosts", () => {
  let hosts: NetworkHosts;
  beforeAll(async () => {
    hosts = await createNetworkHosts();
  });
  afterAll(() => hosts.remove());

  it.each(blocks(page, "hosts").map(({ text }, at) => [at + 1, text] as const))(
    "session %i runs as shown",
    (_at, text) => runHostSession(text, { page, hosts, programs }),
  );
});
