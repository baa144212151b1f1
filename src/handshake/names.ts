/**
 * Node names, as the handshake checks them: something, one `@`, something.
 */

/** The two parts of `alive@host`, or undefined when the text is not a node name. */
export function splitNodeName(name: string): { alive: string; host: string } | undefined {
  const parts = name.split("@");
  if (parts.length !== 2 || parts[0] === "" || parts[1] === "") return undefined;
  return { alive: parts[0]!, host: parts[1]! };
}

/** Whether the text can stand for the host of a node that asks for a name. */
export function isHostName(text: string): boolean {
  return text !== "" && !text.includes("@");
}

/**
 * A name for a node on `host` that asked for one, as OTP makes them: up to 13 base-36 digits of a
 * random number of 64 bits.
 */
export function dynamicNodeName(host: string, random: bigint): string {
  return `${BigInt.asUintN(64, random).toString(36).toUpperCase()}@${host}`;
}
