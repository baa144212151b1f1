/** `erldist names`: the names an EPMD knows, in the words of `epmd -names`. */
import { EpmdClient, epmdPortFromEnv, tcpNetwork } from "../epmd/index.ts";

interface NamesArguments {
  host: string;
  epmdPort?: number | undefined;
}

export async function names(args: NamesArguments): Promise<void> {
  const tcpPort = args.epmdPort ?? epmdPortFromEnv(process.env);
  const client = new EpmdClient({ network: tcpNetwork(), tcpPort });
  const registered = await client.names(args.host);
  process.stdout.write(`epmd: up and running on port ${tcpPort} with data:\n`);
  for (const { name, tcpPort: port } of registered) {
    process.stdout.write(`name ${name} at port ${port}\n`);
  }
}
