/**
 * Finds out which blocks of a file run: each function body, branch and case is a block, marked in an
 * array of the file's own when it begins. The marks are put in without moving a line.
 */
import ts from "typescript";

/**
 * The blocks of a text, outer ones before inner ones. The first is the whole file. `open` and `close`
 * are what marks it, put in at `at` and `end`.
 *
 * @returns {{ start: number, end: number, at: number, arrow: boolean }[]}
 */
export function blocksOf(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const blocks = [{ start: 0, end: text.length, at: 0, arrow: false }];
  const visit = (node) => {
    if (ts.isBlock(node)) {
      const at = node.getStart(source) + 1;
      blocks.push({ start: node.getStart(source), end: node.end, at, arrow: false });
    } else if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
      const start = node.body.getStart(source);
      blocks.push({ start, end: node.body.end, at: start, arrow: true });
    } else if ((ts.isCaseClause(node) || ts.isDefaultClause(node)) && node.statements.length > 0) {
      const start = node.statements[0].getStart(source);
      blocks.push({ start, end: node.end, at: start, arrow: false });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return blocks;
}

/** The innermost block that holds a place; its number. */
export function blockAt(blocks, place) {
  let found = 0;
  blocks.forEach(({ start, end }, index) => {
    if (start <= place && place < end) found = index;
  });
  return found;
}

/** The text with its marks: `globalThis.__blocks[file][n]` is 1 once block n began. */
export function instrumented(file, text) {
  const name = JSON.stringify(file);
  const blocks = blocksOf(file, text);
  const first = `var __b = ((globalThis.__blocks ??= {})[${name}] ??= new Uint8Array(${blocks.length})); __b[0] = 1; `;
  const inserts = [];
  blocks.forEach(({ at, end, arrow }, index) => {
    if (index === 0) return;
    inserts.push({ at, text: arrow ? `(__b[${index}] = 1, ` : `__b[${index}] = 1; ` });
    if (arrow) inserts.push({ at: end, text: ")", closes: true });
  });
  // At one place what ends comes before what begins.
  inserts.sort((a, b) => a.at - b.at || Number(b.closes ?? false) - Number(a.closes ?? false));
  let made = "";
  let done = 0;
  for (const { at, text: inserted } of inserts) {
    made += text.slice(done, at) + inserted;
    done = at;
  }
  made += text.slice(done);
  return made.startsWith("#!") ? made.replace("\n", `\n${first}`) : first + made;
}
