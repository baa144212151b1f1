/** The server `user`: the I/O device that is the node's group leader. Default: standard output. */
import { type Atom, atom } from "../../../etf/index.ts";
import type { NodeCore } from "../../node/node.ts";
import type { ServiceProcess } from "../gen/gen-service.ts";
import { type DeviceOptions, IoDevice, inputOf } from "./io-device.ts";

/** The name of the server. */
export const USER: Atom<"user"> = atom("user");

/** Makes the server `user`. It becomes the group leader of the node, and of all processes of the last one. */
export function serveUser(
  { core }: { core: NodeCore },
  given: Partial<DeviceOptions>,
): ServiceProcess {
  const options = deviceOf(given);
  // Text that has been read and not taken yet outlives the process.
  const input = inputOf(options);
  return {
    make: () => new IoDevice(core, options, input),
    started: (self) => {
      const before = core.groupLeader;
      for (const process of core.runtime.table.all()) {
        if (process.groupLeader.equals(before)) process.groupLeader = self.pid;
      }
      self.groupLeader = self.pid;
      core.groupLeader = self.pid;
    },
  };
}

/** The options of `user`, with standard output as the default. */
function deviceOf({ output, input, geometry }: Partial<DeviceOptions>): DeviceOptions {
  const { stdout } = process;
  const size = geometry ?? (output === undefined ? terminalSize : undefined);
  return {
    output: output ?? ((text) => void stdout.write(text)),
    ...(input === undefined ? {} : { input }),
    ...(size === undefined ? {} : { geometry: size }),
  };
}

function terminalSize(): { columns: number; rows: number } | undefined {
  const { isTTY, columns, rows } = process.stdout;
  return isTTY ? { columns, rows } : undefined;
}
