/**
 * The messages between nodes and EPMD, as bytes.
 *
 * Spec: erl_dist_protocol, "EPMD Protocol"; what epmd of OTP 25 does was tried. A request travels
 * behind its 16-bit length, a reply without one. Big-endian throughout:
 *
 *     ALIVE2_REQ        120 tcpPort:16 nodeType:8 protocol:8 highest:16 lowest:16
 *                           nameLength:16 name extraLength:16 extra
 *     ALIVE2_X_RESP     118 result:8 creation:32      to nodes whose highest version is 6 or more
 *     ALIVE2_RESP       121 result:8 creation:16      to others
 *     PORT_PLEASE2_REQ  122 name
 *     PORT2_RESP        119 0 tcpPort:16 nodeType:8 protocol:8 highest:16 lowest:16
 *                           nameLength:16 name extraLength:16 extra;   119 result:8 if unknown
 *     NAMES_REQ         110      epmdPort:32, then lines "name N at port P\n", until the end
 *     DUMP_REQ          100      epmdPort:32, then lines for people, until the end
 *     KILL_REQ          107      "OK" or "NO"
 *     STOP_REQ          115 name "STOPPED" or "NOEXIST"
 *
 * A parser of a reply returns undefined while bytes are missing.
 */
import { utf8Text } from "../../etf/index.ts";
import { EpmdError } from "./errors.ts";

export const EPMD_TAG = {
  ALIVE2_REQ: 120,
  ALIVE2_RESP: 121,
  ALIVE2_X_RESP: 118,
  PORT_PLEASE2_REQ: 122,
  PORT2_RESP: 119,
  NAMES_REQ: 110,
  DUMP_REQ: 100,
  KILL_REQ: 107,
  STOP_REQ: 115,
} as const;

export const NODE_TYPE = { NORMAL: 77, HIDDEN: 72 } as const;

/** A name has at most 255 characters, each of at most 4 bytes. */
const MAX_NAME_CHARACTERS = 255;
const MAX_NAME_BYTES = 4 * MAX_NAME_CHARACTERS;
/** The longest request, its length not counted: epmd takes less than three names' worth. */
export const MAX_REQUEST_BYTES = 3 * MAX_NAME_BYTES - 3;
/** The longest list of names taken from a peer. */
export const MAX_NAMES_BYTES = 1024 * 1024;

/** What a node tells EPMD of itself, and EPMD tells others. */
export interface NodeEntry {
  readonly name: string;
  readonly tcpPort: number;
  /** `NODE_TYPE.NORMAL` or `NODE_TYPE.HIDDEN`; other numbers are carried as they are. */
  readonly nodeType: number;
  /** 0 is TCP over IPv4. */
  readonly protocol: number;
  /** Versions of the distribution protocol: 6 from OTP 23 on, 5 before. */
  readonly highestVersion: number;
  readonly lowestVersion: number;
  readonly extra: Uint8Array;
}

export type EpmdRequest =
  | { readonly type: "alive2"; readonly node: NodeEntry }
  | { readonly type: "portPlease2"; readonly name: string }
  | { readonly type: "stop"; readonly name: string }
  | { readonly type: "names" | "dump" | "kill" };

export interface Alive2Response {
  /** 0: registered. */
  readonly result: number;
  readonly creation: number;
}

/** The bytes of a request, its length in front. @throws EpmdError EPMD_NAME_INVALID */
export function encodeRequest(request: EpmdRequest): Buffer {
  switch (request.type) {
    case "alive2":
      return framed(Buffer.concat([Buffer.of(EPMD_TAG.ALIVE2_REQ), entryBytes(request.node)]));
    case "portPlease2":
      return framed(Buffer.concat([Buffer.of(EPMD_TAG.PORT_PLEASE2_REQ), nameBytes(request.name)]));
    case "stop":
      return framed(Buffer.concat([Buffer.of(EPMD_TAG.STOP_REQ), nameBytes(request.name)]));
    case "names":
      return framed(Buffer.of(EPMD_TAG.NAMES_REQ));
    case "dump":
      return framed(Buffer.of(EPMD_TAG.DUMP_REQ));
    case "kill":
      return framed(Buffer.of(EPMD_TAG.KILL_REQ));
  }
}

/**
 * A request as it came, without its length.
 * @throws EpmdError EPMD_BAD_REQUEST, and EPMD_NAME_INVALID when it is a registration whose name
 * epmd would refuse by a reply
 */
