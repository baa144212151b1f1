/** A term's text on one line, however deep the term, from the text of its parts. */

/** A container's text apart from what it holds. */
export interface FlatParts {
  readonly open: string;
  readonly close: string;
  readonly items: readonly unknown[];
  /** What stands before the item of that place. */
  readonly before: (place: number) => string;
}

/** @param open gives a leaf's text, or a container's parts */
export function flatText(
  root: unknown,
  open: (value: unknown) => string | FlatParts,
): { text: string; depth: number; parts: number } {
  const stack: { parts: FlatParts; next: number }[] = [];
  let text = "";
  let depth = 0;
  let count = 0;
  let value = root;
  for (;;) {
    const parts = open(value);
    count++;
    if (typeof parts === "string") text += parts;
    else {
      text += parts.open;
      stack.push({ parts, next: 0 });
      if (stack.length > depth) depth = stack.length;
    }
    let top = stack[stack.length - 1];
    while (top !== undefined && top.next === top.parts.items.length) {
      text += top.parts.close;
      stack.pop();
      top = stack[stack.length - 1];
    }
    if (top === undefined) return { text, depth, parts: count };
    text += top.parts.before(top.next);
    value = top.parts.items[top.next++];
  }
}
