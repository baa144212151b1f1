/**
 * What EPMD would know, for all hosts of a test, in one map.
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
  /** How many name services were closed. */
  closed = 0;
  #nextCreation = 100;

  /** The name service for nodes on that host. */
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
