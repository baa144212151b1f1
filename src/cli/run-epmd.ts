/** Runs `erldist epmd`. */
import {
  EpmdServer,
  epmdAddressesFromEnv,
  epmdPortFromEnv,
  epmdRelaxedFromEnv,
  tcpNetwork,
} from "../epmd/index.ts";
import type { EpmdArguments } from "./epmd.ts";
import { untilInterrupted } from "./signals.ts";

export async function run(args: EpmdArguments): Promise<void> {
  const addresses = epmdAddressesFromEnv(
    args.address === undefined ? process.env : { ERL_EPMD_ADDRESS: args.address },
  );
  await using server = await EpmdServer.start({
    network: tcpNetwork(),
    tcpPort: args.epmdPort ?? epmdPortFromEnv(process.env),
    ...(addresses === undefined ? {} : { addresses }),
    relaxedCommandCheck: epmdRelaxedFromEnv(process.env),
  });
  process.stdout.write(`epmd ready, port ${server.tcpPort}\n`);
  // KILL_REQ from a client that may send it ends the server as a signal does.
  await untilInterrupted(server.closed);
}
