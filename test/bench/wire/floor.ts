/**
 * The floor under the benchmark: what bare node:net does with frames of the same bytes.
 *
 *     node floor.js     prints `ready TCPPORT`, ends on SIGTERM
 *
 * It cuts frames by their length and looks into the first of a connection only, to see what c_load wants:
 * each frame sent back; frames counted; or so many sent. All it writes in a turn is one write.
 */

import { createServer, type Socket } from "node:net";

/** Takes whole frames, length included. */
type Taker = (frames: Buffer, lengths: readonly number[]) => void;

const CHUNK_BYTES = 64 << 10;
/** As `{flood, N}` to a pid makes them. */
const FRAME_BYTES = 80;

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on("error", () => {});
  let rest: Buffer = Buffer.alloc(0);
  let take: Taker | undefined;
  socket.on("data", (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const lengths: number[] = [];
    let at = 0;
    while (bytes.length - at >= 4) {
      const length = 4 + bytes.readUInt32BE(at);
      if (bytes.length - at < length) break;
      lengths.push(length);
      at += length;
    }
    rest = bytes.subarray(at);
    if (lengths.length === 0) return;
    take ??= takerFor(socket, bytes.subarray(0, lengths[0]));
    take(bytes.subarray(0, at), lengths);
  });
});

function takerFor(socket: Socket, first: Buffer): Taker {
  if (first.includes("echo")) return (frames) => void socket.write(frames);
  if (first.includes("flood")) {
    // The number is the last thing in the frame, as an INTEGER_EXT.
    return () => sendFrames(socket, first.readInt32BE(first.length - 4));
  }
  let counted = 0;
  return (_, lengths) => {
    for (const length of lengths) {
      // The first frame was one that asks for the count; those to be counted are shorter.
      if (length === first.length) socket.write(countFrame(counted));
      else counted++;
    }
  };
}

/** `{count, N}`, as far as c_load looks: an atom and a number. */
function countFrame(counted: number): Buffer {
  const frame = Buffer.from("\0\0\0\x0dp\x77\x05countb\0\0\0\0", "latin1");
  frame.writeInt32BE(counted, frame.length - 4);
  return frame;
}

function sendFrames(socket: Socket, count: number): void {
  const frame = Buffer.alloc(FRAME_BYTES);
  frame.writeUInt32BE(FRAME_BYTES - 4);
  const chunk = Buffer.concat(new Array(Math.floor(CHUNK_BYTES / FRAME_BYTES)).fill(frame));
  let left = count * FRAME_BYTES;
  const send = (): void => {
    while (left > 0) {
      const part = chunk.subarray(0, Math.min(chunk.length, left));
      left -= part.length;
      if (!socket.write(part)) break;
    }
    if (left > 0) socket.once("drain", send);
  };
  send();
}

process.once("SIGTERM", () => process.exit(0));
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  process.stdout.write(`ready ${port}\n`);
});
