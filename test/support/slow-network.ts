/**
 * A network on which writes leave some turns later, in order.
 */
import type { Clock } from "../../src/transport/clock.ts";
import type { Network, Transport } from "../../src/transport/transport.ts";

/** Wraps a network: writes on streams connected through the result leave `turns` turns later. */
export function slowNetwork(network: Network, clock: Clock, turns: number): Network {
  const later = (act: () => void, left = turns): void => {
    if (left === 0) act();
    else clock.defer(() => later(act, left - 1));
  };
  return {
    listen: (options, accept) => network.listen(options, accept),
    connect: async (options) => slowed(await network.connect(options), later),
  };
}

function slowed(transport: Transport, later: (act: () => void) => void): Transport {
  return {
    remoteAddress: transport.remoteAddress,
    localAddress: transport.localAddress,
    handshakeLengthBytes: transport.handshakeLengthBytes,
    get bufferedBytes() {
      return transport.bufferedBytes;
    },
    start: (receiver) => transport.start(receiver),
    write: (bytes) => {
      later(() => transport.write(bytes));
      return true;
    },
    writeMany: (chunks) => {
      later(() => transport.writeMany(chunks));
      return true;
    },
    written: (callback) => transport.written(callback),
    pause: () => transport.pause(),
    resume: () => transport.resume(),
    end: () => later(() => transport.end()),
    destroy: (error) => later(() => transport.destroy(error)),
  };
}
