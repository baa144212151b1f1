/**
 * Breaking a printed term into lines where `io:format("~p")` does.
 *
 * A container that fits in the rest of the line stays on it. Otherwise its parts go below each
 * other, except that leaves share a line while they fit. What a tuple's tag, or a record's name,
 * is followed by is indented by the length of that tag; if that leads too far right anywhere, by
 * four columns everywhere; and if that does too, by one.
 */

/** A term with the length it has on one line. */
export interface Node {
  kind: "text" | "binary" | "list" | "tuple" | "map" | "record";
  /** Of a leaf the whole text, of a container what opens it. */
  text: string;
  length: number;
  children: readonly Node[];
  /** Of a record: `field = ` for each child. */
  names?: readonly string[];
  /** The last child is the tail of an improper list. */
  improper?: boolean;
  /** A tuple of an atom and more. */
  tagged?: boolean;
}

/** Something on a line, and the columns it takes; the line's length if nothing may follow it. */
interface Placed {
  text: string;
  width: number;
}

const CLOSING = { list: "]", tuple: "}", map: "}", record: "}", text: "", binary: "" };

/** Indentation that was tried leads too far to the right. */
class TooFarRight extends Error {}

export function layOut(root: Node, column: number, lineLength: number): string {
  for (const indentation of [-1, 4]) {
    try {
      new Layout(root, lineLength, indentation, true).place(root, column, "", 0, 0);
    } catch (error) {
      if (error instanceof TooFarRight) continue;
      throw error;
    }
    return printed(root, column, lineLength, indentation);
  }
  return printed(root, column, lineLength, 1);
}

function printed(root: Node, column: number, lineLength: number, indentation: number): string {
  const layout = new Layout(root, lineLength, indentation, false);
  return layout.place(root, column, " ".repeat(column - 1), 0, 0);
}

function oneLine(node: Node): string {
  const { kind, children } = node;
  if (kind === "text" || kind === "binary") return node.text;
  let text = node.text;
  for (const [i, child] of children.entries()) {
    text += separator(node, i) + (node.names?.[i] ?? "") + oneLine(child);
  }
  return text + CLOSING[kind];
}

function separator(node: Node, place: number): string {
  if (node.kind === "map" && place % 2 === 1) return " => ";
  if (place === 0) return "";
  return node.improper && place === node.children.length - 1 ? "|" : ",";
}

const isLeaf = (node: Node): boolean => node.kind === "text";

/**
 * `column` is where something begins, `indent` what stands before it on a new line, `closing` how
 * many brackets are to follow it, `width` what its line holds already.
 */
class Layout {
  private readonly lineLength: number;
  /** Of the whole on one line. */
  private readonly total: number;
  /** For what follows a tag: so many columns; if negative, as many as the tag has. */
  private readonly indentation: number;
  /** Whether to look only if the indentation can be kept. */
  private readonly trial: boolean;

  constructor(root: Node, lineLength: number, indentation: number, trial: boolean) {
    this.lineLength = lineLength;
    this.total = root.length;
    this.indentation = indentation;
    this.trial = trial;
  }

  place(node: Node, column: number, indent: string, closing: number, width: number): string {
    if (this.fits(node.length, column, closing, width)) return this.trial ? "" : oneLine(node);
    switch (node.kind) {
      case "list":
      case "tuple": {
        const content = node.tagged
          ? this.tagged(node, column, indent, closing, width + 1)
          : this.elements(node, 0, column + 1, `${indent} `, closing, width + 1);
        return node.text + content + CLOSING[node.kind];
      }
      case "map":
        return `#{${this.pairs(node, column + 2, `${indent}  `, closing, width + 1)}}`;
      case "record":
        return this.record(node, column, indent, closing, width);
      case "binary":
        return this.bytes(node.text, column + 2, `${indent}  `, closing, width);
      default:
        return node.text;
    }
  }

