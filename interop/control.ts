/**
 * The channel to `erldist_harness.erl` in an Erlang node: frames behind a length of four bytes.
 *
 * The top of that file describes the messages. They do not use the project's codec, which is under test.
 */

import type { Duplex } from "node:stream";
import { OtpEvalError } from "./errors.ts";

/** What the node is asked to evaluate. */
export interface EvalRequest {
  /** The session's number; 0 for a new process. */
  session: number;
  text: string;
  bindings: Readonly<Record<string, Uint8Array>>;
  form: "text" | "external";
}

/** What the node reports when its harness has started. */
export interface Ready {
  name: string;
  otpRelease: string;
  osPid: string;
}

interface Waiting {
  text: string;
  resolve(value: Buffer): void;
  reject(error: Error): void;
}

/** One node's channel: requests out, answers in. */
export class ControlChannel {
  /** Resolves when the harness in the node has started; stays pending if it does not. */
  readonly ready: Promise<Ready>;
  readonly #socket: Duplex;
  readonly #waiting = new Map<number, Waiting>();
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #nextId = 1;
  #label: string;
  #ended: Error | undefined;

  constructor(socket: Duplex, label: string) {
    this.#socket = socket;
    this.#label = label;
    let tell: (ready: Ready) => void;
    this.ready = new Promise((resolve) => {
      tell = resolve;
    });
    socket.on("data", (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#receivedBytes += chunk.length;
      for (let frame = this.#takeFrame(); frame !== undefined; frame = this.#takeFrame()) {
        if (frame[0] === 0) tell(JSON.parse(frame.toString("utf8", 5)) as Ready);
        else this.#answer(frame);
      }
    });
    // The process's end is reported by the process.
    socket.on("error", () => {});
  }

  /** Sends a request. `cancel` takes the id. */
  eval(request: EvalRequest): { id: number; answer: Promise<Buffer> } {
    const id = this.#nextId++;
    const bindings = Object.entries(request.bindings);
    const head = Buffer.alloc(12);
    head[0] = 1;
    head.writeUInt32BE(id, 1);
    head.writeUInt32BE(request.session, 5);
    head[9] = request.form === "text" ? 0 : 1;
    head.writeUInt16BE(bindings.length, 10);
    const parts: Uint8Array[] = [head];
    for (const [name, bytes] of bindings) {
      const nameBytes = Buffer.from(name, "utf8");
      const size = Buffer.alloc(4);
      size.writeUInt32BE(bytes.length);
      parts.push(Buffer.of(nameBytes.length), nameBytes, size, bytes);
    }
    // The scanner wants a full stop; on a line of its own, a comment at the end does not hide it.
    const text = request.text.trimEnd();
    parts.push(Buffer.from(text.endsWith(".") ? `${text}\n` : `${text}\n.\n`, "utf8"));
    const answer = new Promise<Buffer>((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended);
        return;
      }
      this.#waiting.set(id, { text: request.text, resolve, reject });
      this.#send(parts);
    });
    return { id, answer };
  }

  /** Ends the process that works on the request, and drops its answer. */
  cancel(id: number): void {
    this.#waiting.delete(id);
    const frame = Buffer.alloc(5);
    frame[0] = 3;
    frame.writeUInt32BE(id, 1);
    this.#send([frame]);
  }

  /** Ends the session's process. */
  endSession(session: number): void {
    const frame = Buffer.alloc(5);
    frame[0] = 2;
    frame.writeUInt32BE(session, 1);
    this.#send([frame]);
  }

  /** Asks for `init:stop()`. */
  stop(): void {
    this.#send([Buffer.of(4)]);
  }

  /** The node is gone: pending requests, and later ones, reject with `error`. */
  end(error: Error): void {
    this.#ended = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#socket.destroy();
  }

  #send(parts: readonly Uint8Array[]): void {
    if (this.#ended !== undefined) return;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(parts.reduce((sum, part) => sum + part.length, 0));
    this.#socket.write(Buffer.concat([length, ...parts]));
  }

  #takeFrame(): Buffer | undefined {
    if (this.#receivedBytes < 4) return undefined;
    if (this.#received[0]!.length < 4) this.#received = [Buffer.concat(this.#received)];
    const end = 4 + this.#received[0]!.readUInt32BE();
    if (this.#receivedBytes < end) return undefined;
    const joined = this.#received.length === 1 ? this.#received[0]! : Buffer.concat(this.#received);
    this.#received = joined.length > end ? [joined.subarray(end)] : [];
    this.#receivedBytes -= end;
    return joined.subarray(4, end);
  }

  #answer(frame: Buffer): void {
    const id = frame.readUInt32BE(1);
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    if (frame[0] === 1) {
      waiting.resolve(frame.subarray(5));
      return;
    }
    const classEnd = 9 + frame.readUInt32BE(5);
    const reasonEnd = classEnd + 4 + frame.readUInt32BE(classEnd);
    waiting.reject(
      new OtpEvalError(
        this.#label,
        waiting.text,
        frame.toString("utf8", 9, classEnd) as OtpEvalError["class"],
        frame.toString("utf8", classEnd + 4, reasonEnd),
        frame.toString("utf8", reasonEnd),
      ),
    );
  }
}
