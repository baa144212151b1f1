import { mkdtemp, readFile, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DFLAG, flagNames, OFFERED_FLAGS } from "../../src/distribution/flags.ts";
import type { NameService } from "../../src/node/identity/name-service.ts";
import type { NodeCoreOptions } from "../../src/node/options.ts";
import { AcceptQueue, prepareNode } from "../../src/node/start.ts";
import { MemoryNetwork } from "../../src/transport/memory-network.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { FakeNames } from "../support/fake-names.ts";

function setUp() {
  const names = new FakeNames();
  const network = new MemoryNetwork().host("vm");
  const prepare = (options: Partial<NodeCoreOptions> = {}) =>
    prepareNode({
      name: "gandalf@vm",
      cookie: "precious",
      network,
      nameService: names.host("vm"),
      ...options,
    });
  /** Whether something listens there. */
  const listens = (tcpPort: number) =>
    network.connect({ host: "vm", tcpPort }).then(
      () => true,
      () => false,
    );
  return { names, network, prepare, listens };
}

describe("what is offered", () => {
  test("matches what the node supports: hidden, with the services of rpc", () => {
    expect(flagNames(OFFERED_FLAGS)).toEqual(
      expect.arrayContaining([
        "SPAWN",
        "ALIAS",
        "UNLINK_ID",
        "V4_NC",
        "MANDATORY_25_DIGEST",
        "ALTACT_SIG",
        "NATIVE_RECORDS",
      ]),
    );
    for (const lacking of ["PUBLISHED", "NAME_ME"] as const) {
      expect(OFFERED_FLAGS & DFLAG[lacking]).toBe(0n);
    }
  });
});

test("a visible node also offers PUBLISHED, and registers as visible", async () => {
  const { names, prepare } = setUp();
  const { peers } = await prepare({ hidden: false });
  expect(peers.flags).toBe(OFFERED_FLAGS | DFLAG.PUBLISHED);
  expect(names.registered.get("gandalf@vm")).toMatchObject({ hidden: false });
});

test("a node without a name yet is hidden, does not listen and connects only on request", async () => {
  const { names, prepare } = setUp();
  const prepared = await prepare({ name: "undefined@vm", hidden: false, distAutoConnect: "once" });
  expect(prepared).toMatchObject({
    listener: undefined,
    peers: { flags: OFFERED_FLAGS, distAutoConnect: "never", self: { name: "nonode@nohost" } },
  });
  expect(names.registered.size).toBe(0);
});

describe("a node's name", () => {
  test("is completed with this machine's host, for short and long names", async () => {
    const { prepare } = setUp();
    const nameOf = async (options: Partial<NodeCoreOptions>) =>
      (await prepare(options)).peers.self.name;
    expect(await nameOf({ name: "gandalf" })).toBe(`gandalf@${hostname().split(".")[0]}`);
    expect(await nameOf({ name: "bilbo@10.0.0.1" })).toBe("bilbo@10.0.0.1");
    expect(await nameOf({ name: "frodo@vm.example", longNames: true })).toBe("frodo@vm.example");
    const { self } = (await prepare({ name: "sam@localhost", longNames: true })).peers;
    expect([self.name, self.nameKind]).toEqual(["sam@localhost", "long"]);
  });

  test.each<[Partial<NodeCoreOptions>, string]>([
    [{ name: "no name" }, "NODE_NAME_INVALID"],
    [{ name: "nonode@nohost" }, "NODE_NAME_INVALID"],
    [{ name: "gandalf@vm.example", longNames: false }, "NODE_NAME_KIND"],
    [{ cookie: "a line\n" }, "NODE_COOKIE_INVALID"],
    [{ cookies: { "bilbo@vm": "" } }, "NODE_COOKIE_INVALID"],
  ])(
    "and cookie are checked first: %o fails before anything else happens",
    async (options, code) => {
      const { names, prepare, listens } = setUp();
      await expect(prepare({ ...options, listen: { portMin: 9100 } })).rejects.toMatchObject({
        name: "NodeError",
        code,
      });
      expect(names.registered.size).toBe(0);
      expect(await listens(9100)).toBe(false);
    },
  );
});

test("the net tick time has 4 to 1000 parts, whatever the option says", async () => {
  const { prepare } = setUp();
  const parts = async (name: string, netTickIntensity: number) =>
    (await prepare({ name, netTickIntensity })).peers.netTickIntensity;
  expect([await parts("a@vm", 1), await parts("b@vm", 50), await parts("c@vm", 5000)]).toEqual([
    4, 50, 1000,
  ]);
});

