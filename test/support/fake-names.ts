/**
 * What EPMD would know, of every host of a test, in one map.
 */
import { EpmdError } from "../../src/epmd/errors.ts";
import type { NameService } from "../../src/node/identity/name-service.ts";

interface Registered {
  readonly tcpPort: number;
  readonly hidden: boolean;
}

export class FakeNames {
  /** By full node name. */
  readonly registered = new Map<string, Registered>();
  /** Name services that were closed. */
  closed = 0;
  #nextCreation = 100;

  /** The name service as nodes on that host see it. */
  host(host: string): NameService {
    let own: string | undefined;
    return {
      register: async (alive, tcpPort, { hidden }) => {
        const name = `${alive}@${host}`;
        if (this.registered.has(name)) {
          throw new EpmdError("EPMD_NAME_TAKEN", `${name} is taken.`);
        }
        own = name;
        this.registered.set(name, { tcpPort, hidden });
        return this.#nextCreation++;
      },
      portOf: async (alive, peerHost) => {
        const entry = this.registered.get(`${alive}@${peerHost}`);
        if (entry === undefined) {
          throw new EpmdError("EPMD_NAME_UNKNOWN", `${alive}@${peerHost} is not registered.`);
        }
        return entry.tcpPort;
      },
      close: async () => {
        this.closed++;
        if (own !== undefined) this.registered.delete(own);
      },
    };
  }
}
