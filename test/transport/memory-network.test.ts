import { expect, test } from "vitest";
import { MemoryNetwork } from "../../src/transport/memory-network.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { FakeClock } from "../support/fake-clock.ts";

test("hosts have ports of their own, and loopback is the asking host", async () => {
  const network = new MemoryNetwork();
  const [a, b] = [network.host("a"), network.host("b")];
  const accepted: string[] = [];
  const note = (name: string) => (transport: Transport) => {
    accepted.push(`${name} from ${transport.remoteAddress.split(":")[0]}`);
  };
  await a.listen({ tcpPort: 4369 }, note("a"));
  await b.listen({ tcpPort: 4369 }, note("b"));
  await a.connect({ host: "b", tcpPort: 4369 });
  await a.connect({ host: "localhost", tcpPort: 4369 });
  await b.connect({ host: "127.0.0.1", tcpPort: 4369 });
  expect(accepted).toEqual(["b from a", "a from 127.0.0.1", "b from 127.0.0.1"]);
});

test("its refusals have the codes of the real ones", async () => {
  const clock = new FakeClock();
  const network = new MemoryNetwork({ clock });
  const a = network.host("a");
  const listener = await a.listen({ tcpPort: 7 }, () => {});
  await expect(a.listen({ tcpPort: 7 }, () => {})).rejects.toMatchObject({
    code: "TRANSPORT_ADDRESS_IN_USE",
  });
  const unknown = a.connect({ host: "z", tcpPort: 7 });
  const rejectsUnknown = expect(unknown).rejects.toMatchObject({ code: "TRANSPORT_HOST_UNKNOWN" });
  await listener.close();
  const refused = a.connect({ host: "a", tcpPort: 7 });
  const rejectsRefused = expect(refused).rejects.toMatchObject({ code: "TRANSPORT_REFUSED" });
  network.silence("far");
  const silent = a.connect({ host: "far", tcpPort: 7, timeoutMs: 500 });
  const rejectsSilent = expect(silent).rejects.toMatchObject({ code: "TRANSPORT_TIMEOUT" });
  await clock.advance(500);
  await Promise.all([rejectsUnknown, rejectsRefused, rejectsSilent]);
});