test("the cookie defaults to the user's, and a peer may have its own", async () => {
  const home = await mkdtemp(join(tmpdir(), "prepare-"));
  try {
    const { network, names } = setUp();
    const { peers } = await prepareNode({
      name: "gandalf@vm",
      network,
      nameService: names.host("vm"),
      env: { HOME: home },
      cookies: { "bilbo@vm": "ring" },
    });
    expect(peers.cookieFor("frodo@vm")).toBe(await readFile(join(home, ".erlang.cookie"), "utf8"));
    expect(peers.cookieFor("bilbo@vm")).toBe("ring");
  } finally {
    await rm(home, { recursive: true });
  }
});

describe("listening", () => {
  test("uses any free port and registers it; the name service returns the creation", async () => {
    const { names, prepare, listens } = setUp();
    const prepared = await prepare();
    const tcpPort = prepared.listener!.tcpPort;
    expect(names.registered.get("gandalf@vm")).toEqual({ tcpPort, hidden: true });
    expect(prepared.peers.self.creation).toBe(100);
    expect(await listens(tcpPort)).toBe(true);
  });

  test("uses the given range and skips ports in use", async () => {
    const { network, prepare } = setUp();
    await network.listen({ tcpPort: 9100 }, () => {});
    const listen = { portMin: 9100, portMax: 9101 };
    expect((await prepare({ listen })).listener?.tcpPort).toBe(9101);
    await expect(prepare({ name: "bilbo@vm", listen })).rejects.toMatchObject({
      code: "TRANSPORT_ADDRESS_IN_USE",
    });
  });

  test("can be turned off: the node then does not register and picks its own creation", async () => {
    const { names, prepare } = setUp();
    const prepared = await prepare({ listen: false });
    expect(prepared.listener).toBeUndefined();
    expect(names.registered.size).toBe(0);
    expect(prepared.peers.self.creation).toBeGreaterThan(3);
  });

  test("closes, and so does the name service, if the name is refused", async () => {
    const { names, prepare, listens } = setUp();
    await prepare();
    await expect(prepare({ listen: { portMin: 9100 } })).rejects.toMatchObject({
      code: "EPMD_NAME_TAKEN",
    });
    expect(await listens(9100)).toBe(false);
    expect(names.closed).toBe(1);
    expect(names.registered.size).toBe(1);
  });

  test("on one port for all nodes does not use the name service", async () => {
    const { network } = setUp();
    const epmd = { nodePort: 9200 };
    const prepared = await prepareNode({ name: "gandalf@vm", cookie: "x", network, epmd });
    expect(prepared.listener?.tcpPort).toBe(9200);
    expect(prepared.peers.self.creation).toBeGreaterThan(3);
    const signal = new AbortController().signal;
    expect(await prepared.peers.lookUp("bilbo@far", signal)).toEqual({
      host: "far",
      tcpPort: 9200,
    });
  });
});

test("looks up a peer by its name on its host, and can be aborted", async () => {
  const { prepare } = setUp();
  const asked: unknown[] = [];
  const nameService: NameService = {
    register: async () => 1,
    portOf: async (...question) => {
      asked.push(question);
      return 1234;
    },
    close: async () => {},
  };
  const { peers } = await prepare({ nameService });
  const { signal } = new AbortController();
  expect(await peers.lookUp("bilbo@shire", signal)).toEqual({ host: "shire", tcpPort: 1234 });
  expect(asked).toEqual([["bilbo", "shire", { signal }]]);
});

describe("limits", () => {
  test("have OTP's defaults, and are options", async () => {
    const { prepare } = setUp();
    expect((await prepare({ listen: false })).peers).toMatchObject({
      netTickTimeMs: 60_000,
      netTickIntensity: 4,
      netSetupTimeMs: 7000,
      maxFrameBytes: 512 * 1024 * 1024,
      highWaterMarkBytes: 1024 * 1024,
    });
    const chosen = {
      netTickTimeMs: 1,
      netTickIntensity: 8,
      netSetupTimeMs: 2,
      maxFrameBytes: 3,
      highWaterMarkBytes: 4,
    };
    expect((await prepare({ listen: false, ...chosen })).peers).toMatchObject(chosen);
  });
});

test("peers that connect before the node is up wait, in order", () => {
  const queue = new AcceptQueue();
  const got: string[] = [];
  const named = (remoteAddress: string) => ({ remoteAddress }) as Transport;
  queue.accept(named("a"));
  queue.accept(named("b"));
  queue.handOver((transport) => got.push(transport.remoteAddress));
  queue.accept(named("c"));
  expect(got).toEqual(["a", "b", "c"]);
});
