/** A term's text on one line, however deep the term, from the text of its parts. */
import type { Frame } from "../refusal.ts";
import { Walk } from "../walk.ts";

const PIECE = 4096;

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
  // In pieces: added to one by one, a long text is a tree of as many strings.
  const pieces: string[] = [];
  let text = "";
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
    if (typeof parts === "string") text += parts;
    else {
      text += parts.open;
      walk.enter({ value, items: parts.items, next: 0, step: parts.step, parts });
      if (stack.length > depth) depth = stack.length;
    }
    let top = stack[stack.length - 1];
    while (top !== undefined && top.next === top.parts.items.length) {
      text += top.parts.close;
      walk.leave();
      top = stack[stack.length - 1];
    }
    if (top === undefined) {
      pieces.push(text);
      return { text: pieces.join(""), depth, parts: count };
    }
    if (text.length > PIECE) {
      pieces.push(text);
      text = "";
    }
    text += top.parts.before(top.next);
    value = top.parts.items[top.next++];
  }
}
