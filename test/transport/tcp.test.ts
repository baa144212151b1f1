import net from "node:net";
import { expect, test } from "vitest";
import { tcpNetwork } from "../../src/transport/tcp.ts";
import type { Transport } from "../../src/transport/transport.ts";

const network = tcpNetwork();
const ignore = () => {};

test("a port nobody listens on refuses", async () => {
  const listener = await network.listen({ host: "127.0.0.1", tcpPort: 0 }, ignore);
  await listener.close();
  const failure = network.connect({ host: "127.0.0.1", tcpPort: listener.tcpPort });
  await expect(failure).rejects.toMatchObject({
    name: "TransportError",
    code: "TRANSPORT_REFUSED",
    message: expect.stringContaining(`127.0.0.1:${listener.tcpPort} refused`),
  });
});

test("a host name that cannot be resolved is named", async () => {
  await expect(network.connect({ host: "no.such.host.invalid", tcpPort: 1 })).rejects.toMatchObject(
    {
      code: "TRANSPORT_HOST_UNKNOWN",
      message: expect.stringContaining('"no.such.host.invalid"'),
    },
  );
});

test("an abort ends the attempt, before and during it", async () => {
  const reason = new Error("changed my mind");
  const before = network.connect({
    host: "127.0.0.1",
    tcpPort: 1,
    signal: AbortSignal.abort(reason),
  });
  await expect(before).rejects.toMatchObject({ code: "TRANSPORT_ABORTED", cause: reason });
  const abort = new AbortController();
  const during = network.connect({ host: "127.0.0.1", tcpPort: 1, signal: abort.signal });
  abort.abort(reason);
  await expect(during).rejects.toMatchObject({ code: "TRANSPORT_ABORTED", cause: reason });
});

test("a range of ports is tried from its start, and running out of it is an error", async () => {
  const first = await network.listen({ host: "127.0.0.1", tcpPort: 0 }, ignore);
  const range = { host: "127.0.0.1", tcpPort: first.tcpPort, tcpPortMax: first.tcpPort + 20 };
  const second = await network.listen(range, ignore);
  expect(second.tcpPort).toBeGreaterThan(first.tcpPort);
  expect(second.tcpPort).toBeLessThanOrEqual(first.tcpPort + 20);
  await expect(
    network.listen({ host: "127.0.0.1", tcpPort: first.tcpPort }, ignore),
  ).rejects.toMatchObject({
    code: "TRANSPORT_ADDRESS_IN_USE",
    message: expect.stringContaining(`port ${first.tcpPort} of 127.0.0.1`),
  });
  await first.close();
  const again = await network.listen(range, ignore);
  expect(again.tcpPort).toBe(first.tcpPort);
  await second.close();
  await again.close();
});

test("an address this machine does not have cannot be listened on", async () => {
  await expect(network.listen({ host: "192.0.2.1", tcpPort: 0 }, ignore)).rejects.toMatchObject({
    code: "TRANSPORT_ADDRESS_UNAVAILABLE",
  });
});

test("all interfaces are bound without a host, and addresses are written plainly", async () => {
  const accepted: Transport[] = [];
  const listener = await network.listen({ tcpPort: 0 }, (transport) => {
    accepted.push(transport);
    transport.start({ data: ignore, drain: ignore, close: ignore });
    transport.end();
  });
  const ours = await network.connect({ host: "127.0.0.1", tcpPort: listener.tcpPort });
  await new Promise<void>((resolve) => {
    ours.start({ data: ignore, drain: ignore, close: () => resolve() });
  });
  expect(ours.remoteAddress).toBe(`127.0.0.1:${listener.tcpPort}`);
  expect(accepted[0]?.localAddress).toBe(`127.0.0.1:${listener.tcpPort}`);
  expect(accepted[0]?.remoteAddress).toBe(ours.localAddress);
  await listener.close();
});

test("a listener closes while its connections live on", async () => {
  const accepted: Transport[] = [];
  const listener = await network.listen({ host: "127.0.0.1", tcpPort: 0 }, (transport) => {
    accepted.push(transport);
  });
  const ours = await network.connect({ host: "127.0.0.1", tcpPort: listener.tcpPort });
  const heard = new Promise<string>((resolve) => {
    ours.start({
      data: (chunk) => resolve(Buffer.from(chunk).toString()),
      drain: ignore,
      close: ignore,
    });
  });
  while (accepted.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await listener.close();
  accepted[0]?.write(Buffer.from("still here"));
  expect(await heard).toBe("still here");
  ours.destroy();
  accepted[0]?.destroy();
});

test("a connection that is reset ends with an error that names the peer", async () => {
  const server = net.createServer((socket) => {
    socket.once("data", () => socket.resetAndDestroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  const ours = await network.connect({ host: "127.0.0.1", tcpPort: port });
  const error = await new Promise<Error | undefined>((resolve) => {
    ours.start({ data: ignore, drain: ignore, close: resolve });
    ours.write(Buffer.from("?"));
  });
  expect(error).toMatchObject({
    code: "TRANSPORT_FAILED",
    message: expect.stringContaining(`127.0.0.1:${port}`),
  });
  server.close();
});
