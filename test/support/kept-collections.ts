import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';

const ROOT = resolve(import.meta.dirname, '../..');
const COLLECTION = /^(?:Map|Set|WeakMap|WeakSet|Array|Buffer|(?:Uint|Int|Float)\d+Array|LRU\w*)$/;
/** What calls a function while it runs itself, and keeps it nowhere. */
const AT_ONCE =
  /^(?:map|filter|forEach|flatMap|some|every|find|findIndex|findLast|reduce|sort|toSorted|from|transaction|run|Promise)$/;

/**
 * Every collection that lives longer than a call, as `file#name`: of a module, of an object, and of a function that has handed
 * it to another one. What is only looked into (`readonly` with all that it will ever hold, in capitals) is left out.
 */
export function keptCollections(folders: readonly string[]): string[] {
  const found = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
      .flatMap((name) => collectionsOf(join(ROOT, folder, name))),
  );
  return [...new Set(found)].sort();
}

/** @param text for the test of this very function */
export function collectionsOf(file: string, text = readFileSync(file, 'utf8')): string[] {
  // parsing all of the program takes seconds
  if (!/new (?:Map|Set|Weak|Array|Buffer|Uint|Int|Float|LRU)|= \[\]/.test(text)) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyDeclaration(node) && makesCollection(node.initializer)) names.push(node.name.getText());
    if (isAssignmentToThis(node) && makesCollection(node.right)) names.push(node.left.name.getText());
    if (ts.isVariableDeclaration(node) && makesCollection(node.initializer) && isKept(node))
      names.push(node.name.getText());
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names.map((name) => `${relative(ROOT, file)}#${name.replace(/^#/, '')}`);
}

function makesCollection(value: ts.Expression | undefined): boolean {
  if (!value) return false;
  if (ts.isArrayLiteralExpression(value)) return value.elements.length === 0;
  if (ts.isAsExpression(value) || ts.isParenthesizedExpression(value))
    return makesCollection(value.expression);
  return ts.isNewExpression(value) && COLLECTION.test(value.expression.getText());
}

function isAssignmentToThis(
  node: ts.Node,
): node is ts.BinaryExpression & { left: ts.PropertyAccessExpression } {
  return (
    ts.isBinaryExpression(node) &&
    /^(?:=|\?\?=)$/.test(node.operatorToken.getText()) &&
    ts.isPropertyAccessExpression(node.left) &&
    node.left.expression.kind === ts.SyntaxKind.ThisKeyword
  );
}

/** A variable of the module, unless it is a constant; one of a function, if another function holds it. */
function isKept(declaration: ts.VariableDeclaration): boolean {
  const name = declaration.name.getText();
  const owner = ts.findAncestor(declaration, ts.isFunctionLike);
  if (!owner) return !/^[A-Z][A-Z0-9_]*$/.test(name);
  let kept = false;
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && node.text === name && isHandedOn(node, owner)) kept = true;
    ts.forEachChild(node, visit);
  };
  visit(owner);
  return kept;
}

function isHandedOn(use: ts.Node, owner: ts.Node): boolean {
  for (let node = use.parent; node && node !== owner; node = node.parent)
    if (ts.isFunctionLike(node) && !isCalledAtOnce(node)) return true;
  return false;
}

function isCalledAtOnce(node: ts.Node): boolean {
  const { parent } = node;
  if (!ts.isCallExpression(parent) && !ts.isNewExpression(parent)) return false;
  const callee = parent.expression;
  return AT_ONCE.test(ts.isPropertyAccessExpression(callee) ? callee.name.text : callee.getText());
}
