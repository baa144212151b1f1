/** Both directions of a connection between Erlang nodes, recorded by `test/vectors/capture.escript`. */
import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { decode, type Term } from "../../etf/index.ts";

export interface Capture {
  readonly release: string;
  /** The streams, handshake included. */
  readonly initiator: Buffer;
  readonly acceptor: Buffer;
  /** Where the handshake ends in each stream. */
  readonly initiatorStart: number;
  readonly acceptorStart: number;
  /** The messages `{vector, From, N, Term}` that the initiator sent. */
  readonly sent: readonly Term[];
  /** The messages `{echo, N, Term}` that came back. */
  readonly echoed: readonly Term[];
}

const inflated = (text: string): Buffer => inflateSync(Buffer.from(text, "base64"));

export function readCapture(release: "25" | "29"): Capture {
  const file = new URL(`../vectors/capture-${release}.json`, import.meta.url);
  const read = JSON.parse(readFileSync(file, "utf8"));
  const initiator = inflated(read.initiator);
  const acceptor = inflated(read.acceptor);
  return {
    release: read.release,
    initiator,
    acceptor,
    initiatorStart: behindHandshake(initiator, "r"),
    acceptorStart: behindHandshake(acceptor, "a"),
    sent: read.sent.map((text: string) => decode(inflated(text))),
    echoed: read.echoed.map((text: string) => decode(inflated(text))),
  };
}

/** The offset after the handshake message with that tag. */
function behindHandshake(stream: Buffer, lastTag: string): number {
  for (let at = 0; ; ) {
    const tag = String.fromCharCode(stream[at + 2]!);
    at += 2 + stream.readUInt16BE(at);
    if (tag === lastTag) return at;
  }
}
