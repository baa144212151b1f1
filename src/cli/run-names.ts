/** Runs `erldist names`. */
import { EpmdClient, epmdPortFromEnv, tcpNetwork } from "../epmd/index.ts";
import type { NamesArguments } from "./names.ts";

export async function run(args: NamesArguments): Promise<void> {
  const tcpPort = args.epmdPort ?? epmdPortFromEnv(process.env);
  const client = new EpmdClient({ network: tcpNetwork(), tcpPort });
  const registered = await client.names(args.host);
  process.stdout.write(`epmd: up and running on port ${tcpPort} with data:\n`);
  for (const { name, tcpPort: port } of registered) {
    process.stdout.write(`name ${name} at port ${port}\n`);
  }
}
