/** `erldist epmd`: an EPMD in the foreground. */
import {
  EpmdServer,
  epmdAddressesFromEnv,
  epmdPortFromEnv,
  epmdRelaxedFromEnv,
  tcpNetwork,
} from "../epmd/index.ts";
import { untilInterrupted } from "./signals.ts";

interface EpmdArguments {
  epmdPort?: number | undefined;
  address?: string | undefined;
}

export async function epmd(args: EpmdArguments): Promise<void> {
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
  // A peer that may (KILL_REQ) ends it as a signal does.
  await untilInterrupted(server.closed);
}