  private fits(length: number, column: number, closing: number, width: number): boolean {
    return length < this.lineLength - column - closing && length + width + closing <= this.total;
  }

  /** Whether one more leaf with its comma fits on the line, and another comma or the brackets. */
  private shares(length: number, column: number, closing: number, width: number): boolean {
    return closing === 0
      ? length + 1 < this.lineLength - column && width + length + 1 <= this.total
      : this.fits(length, column, closing, width);
  }

  private checkColumn(column: number, half: number): void {
    if (this.trial && column > half) throw new TooFarRight();
  }

  /** Brackets to follow the child of that place: only the last one has any. */
  private closingAfter(node: Node, step: number, place: number, closing: number): number {
    const proper = node.improper ? node.children.length - 1 : node.children.length;
    return place + step < proper ? 0 : closing + 1;
  }

  private tagged(node: Node, column: number, indent: string, closing: number, width: number) {
    const tag = node.children[0]!;
    const own = tag.length + 2;
    const half = Math.floor(this.lineLength / 2);
    if (this.indentation > 0 && own > this.indentation) {
      const inner = column + this.indentation;
      this.checkColumn(inner, half);
      const below = indent + " ".repeat(this.indentation);
      return tag.text + this.rest(node, 1, inner, column + own, below, closing, width + tag.length);
    }
    const inner = column + own;
    this.checkColumn(inner, half - 1);
    const below = indent + " ".repeat(own);
    return `${tag.text},${this.elements(node, 1, inner, below, closing, width + tag.length + 1)}`;
  }

  private elements(
    node: Node,
    from: number,
    column: number,
    indent: string,
    closing: number,
    width: number,
  ): string {
    const after = this.closingAfter(node, 1, from, closing);
    const first = this.element(node.children[from]!, column, indent, after, width);
    const at = column + first.width;
    return first.text + this.rest(node, from + 1, column, at, indent, closing, width + first.width);
  }

  private element(
    node: Node,
    column: number,
    indent: string,
    closing: number,
    width: number,
  ): Placed {
    if (isLeaf(node) && this.fits(node.length, column, closing, width)) {
      return { text: node.text, width: node.length };
    }
    return { text: this.place(node, column, indent, closing, width), width: this.lineLength };
  }

  /** Elements after the first: `column` is where each begins on a line of its own. */
  private rest(
    node: Node,
    from: number,
    column: number,
    at: number,
    indent: string,
    closing: number,
    width: number,
  ): string {
    const { children } = node;
    const proper = node.improper ? children.length - 1 : children.length;
    let text = "";
    for (let i = from; i < proper; i++) {
      const child = children[i]!;
      const after = this.closingAfter(node, 1, i, closing);
      if (isLeaf(child) && this.shares(child.length + 1, at, after, width)) {
        text += `,${child.text}`;
        at += child.length + 1;
        width += child.length + 1;
      } else {
        const placed = this.element(child, column, indent, after, 0);
        text += `,\n${indent}${placed.text}`;
        at = column + placed.width;
        width = placed.width;
      }
    }
    if (!node.improper) return text;
    const tail = children[proper]!;
    if (isLeaf(tail) && this.fits(tail.length + 1, at, closing + 1, width)) {
      return `${text}|${tail.text}`;
    }
    // The trial goes on from where the line ends, as OTP's does.
    const begin = this.trial ? at : column;
    return `${text}|\n${indent}${this.place(tail, begin, indent, closing + 1, 0)}`;
  }

  private pairs(
    node: Node,
    column: number,
    indent: string,
    closing: number,
    width: number,
  ): string {
    const { children } = node;
    let text = "";
    let at = column;
    for (let i = 0; i < children.length; i += 2) {
      const key = children[i]!;
      const value = children[i + 1]!;
      const length = key.length + 4 + value.length;
      const after = this.closingAfter(node, 2, i, closing);
      if (i > 0 && isLeaf(key) && isLeaf(value) && this.shares(length + 1, at, after, width)) {
        text += `,${key.text} => ${value.text}`;
        at += length + 1;
        width += length + 1;
      } else {
        const placed = this.pair(key, value, column, indent, after, i === 0 ? width : 0);
        text += i === 0 ? placed.text : `,\n${indent}${placed.text}`;
        at = column + placed.width;
        width = placed.width;
      }
    }
    return text;
  }

