import { hostname } from "node:os";
import { describe, expect, test } from "vitest";
import { clientNodeOptions, peerName, serverNodeOptions } from "../../src/cli/node-options.ts";

const shortHost = hostname().split(".", 1)[0];

describe("serverNodeOptions", () => {
  test("listens and registers by default, under a name of the command's", () => {
    expect(serverNodeOptions({}, "kvs")).toMatchObject({
      name: "kvs",
      longNames: false,
      listen: {},
      epmd: { mode: "auto" },
    });
  });

  test("takes the port range, the cookie and EPMD's place over", () => {
    const args = { name: "a@10.0.0.1", setcookie: "C", distListenMin: 1, distListenMax: 2 };
    expect(serverNodeOptions({ ...args, epmd: "off", epmdPort: 5 }, "kvs")).toEqual({
      name: "a@10.0.0.1",
      longNames: true,
      cookie: "C",
      listen: { portMin: 1, portMax: 2 },
      epmd: { mode: "off", port: 5 },
    });
  });
});

test("--no-hidden and --dist-auto-connect are handed on", () => {
  expect(serverNodeOptions({ hidden: false, distAutoConnect: "once" }, "kvs")).toMatchObject({
    hidden: false,
    distAutoConnect: "once",
  });
  expect(clientNodeOptions({ hidden: false }, "bilbo@host")).toMatchObject({ hidden: false });
});

describe("clientNodeOptions", () => {
  test("does not listen and is not registered", () => {
    expect(clientNodeOptions({}, "bilbo@host")).toMatchObject({
      listen: false,
      epmd: { mode: "off" },
    });
  });

  test("has a name of the peer's kind, and a new one each time", () => {
    const short = clientNodeOptions({}, "bilbo@host");
    expect(short).toMatchObject({ longNames: false });
    expect(short.name).toMatch(new RegExp(`^erldist-\\d+-\\w+@${shortHost}$`));
    expect(clientNodeOptions({}, "bilbo@host").name).not.toBe(short.name);
    const long = clientNodeOptions({}, "bilbo@10.0.0.1");
    expect(long).toMatchObject({ longNames: true });
    expect(long.name).toMatch(/@.*\./);
  });

  test("keeps the kind of a name that was given", () => {
    expect(clientNodeOptions({ sname: "me" }, "bilbo@10.0.0.1")).toMatchObject({
      name: "me",
      longNames: false,
    });
  });
});

describe("peerName", () => {
  test("is on this host unless it says otherwise", () => {
    expect(peerName("bilbo")).toBe(`bilbo@${shortHost}`);
    expect(peerName("bilbo@there")).toBe("bilbo@there");
  });
});
