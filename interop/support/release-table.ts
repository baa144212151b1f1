/** The table of docs/otp-releases.md: what each release offers and demands. */
import { pageText } from "./documents.ts";

export interface ReleaseRow {
  readonly release: number;
  /** The flags of a hidden node. */
  readonly offers: bigint;
  /** Names of the flags that the release before did not have. */
  readonly added: readonly string[];
  readonly demands: bigint;
}

/** The rows of the table, oldest release first. */
export function releaseRows(): ReleaseRow[] {
  const rows = /^\| OTP (\d+) +\| `(\w+)` +\|(.*)\| `(\w+)` +\|$/gm;
  return [...pageText("docs/otp-releases.md").matchAll(rows)].map(
    ([, release, offers = "", added = "", demands = ""]) => ({
      release: Number(release),
      offers: BigInt(offers),
      added: [...added.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name),
      demands: BigInt(demands),
    }),
  );
}
