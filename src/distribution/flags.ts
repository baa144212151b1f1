/**
 * Distribution flags: what each side of a connection can do, exchanged in the handshake.
 *
 * Spec: erl_dist_protocol, "Distribution Flags". Values as in kernel/include/dist.hrl of OTP 23
 * to 29; where the published page differs, the runtime is followed. A new flag is a row here.
 */

/** What is known of one flag. */
export interface FlagRow {
  readonly bit: bigint;
  /** The OTP release from which on every release knows the flag; 23 stands for 23 and older. */
  readonly since: number;
  /** Whether a node of this library offers it. */
  readonly offered: boolean;
  /** Whether MANDATORY_25_DIGEST stands for it. */
  readonly mandatory: boolean;
}

/** Every known flag, lowest bit first. */
export const FLAGS = {
  /** The sender is a visible node, and offers this instead of the row's `offered`. */
  PUBLISHED: { bit: 0x1n, since: 23, offered: false, mandatory: false },
  ATOM_CACHE: { bit: 0x2n, since: 23, offered: false, mandatory: false },
  EXTENDED_REFERENCES: { bit: 0x4n, since: 23, offered: true, mandatory: true },
  DIST_MONITOR: { bit: 0x8n, since: 23, offered: true, mandatory: false },
  FUN_TAGS: { bit: 0x10n, since: 23, offered: true, mandatory: true },
  DIST_MONITOR_NAME: { bit: 0x20n, since: 23, offered: true, mandatory: false },
  HIDDEN_ATOM_CACHE: { bit: 0x40n, since: 23, offered: false, mandatory: false },
  NEW_FUN_TAGS: { bit: 0x80n, since: 23, offered: true, mandatory: true },
  EXTENDED_PIDS_PORTS: { bit: 0x100n, since: 23, offered: true, mandatory: true },
  EXPORT_PTR_TAG: { bit: 0x200n, since: 23, offered: true, mandatory: true },
  BIT_BINARIES: { bit: 0x400n, since: 23, offered: true, mandatory: true },
  NEW_FLOATS: { bit: 0x800n, since: 23, offered: true, mandatory: true },
  UNICODE_IO: { bit: 0x1000n, since: 23, offered: true, mandatory: false },
  DIST_HDR_ATOM_CACHE: { bit: 0x2000n, since: 23, offered: true, mandatory: false },
  SMALL_ATOM_TAGS: { bit: 0x4000n, since: 23, offered: true, mandatory: false },
  UTF8_ATOMS: { bit: 0x10000n, since: 23, offered: true, mandatory: true },
  MAP_TAG: { bit: 0x20000n, since: 23, offered: true, mandatory: true },
  BIG_CREATION: { bit: 0x40000n, since: 23, offered: true, mandatory: true },
  SEND_SENDER: { bit: 0x80000n, since: 23, offered: true, mandatory: false },
  BIG_SEQTRACE_LABELS: { bit: 0x100000n, since: 23, offered: true, mandatory: false },
  EXIT_PAYLOAD: { bit: 0x400000n, since: 23, offered: true, mandatory: false },
  FRAGMENTS: { bit: 0x800000n, since: 23, offered: true, mandatory: false },
  HANDSHAKE_23: { bit: 0x1000000n, since: 23, offered: true, mandatory: true },
  UNLINK_ID: { bit: 0x2000000n, since: 24, offered: true, mandatory: false },
  /** Bit 26, as in kernel/include/dist.hrl of OTP 25 to 29; the protocol page says bit 36. */
  MANDATORY_25_DIGEST: { bit: 0x4000000n, since: 25, offered: true, mandatory: false },
  SPAWN: { bit: 1n << 32n, since: 23, offered: true, mandatory: false },
  /** The sender asks the peer for a node name. */
  NAME_ME: { bit: 2n << 32n, since: 23, offered: false, mandatory: false },
  V4_NC: { bit: 4n << 32n, since: 24, offered: true, mandatory: false },
  ALIAS: { bit: 8n << 32n, since: 24, offered: true, mandatory: false },
  ALTACT_SIG: { bit: 32n << 32n, since: 28, offered: true, mandatory: false },
  NATIVE_RECORDS: { bit: 64n << 32n, since: 29, offered: true, mandatory: false },
} as const satisfies Readonly<Record<string, FlagRow>>;

/** A flag's name, as in dist.hrl without `DFLAG_`. */
export type FlagName = keyof typeof FLAGS;

const NAMES = Object.keys(FLAGS) as FlagName[];

/** The bit of each flag, by name. */
export const DFLAG = Object.fromEntries(NAMES.map((name) => [name, FLAGS[name].bit])) as {
  readonly [Name in FlagName]: bigint;
};

/** The flags that OTP 25 and later abbreviate as MANDATORY_25_DIGEST: 0x1070F94. */
export const MANDATORY_25: bigint = bitsOf((row) => row.mandatory);

/** What a hidden node offers its peers. A visible node adds PUBLISHED. */
export const OFFERED_FLAGS: bigint = bitsOf((row) => row.offered);

/**
 * What a peer must offer: the set that every release from OTP 23 on sends. UNLINK_ID and V4_NC,
 * mandatory among OTP 26 and later, are not required, because OTP 23 has neither.
 */
export const REQUIRED_OF_PEER: bigint = MANDATORY_25;

function bitsOf(chosen: (row: FlagRow) => boolean): bigint {
  return Object.values(FLAGS).reduce((bits, row) => (chosen(row) ? bits | row.bit : bits), 0n);
}

/** The flags with MANDATORY_25_DIGEST, if it is among them, expanded to what it stands for. */
export function expandDigest(flags: bigint): bigint {
  return flags & DFLAG.MANDATORY_25_DIGEST ? flags | MANDATORY_25 : flags;
}

/** The names of the flags in `required` that `offered` lacks, lowest bit first. */
export function missingFlags(offered: bigint, required: bigint): FlagName[] {
  return flagNames(required & ~expandDigest(offered));
}

/** The names of the known flags in `flags`, lowest bit first. */
export function flagNames(flags: bigint): FlagName[] {
  return NAMES.filter((name) => (flags & DFLAG[name]) !== 0n);
}

/** The OTP release from which on every release knows all of these flags. */
export function releaseWith(flags: readonly FlagName[]): number {
  return Math.max(...flags.map((name) => FLAGS[name].since));
}

/** The flags in force on a connection: those that both sides offer. */
export function negotiate(ours: bigint, theirs: bigint): bigint {
  return expandDigest(ours) & expandDigest(theirs);
}
