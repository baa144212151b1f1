/**
 * The mutants of a source text: every small change that could be a slip of the pen. What only a
 * reader notices is left alone: comments, types, the sentences of errors.
 */
import ts from "typescript";

const SWAPPED = new Map(
  Object.entries({
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "===": "!==",
    "!==": "===",
    "+": "-",
    "-": "+",
    "*": "/",
    "/": "*",
    "%": "*",
    "&": "|",
    "|": "&",
    "^": "|",
    "<<": ">>",
    ">>": "<<",
    ">>>": "<<",
    "&&": "||",
    "||": "&&",
    "+=": "-=",
    "-=": "+=",
    "|=": "&=",
    "&=": "|=",
    "<<=": ">>=",
    ">>=": "<<=",
    "??=": "=",
  }),
);
const CHOSEN = new Set(["&&", "||", "??"]);
const OTHER_METHODS = new Map([
  ["min", "max"],
  ["max", "min"],
  ["floor", "ceil"],
  ["ceil", "floor"],
]);

/**
 * @param {string} file where the text is, relative to the project
 * @param {string} text
 * @returns {{ file: string, start: number, end: number, text: string, line: number, kind: string, was: string, now: string }[]}
 *   each says what is replaced by what, and the first line that changes before and after
 */
export function mutantsOf(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const mutants = [];
  visit(source);
  return mutants;

  function add(kind, start, end, replacement) {
    if (text.slice(start, end) === replacement) return;
    const line = source.getLineAndCharacterOfPosition(start).line;
    const mutated = applied(text, { start, end, text: replacement });
    const from = source.getLineStarts()[line];
    const was = lineAt(text, from);
    const now = lineAt(mutated, from);
    mutants.push({ file, start, end, text: replacement, line: line + 1, kind, was, now });
  }

  function replace(kind, node, replacement) {
    add(kind, node.getStart(source), node.end, replacement);
  }

  function visit(node) {
    if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return;
    if (isLeftAlone(node)) return;
    mutate(node);
    ts.forEachChild(node, visit);
  }

  function mutate(node) {
    const textOf = (part) => part.getText(source);
    if (ts.isBinaryExpression(node)) {
      const operator = textOf(node.operatorToken);
      if (SWAPPED.has(operator)) replace("operator", node.operatorToken, SWAPPED.get(operator));
      if (CHOSEN.has(operator)) {
        replace("left side alone", node, `(${textOf(node.left)})`);
        replace("right side alone", node, `(${textOf(node.right)})`);
      }
    } else if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
      const operand = textOf(node.operand);
      switch (node.operator) {
        case ts.SyntaxKind.PlusPlusToken:
          return replace("operator", node, textOf(node).replace("++", "--"));
        case ts.SyntaxKind.MinusMinusToken:
          return replace("operator", node, textOf(node).replace("--", "++"));
        default:
          return replace("operator left out", node, `(${operand})`);
      }
    } else if (ts.isIfStatement(node) || ts.isWhileStatement(node)) {
      replace("condition", node.expression, `!(${textOf(node.expression)})`);
      replace("condition", node.expression, "false as boolean");
      if (ts.isIfStatement(node)) replace("condition", node.expression, "true as boolean");
    } else if (ts.isConditionalExpression(node)) {
      replace("condition", node.condition, `!(${textOf(node.condition)})`);
      replace("branch", node, `(${textOf(node.whenTrue)})`);
      replace("branch", node, `(${textOf(node.whenFalse)})`);
    } else if (ts.isExpressionStatement(node) || ts.isThrowStatement(node)) {
      replace("statement left out", node, ";");
    } else if (ts.isBreakStatement(node) || ts.isContinueStatement(node)) {
      replace("statement left out", node, ";");
    } else if (ts.isReturnStatement(node)) {
      if (node.expression === undefined) replace("statement left out", node, ";");
      else replace("nothing returned", node.expression, "undefined");
    } else if (ts.isNumericLiteral(node) || ts.isBigIntLiteral(node)) {
      const big = ts.isBigIntLiteral(node);
      const value = BigInt(Math.trunc(Number(textOf(node).replaceAll("_", "").replace(/n$/, ""))));
      replace("number", node, `${value + 1n}${big ? "n" : ""}`);
    } else if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
      replace("text", node, node.text === "" ? '"x"' : '""');
    } else if (node.kind === ts.SyntaxKind.TrueKeyword) {
      replace("boolean", node, "false");
    } else if (node.kind === ts.SyntaxKind.FalseKeyword) {
      replace("boolean", node, "true");
    } else if (ts.isObjectLiteralExpression(node)) {
      for (const property of node.properties)
        without("property left out", property, node.properties);
    } else if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const last = node.arguments?.at(-1);
      if (last !== undefined) without("argument left out", last, node.arguments);
      if (ts.isCallExpression(node)) otherMethod(node);
      optional(node);
    } else if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) {
      optional(node);
    } else if (ts.isCaseClause(node) && node.statements.length > 0) {
      add("case left out", node.statements[0].getStart(source), node.end, "break;");
    } else if (ts.isArrayLiteralExpression(node) && node.elements.length > 0) {
      without("element left out", node.elements.at(-1), node.elements);
    }
  }

  /** `a?.b` as `a!.b`. */
  function optional(node) {
    const token = node.questionDotToken;
    if (token === undefined) return;
    const called = !ts.isPropertyAccessExpression(node);
    add("optional chain", token.getStart(source), token.end, called ? "!" : "!.");
  }

  function otherMethod(call) {
    const called = call.expression;
    if (!ts.isPropertyAccessExpression(called)) return;
    const other = OTHER_METHODS.get(called.name.text);
    if (other !== undefined) replace("method", called.name, other);
  }

  /** One of a list, with the comma that goes with it. */
  function without(kind, node, list) {
    const at = list.indexOf(node);
    const start = at === 0 ? node.getStart(source) : list[at - 1].end;
    const next = list[at + 1];
    const end = at === 0 && next !== undefined ? next.getStart(source) : node.end;
    add(kind, start, end, "");
  }
}

/** The text with the mutant's change. */
export function applied(text, mutant) {
  return text.slice(0, mutant.start) + mutant.text + text.slice(mutant.end);
}

function lineAt(text, from) {
  const end = text.indexOf("\n", from);
  return text.slice(from, end === -1 ? undefined : end).trim();
}

/** What is no behaviour, or a sentence for people. */
function isLeftAlone(node) {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return true;
  if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true;
  const { parent } = node;
  if (parent !== undefined && "name" in parent && parent.name === node) return true;
  if (ts.isTemplateExpression(node)) return node.getText().includes(" ");
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
    return node.text.includes(" ");
  }
  return false;
}
