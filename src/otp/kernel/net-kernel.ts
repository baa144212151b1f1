/**
 * The part of `net_kernel` that other nodes ask: `net_adm:ping/1`.
 *
 *   '$gen_call' {is_auth, Node}  -> yes
 * Whoever gets this far has passed the handshake, so the answer is always yes. Everything else
 * sent to net_kernel is ignored, as OTP ignores what it does not know.
 */
import { type Atom, atom, isTuple, tuple } from "../../../etf/index.ts";
import type { NodeCore } from "../../node/node.ts";
import type { GenCallOptions, GenClient } from "../gen/gen.ts";
import { genService, type ServiceProcess } from "../gen/gen-service.ts";

export const NET_KERNEL: Atom<"net_kernel"> = atom("net_kernel");
const IS_AUTH: Atom<"is_auth"> = atom("is_auth");
const YES: Atom<"yes"> = atom("yes");

/** The server `net_kernel`. */
export function serveNetKernel(): ServiceProcess {
  return {
    make: () =>
      genService({
        call: (request, caller) => {
          if (isTuple(request, 2) && request[0] === IS_AUTH) caller.reply(YES);
        },
      }),
  };
}

/**
 * Asks a node whether it is there and lets us in, connecting if need be, as signals do.
 * @throws NodeError, EpmdError, TransportError, HandshakeError, CallError: why it is not
 */
export async function ping(
  node: NodeCore,
  client: GenClient,
  peer: string,
  options: GenCallOptions,
): Promise<void> {
  const { signal } = options;
  if (peer !== node.name) await node.runtime.autoConnect(peer, signal);
  await client.call([NET_KERNEL, peer], tuple(IS_AUTH, atom(node.name)), options);
}
