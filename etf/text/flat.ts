/** A term's text on one line, however deep the term, from the text of its parts. */
import type { Frame } from "../refusal.ts";
import { Walk } from "../walk.ts";

/** Pieces that are joined at once. */
const AT_ONCE = 1024;

/** A long text from many short ones: added to one another they would be a tree of as many strings. */
class PiecedText {
  private readonly joined: string[] = [];
  private pieces: string[] = [];

  add(piece: string): void {
    if (this.pieces.push(piece) < AT_ONCE) return;
    this.joined.push(this.pieces.join(""));
    this.pieces = [];
  }

  done(): string {
    return this.joined.join("") + this.pieces.join("");
  }
}

/** A container's text apart from what it holds. */
export interface FlatParts {
  readonly open: string;
  readonly close: string;
  readonly items: readonly unknown[];
  /** What stands before the item of that place. */
  readonly before: (place: number) => string;
  /** The step of a path to the item of that place, if the items are not the value's own. */
  readonly step?: (place: number) => string;
}

interface TextFrame extends Frame {
  readonly parts: FlatParts;
}

/**
 * @param open gives a leaf's text, or a container's parts
 * @throws EtfEncodeError what `open` throws, with the path; ETF_CYCLE, ETF_LIMIT
 */
export function flatText(
  root: unknown,
  open: (value: unknown) => string | FlatParts,
): { text: string; depth: number; parts: number } {
  const walk = new Walk<TextFrame>();
  const stack = walk.frames;
  const text = new PiecedText();
  let depth = 0;
  let count = 0;
  let value = root;
  for (;;) {
    count++;
    let parts: string | FlatParts;
    try {
      parts = open(value);
    } catch (error) {
      throw walk.located(error);
    }
    if (typeof parts === "string") text.add(parts);
    else {
      text.add(parts.open);
      walk.enter({ value, items: parts.items, next: 0, step: parts.step, parts });
      if (stack.length > depth) depth = stack.length;
    }
    let top = stack[stack.length - 1];
    while (top !== undefined && top.next === top.parts.items.length) {
      text.add(top.parts.close);
      walk.leave();
      top = stack[stack.length - 1];
    }
    if (top === undefined) return { text: text.done(), depth, parts: count };
    text.add(top.parts.before(top.next));
    value = top.parts.items[top.next++];
  }
}
