/**
 * The part of `net_kernel` that other nodes ask: `net_adm:ping/1`.
 *
 *   '$gen_call' {is_auth, Node}  -> yes
 * A node that can ask has passed the handshake, so the answer is always yes. Other messages are
 * ignored, as OTP ignores what it does not know.
 */
import { type Atom, atom, isTuple, tuple } from "../../../etf/index.ts";
import type { NodeCore } from "../../node/node.ts";
import type { GenCallOptions, GenClient } from "../gen/gen.ts";
import { genService, type ServiceProcess } from "../gen/gen-service.ts";

/** The name of the server. */
export const NET_KERNEL: Atom<"net_kernel"> = atom("net_kernel");
const IS_AUTH: Atom<"is_auth"> = atom("is_auth");
const YES: Atom<"yes"> = atom("yes");

/** Makes the server `net_kernel`. */
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
 * Checks that a node is up and accepts this one, connecting first if necessary.
 * @throws NodeError, EpmdError, TransportError, HandshakeError, CallError: why not
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