  private pair(
    key: Node,
    value: Node,
    column: number,
    indent: string,
    closing: number,
    width: number,
  ): Placed {
    const length = key.length + 4 + value.length;
    if (this.fits(length, column, closing, width)) {
      const leaves = isLeaf(key) && isLeaf(value);
      const text = this.trial ? "" : `${oneLine(key)} => ${oneLine(value)}`;
      return { text, width: leaves ? length : this.lineLength };
    }
    const step = this.indentation > 0 ? this.indentation : 4;
    const below = indent + " ".repeat(step);
    const left = this.place(key, column, indent, closing, width);
    const right = this.place(value, column + step, below, closing, 0);
    return { text: `${left} =>\n${below}${right}`, width: this.lineLength };
  }

  /** Where what follows a record's or a field's name goes: behind it, or on a line of its own. */
  private behind(name: number, column: number, indent: string, width: number) {
    const breaks = this.indentation > 0 && name > this.indentation;
    const step = breaks ? this.indentation : name;
    this.checkColumn(column + step, Math.floor(this.lineLength / 2));
    const below = indent + " ".repeat(step);
    return {
      column: column + step,
      indent: below,
      break: breaks ? `\n${below}` : "",
      width: breaks ? 0 : width,
    };
  }

  private record(
    node: Node,
    column: number,
    indent: string,
    closing: number,
    width: number,
  ): string {
    const { children } = node;
    const name = node.text.length;
    const inner = this.behind(name, column, indent, width + name);
    let text = node.text + inner.break;
    let at = inner.column;
    let used = inner.width;
    for (const [i, child] of children.entries()) {
      const label = node.names![i]!;
      const length = label.length + child.length;
      const after = this.closingAfter(node, 1, i, closing);
      if (i > 0 && isLeaf(child) && this.shares(length + 1, at, after, used)) {
        text += `,${label}${child.text}`;
        at += length + 1;
        used += length + 1;
      } else {
        const before = i === 0 ? used : 0;
        const placed = this.field(label, child, inner.column, inner.indent, after, before);
        text += i === 0 ? placed.text : `,\n${inner.indent}${placed.text}`;
        at = inner.column + placed.width;
        used = before + placed.width;
      }
    }
    return `${text}}`;
  }

  private field(
    label: string,
    value: Node,
    column: number,
    indent: string,
    closing: number,
    width: number,
  ): Placed {
    const length = label.length + value.length;
    if (this.fits(length, column, closing, width)) {
      const text = this.trial ? "" : label + oneLine(value);
      return { text, width: isLeaf(value) ? length : this.lineLength };
    }
    const inner = this.behind(label.length, column, indent, width + label.length);
    const name = inner.break === "" ? label : label.trimEnd();
    const text = this.place(value, inner.column, inner.indent, closing, inner.width);
    return { text: name + inner.break + text, width: this.lineLength };
  }

  /** A binary's numbers, as many on a line as fit. */
  private bytes(
    text: string,
    column: number,
    indent: string,
    closing: number,
    width: number,
  ): string {
    const room = Math.max(8, Math.min(this.lineLength - column, this.total - 4 - width) - closing);
    const numbers = text.slice(2, -2).split(",");
    let out = "";
    let left = room;
    for (const [i, number] of numbers.entries()) {
      const last = i === numbers.length - 1;
      const part = last ? number : `${number},`;
      if (part.length > left) {
        out += `\n${indent}`;
        left = room;
      }
      out += part;
      left -= part.length;
    }
    return `<<${out}>>`;
  }
}