export function parseRequest(bytes: Uint8Array): EpmdRequest {
  const body = asBuffer(bytes);
  switch (body[0]) {
    case EPMD_TAG.ALIVE2_REQ:
      return { type: "alive2", node: parseAlive2(body) };
    case EPMD_TAG.PORT_PLEASE2_REQ:
      return { type: "portPlease2", name: parseBareName(body) };
    case EPMD_TAG.STOP_REQ:
      return { type: "stop", name: parseBareName(body) };
    case EPMD_TAG.NAMES_REQ:
      return { type: "names" };
    case EPMD_TAG.DUMP_REQ:
      return { type: "dump" };
    case EPMD_TAG.KILL_REQ:
      return { type: "kill" };
    default:
      throw badRequest(`it begins with the unknown byte ${body[0]}`);
  }
}

/** The highest version a registration names, whatever else is wrong with it. */
export function highestVersionOf(request: Uint8Array): number {
  return request.length >= 7 ? (request[5]! << 8) | request[6]! : 0;
}

export function encodeAlive2Response(response: Alive2Response, peerHighestVersion: number): Buffer {
  if (peerHighestVersion >= 6) {
    const bytes = Buffer.allocUnsafe(6);
    bytes[0] = EPMD_TAG.ALIVE2_X_RESP;
    bytes[1] = response.result;
    bytes.writeUInt32BE(response.creation, 2);
    return bytes;
  }
  const bytes = Buffer.allocUnsafe(4);
  bytes[0] = EPMD_TAG.ALIVE2_RESP;
  bytes[1] = response.result;
  bytes.writeUInt16BE(response.creation & 0xffff, 2);
  return bytes;
}

/** @throws EpmdError EPMD_BAD_REPLY */
export function parseAlive2Response(bytes: Uint8Array): Alive2Response | undefined {
  const body = asBuffer(bytes);
  if (body.length === 0) return undefined;
  const extended = body[0] === EPMD_TAG.ALIVE2_X_RESP;
  if (!extended && body[0] !== EPMD_TAG.ALIVE2_RESP) throw badReply(body);
  if (body.length < (extended ? 6 : 4)) return undefined;
  return {
    result: body[1]!,
    creation: extended ? body.readUInt32BE(2) : body.readUInt16BE(2),
  };
}

/** The answer to PORT_PLEASE2_REQ; undefined stands for a name nobody has. */
export function encodePort2Response(node: NodeEntry | undefined): Buffer {
  if (node === undefined) return Buffer.of(EPMD_TAG.PORT2_RESP, 1);
  return Buffer.concat([Buffer.of(EPMD_TAG.PORT2_RESP, 0), entryBytes(node)]);
}

/** @throws EpmdError EPMD_BAD_REPLY */
export function parsePort2Response(bytes: Uint8Array): NodeEntry | "unknown" | undefined {
  const body = asBuffer(bytes);
  if (body.length === 0) return undefined;
  if (body[0] !== EPMD_TAG.PORT2_RESP) throw badReply(body);
  if (body.length < 2) return undefined;
  if (body[1] !== 0) return "unknown";
  // The entry as in ALIVE2_REQ, one byte further on.
  const parts = splitEntry(body.subarray(1));
  if (parts === undefined) return undefined;
  const name = utf8Text(parts.name);
  if (name === null) throw badReply(body);
  return { ...parts.fields, name, extra: parts.extra };
}

export function encodeNamesResponse(epmdPort: number, nodes: readonly NodeEntry[]): Buffer {
  const lines = nodes.map(({ name, tcpPort }) => `name ${name} at port ${tcpPort}\n`);
  return Buffer.concat([uint32(epmdPort), Buffer.from(lines.join(""), "utf8")]);
}

/** `descriptor` is what epmd calls the file descriptor of the connection. */
export function encodeDumpResponse(
  epmdPort: number,
  active: readonly (NodeEntry & { readonly descriptor: number })[],
  unused: readonly { readonly name: string; readonly tcpPort: number }[],
): Buffer {
  // The column widths and the NUL behind each line are epmd's own.
  const lines = [
    ...active.map(
      ({ name, tcpPort, descriptor }) =>
        `active name     <${name}> at port ${tcpPort}, fd = ${descriptor}\n\0`,
    ),
    ...unused.map(
      ({ name, tcpPort }) => `old/unused name <${name}>, port = ${tcpPort}, fd = -1 \n\0`,
    ),
  ];
  return Buffer.concat([uint32(epmdPort), Buffer.from(lines.join(""), "utf8")]);
}

export interface RegisteredName {
  readonly name: string;
  readonly tcpPort: number;
}

/** The answer to NAMES_REQ, read to its end. Lines of another form are left out. */
export function parseNamesResponse(bytes: Uint8Array): RegisteredName[] {
  const names: RegisteredName[] = [];
  for (const line of parseTextResponse(bytes).split("\n")) {
    const match = /^name (.+) at port (\d{1,5})$/.exec(line);
    if (match !== null) names.push({ name: match[1]!, tcpPort: Number(match[2]) });
  }
  return names;
}

