/**
 * Both ends of EPMD: a client asks a scripted server, and scripted clients ask a server, over streams
 * that are cut anywhere. Names, ports and creations are those that were said; what is malformed gives
 * a documented error, or the end of that connection, and the server goes on answering others.
 */
import { EpmdClient } from "../../../src/epmd/client.ts";
import { EpmdError } from "../../../src/epmd/errors.ts";
import { EpmdServer } from "../../../src/epmd/server.ts";
import { MemoryNetwork } from "../../../src/transport/memory-network.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import type { Area } from "../area.ts";
import { claim, spoilt } from "../choices.ts";
import { cuts } from "./frames.ts";

const TCP_PORT = 4369;
const NAMES = ["gandalf", "bilbo", "é", "日本", "x".repeat(255)];

function uint16(value: number): Buffer {
  return Buffer.of((value >> 8) & 255, value & 255);
}

function entry(
  name: string,
  tcpPort: number,
  hidden: boolean,
  highest: number,
  extra: Uint8Array,
): Buffer {
  const text = Buffer.from(name);
  const fixed = Buffer.of(hidden ? 72 : 77, 0, 0, highest, 0, 5);
  const fields = [uint16(tcpPort), fixed, uint16(text.length), text];
  return Buffer.concat([...fields, uint16(extra.length), extra]);
}

export const epmdClient: Area = {
  name: "epmd-client",
  share: 20,
  async run(choices) {
    const clock = new FakeClock();
    const network = new MemoryNetwork({ clock });
    const kind = choices.below(3);
    const name = choices.pick(NAMES);
    const tcpPort = 1 + choices.byte();
    const creation = choices.byte();
    const extra = choices.bytes(choices.below(5));
    const answers = [
      Buffer.concat([Buffer.of(119, 0), entry(name, tcpPort, choices.oneIn(2), 6, extra)]),
      Buffer.concat([Buffer.of(118, 0, 0, 0, 0), Buffer.of(creation)]),
      Buffer.concat([Buffer.of(0, 0, 17, 17), Buffer.from(`name ${name} at port ${tcpPort}\n`)]),
    ];
    const sound = !choices.oneIn(2);
    const answer = sound ? answers[kind]! : Buffer.from(spoilt(answers[kind]!, choices));
    const ends = kind === 2 || choices.oneIn(3);
    const transports: Transport[] = [];
    await network.host("vm").listen({ tcpPort: TCP_PORT }, (transport) => {
      transports.push(transport);
      transport.start({ data() {}, drain() {}, close() {} });
      for (const chunk of cuts(answer, choices)) transport.write(chunk);
      if (ends) transport.end();
    });
    const client = new EpmdClient({ network: network.host("vm"), clock });
    const asked: Promise<unknown> =
      kind === 0
        ? client.portPlease(name, "vm")
        : kind === 1
          ? client.register(name, tcpPort)
          : client.names("vm");
    const got = await outcome(asked, clock);
    if (got.error !== undefined) {
      claim(
        got.error instanceof EpmdError && /^EPMD_[A-Z_]+$/.test(got.error.code),
        `${got.error} is documented`,
      );
      claim(!sound, `a sound answer is taken (${got.error.message})`);
    } else if (sound) {
      const value = kind === 2 ? (got.value as object[])[0] : (got.value as object);
      const expected = kind === 1 ? { creation } : { name, tcpPort };
      for (const [field, of] of Object.entries(expected)) {
        claim((value as Record<string, unknown>)[field] === of, `${field} is ${of}`);
      }
    }
    for (const transport of transports) transport.destroy();
    await clock.settle();
    claim(clock.timerCount === 0, "no timer is left");
  },
};

async function outcome(
  asked: Promise<unknown>,
  clock: FakeClock,
): Promise<{ value?: unknown; error?: unknown }> {
  let got: { value?: unknown; error?: unknown } | undefined;
  asked.then(
    (value) => {
      got = { value };
    },
    (error: unknown) => {
      got = { error };
    },
  );
  await clock.settle();
  if (got === undefined) await clock.advance(11_000);
  claim(got !== undefined, "an exchange ends");
  return got;
}

export const epmdServer: Area = {
  name: "epmd-server",
  share: 20,
  async run(choices) {
    const clock = new FakeClock();
    const host = new MemoryNetwork({ clock }).host("vm");
    const server = await EpmdServer.start({
      network: host,
      tcpPort: TCP_PORT,
      clock,
      nowSeconds: () => 1000,
    });
    let killed = false;
    void server.closed.then(() => {
      killed = true;
    });
    const held = new Map<string, number>();
    const open: Transport[] = [];
    const ask = async (request: Uint8Array): Promise<Buffer> => {
      const transport = await connected(host.connect({ host: "vm", tcpPort: TCP_PORT }), clock);
      open.push(transport);
      let heard = Buffer.alloc(0);
      transport.start({
        data: (chunk) => {
          heard = Buffer.concat([heard, chunk]);
        },
        drain() {},
        close() {},
      });
      for (const chunk of cuts(request, choices)) transport.write(chunk);
      await clock.settle();
      return heard;
    };
    for (let count = choices.below(4); count >= 0; count--) {
      if (killed) return; // as KILL_REQ may while no name is held
      const name = choices.pick(NAMES);
      const tcpPort = 1 + choices.byte();
      const kind = choices.below(4);
      const bodies = [
        Buffer.concat([
          Buffer.of(120),
          entry(name, tcpPort, false, 6, choices.bytes(choices.below(3))),
        ]),
        Buffer.concat([Buffer.of(122), Buffer.from(name)]),
        Buffer.of(choices.pick([110, 100, 107])),
        Buffer.concat([Buffer.of(115), Buffer.from(name)]),
      ];
      const body = bodies[kind]!;
      if (choices.oneIn(3)) {
        const request = Buffer.concat([uint16(body.length), body]);
        const before = server.nodes().length;
        await ask(spoilt(request, choices));
        // It may have become a registration of another name.
        if (server.nodes().length !== before)
          for (const node of server.nodes()) held.set(node.name, node.tcpPort);
        continue;
      }
      const heard = await ask(Buffer.concat([uint16(body.length), body]));
      if (kind === 0) {
        claim(heard[0] === 118, "a registration is answered");
        claim((heard[1] === 0) === !held.has(name), "a name is given once");
        if (heard[1] === 0) held.set(name, tcpPort);
      } else if (kind === 1) {
        const known = held.get(name);
        claim(
          heard[0] === 119 && (heard[1] === 0) === (known !== undefined),
          "a name that is held is found",
        );
        if (known !== undefined) claim(heard.readUInt16BE(2) === known, "with its port");
      }
    }
    if (killed) return;
    if (held.size > 0) {
      const names = await ask(Buffer.of(0, 1, 110));
      claim(names.readUInt32BE(0) === TCP_PORT, "the server goes on answering");
      for (const [name, tcpPort] of held) {
        claim(
          names.includes(`name ${name} at port ${tcpPort}\n`),
          "every name that is held is listed",
        );
      }
    }
    for (const transport of open) transport.destroy();
    await clock.settle();
    claim(server.nodes().length === 0, "names end with their connections");
    const closed = server.close();
    await clock.settle();
    await closed;
    claim(clock.timerCount === 0, "no timer is left");
  },
};

async function connected(connecting: Promise<Transport>, clock: FakeClock): Promise<Transport> {
  await clock.settle();
  return connecting;
}
