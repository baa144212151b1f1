/**
 * Distribution flags: what each side of a connection can do, exchanged in the handshake.
 *
 * Spec: erl_dist_protocol, "Distribution Flags". Values as in kernel/include/dist.hrl of OTP 23
 * to 29; where the published page differs, the runtime is followed.
 */
export const DFLAG = {
  PUBLISHED: 0x1n,
  ATOM_CACHE: 0x2n,
  EXTENDED_REFERENCES: 0x4n,
  DIST_MONITOR: 0x8n,
  FUN_TAGS: 0x10n,
  DIST_MONITOR_NAME: 0x20n,
  HIDDEN_ATOM_CACHE: 0x40n,
  NEW_FUN_TAGS: 0x80n,
  EXTENDED_PIDS_PORTS: 0x100n,
  EXPORT_PTR_TAG: 0x200n,
  BIT_BINARIES: 0x400n,
  NEW_FLOATS: 0x800n,
  UNICODE_IO: 0x1000n,
  DIST_HDR_ATOM_CACHE: 0x2000n,
  SMALL_ATOM_TAGS: 0x4000n,
  UTF8_ATOMS: 0x10000n,
  MAP_TAG: 0x20000n,
  BIG_CREATION: 0x40000n,
  SEND_SENDER: 0x80000n,
  BIG_SEQTRACE_LABELS: 0x100000n,
  EXIT_PAYLOAD: 0x400000n,
  FRAGMENTS: 0x800000n,
  HANDSHAKE_23: 0x1000000n,
  UNLINK_ID: 0x2000000n,
  /** Bit 26, as in kernel/include/dist.hrl of OTP 25 to 29; the protocol page says bit 36. */
  MANDATORY_25_DIGEST: 0x4000000n,
  SPAWN: 1n << 32n,
  NAME_ME: 2n << 32n,
  V4_NC: 4n << 32n,
  ALIAS: 8n << 32n,
  ALTACT_SIG: 32n << 32n,
  NATIVE_RECORDS: 64n << 32n,
} as const;

export type FlagName = keyof typeof DFLAG;

/** The flags OTP 25 stands for with MANDATORY_25_DIGEST: 0x1070F94. */
export const MANDATORY_25: bigint =
  DFLAG.EXTENDED_REFERENCES |
  DFLAG.FUN_TAGS |
  DFLAG.NEW_FUN_TAGS |
  DFLAG.EXTENDED_PIDS_PORTS |
  DFLAG.EXPORT_PTR_TAG |
  DFLAG.BIT_BINARIES |
  DFLAG.NEW_FLOATS |
  DFLAG.UTF8_ATOMS |
  DFLAG.MAP_TAG |
  DFLAG.BIG_CREATION |
  DFLAG.HANDSHAKE_23;

/**
 * What a peer must offer us: the set every release from OTP 23 on sends. UNLINK_ID and V4_NC,
 * mandatory among OTP 26 and later, are not demanded: OTP 23 has neither.
 */
export const REQUIRED_OF_PEER: bigint = MANDATORY_25;

/** Replaces the shorthand MANDATORY_25_DIGEST by the flags it stands for. */
export function expandDigest(flags: bigint): bigint {
  return flags & DFLAG.MANDATORY_25_DIGEST ? flags | MANDATORY_25 : flags;
}

/** The names of the flags in `required` that `offered` lacks, lowest bit first. */
export function missingFlags(offered: bigint, required: bigint): FlagName[] {
  const lacking = required & ~expandDigest(offered);
  return flagNames(lacking);
}

/** The names of the known flags in `flags`, lowest bit first. */
export function flagNames(flags: bigint): FlagName[] {
  return (Object.keys(DFLAG) as FlagName[]).filter((name) => (flags & DFLAG[name]) !== 0n);
}

/** Both sides must offer a flag for it to be in force, except PUBLISHED, which tells only of one. */
export function negotiate(ours: bigint, theirs: bigint): bigint {
  return expandDigest(ours) & expandDigest(theirs);
}