/** The text behind the port of EPMD, as NAMES_REQ and DUMP_REQ bring it. @throws EpmdError EPMD_BAD_REPLY */
export function parseTextResponse(bytes: Uint8Array): string {
  const body = asBuffer(bytes);
  if (body.length < 4 || body.readUInt32BE(0) > 0xffff) throw badReply(body);
  const text = utf8Text(body, 4);
  if (text === null) throw badReply(body);
  return text.replaceAll("\0", "");
}

/** @throws EpmdError EPMD_NAME_INVALID */
function nameBytes(name: string): Buffer {
  const bytes = Buffer.from(name, "utf8");
  const characters = [...name].length;
  if (
    characters === 0 ||
    characters > MAX_NAME_CHARACTERS ||
    name.includes("\0") ||
    utf8Text(bytes) !== name
  ) {
    throw new EpmdError(
      "EPMD_NAME_INVALID",
      `${JSON.stringify(name)} cannot be registered: a name has 1 to ${MAX_NAME_CHARACTERS} characters, none of them NUL.`,
    );
  }
  return bytes;
}

function entryBytes(node: NodeEntry): Buffer {
  const name = nameBytes(node.name);
  const bytes = Buffer.alloc(10 + name.length + 2 + node.extra.length);
  bytes.writeUInt16BE(node.tcpPort, 0);
  bytes[2] = node.nodeType;
  bytes[3] = node.protocol;
  bytes.writeUInt16BE(node.highestVersion, 4);
  bytes.writeUInt16BE(node.lowestVersion, 6);
  bytes.writeUInt16BE(name.length, 8);
  bytes.set(name, 10);
  bytes.writeUInt16BE(node.extra.length, 10 + name.length);
  bytes.set(node.extra, 12 + name.length);
  return bytes;
}

/** The fields behind a tag; undefined when the body ends before they do. What follows is ignored. */
function splitEntry(body: Buffer) {
  if (body.length < 13) return undefined;
  const nameLength = body.readUInt16BE(9);
  if (body.length < 13 + nameLength) return undefined;
  const extraLength = body.readUInt16BE(11 + nameLength);
  if (body.length < 13 + nameLength + extraLength) return undefined;
  return {
    fields: {
      tcpPort: body.readUInt16BE(1),
      nodeType: body[3]!,
      protocol: body[4]!,
      highestVersion: body.readUInt16BE(5),
      lowestVersion: body.readUInt16BE(7),
    },
    name: body.subarray(11, 11 + nameLength),
    extra: body.subarray(13 + nameLength, 13 + nameLength + extraLength),
  };
}

function parseAlive2(body: Buffer): NodeEntry {
  const parts = splitEntry(body);
  if (parts === undefined) throw badRequest("a registration is cut short");
  if (parts.name.length === 0) throw badRequest("a registration has an empty name");
  if (parts.name.includes(0)) throw badRequest("a name has a NUL in it");
  const name = utf8Name(parts.name);
  if (name === undefined || parts.extra.length > MAX_NAME_BYTES) {
    throw new EpmdError(
      "EPMD_NAME_INVALID",
      `A name of ${parts.name.length} bytes cannot be registered: a name is UTF-8 of at most ${MAX_NAME_CHARACTERS} characters.`,
    );
  }
  return { ...parts.fields, name, extra: parts.extra };
}

/** The name behind a tag, a NUL at its end tolerated, as epmd does for old nodes. */
function parseBareName(body: Buffer): string {
  const end = body.at(-1) === 0 ? body.length - 1 : body.length;
  const bytes = body.subarray(1, end);
  const name = bytes.length === 0 || bytes.includes(0) ? undefined : utf8Name(bytes);
  if (name === undefined) throw badRequest("the name it asks for cannot be one");
  return name;
}

function utf8Name(bytes: Buffer): string | undefined {
  const name = utf8Text(bytes);
  return name !== null && [...name].length <= MAX_NAME_CHARACTERS ? name : undefined;
}

function framed(body: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(2 + body.length);
  bytes.writeUInt16BE(body.length, 0);
  bytes.set(body, 2);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function badReply(body: Buffer): EpmdError {
  const start = body.length === 0 ? "nothing" : `the byte ${body[0]}`;
  return new EpmdError(
    "EPMD_BAD_REPLY",
    `The answer begins with ${start}, as none of EPMD's does. Something else has EPMD's port there: check ERL_EPMD_PORT.`,
  );
}

function badRequest(what: string): EpmdError {
  return new EpmdError("EPMD_BAD_REQUEST", `A request to EPMD is malformed: ${what}.`);
}
