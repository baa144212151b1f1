/**
 * Where a walk through a value is: the containers around it, outermost first. It finds a container
 * inside itself as soon as the walk comes back to it, however large the cycle or what lies beside it.
 */
import { EtfEncodeError } from "./errors.ts";
import { type Frame, pathOf } from "./refusal.ts";

/** Levels of nesting that values may have unless an option says otherwise. */
export const MAX_DEPTH = 2_000_000;

/** Levels that are compared one by one, which for so few takes less time than a set. */
const NEAR = 16;

export class Walk<F extends Frame> {
  /** The containers that were entered and not left. */
  readonly frames: F[] = [];
  private readonly maxDepth: number;
  private readonly deep = new Set<unknown>();

  constructor(maxDepth = MAX_DEPTH) {
    this.maxDepth = maxDepth;
  }

  /** @throws EtfEncodeError ETF_CYCLE, ETF_LIMIT */
  enter(frame: F): void {
    const { frames } = this;
    const { value, source = value } = frame;
    if (this.holds(value) || (source !== value && this.holds(source))) {
      throw new EtfEncodeError("ETF_CYCLE", "the value contains itself", pathOf(frames));
    }
    if (frames.length >= this.maxDepth) {
      const message = `nested deeper than ${this.maxDepth} levels`;
      throw new EtfEncodeError("ETF_LIMIT", message, pathOf(frames));
    }
    if (frames.length >= NEAR) {
      this.deep.add(value);
      if (source !== value) this.deep.add(source);
    }
    frames.push(frame);
  }

  leave(): void {
    const frame = this.frames.pop();
    if (frame === undefined || this.frames.length < NEAR) return;
    this.deep.delete(frame.value);
    if (frame.source !== undefined) this.deep.delete(frame.source);
  }

  /** Whether the walk is inside that value. */
  private holds(value: unknown): boolean {
    const { frames } = this;
    for (let i = 0; i < NEAR && i < frames.length; i++) {
      if (frames[i]!.value === value || frames[i]!.source === value) return true;
    }
    return frames.length > NEAR && this.deep.has(value);
  }

  /** The error of a value that was met here, with the path to it. */
  located(error: unknown): unknown {
    if (!(error instanceof EtfEncodeError)) return error;
    return new EtfEncodeError(error.code, error.message, pathOf(this.frames), {
      cause: error.cause,
    });
  }
}
