/**
 * Every rule id of docs/protocol.md stands in the title of some test, and every rule id in a test's title stands in the
 * document. Bars of an issue (S01, B04 …) are no rules. A test that is skipped or only planned proves nothing and is not counted.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folders = ['src', 'worker', 'tests', 'e2e'];
const testFile = /\.(test|browser|spec|kit)\.tsx?$/;
const definition = /^(?:- )?\*\*([A-Z]{1,5}-?\d+)\*\* /gm;
const bracketed = /\[([A-Z]{1,5}-?\d+)\]/g;
const bar = /^[BS]\d\d$/;
const runners = new Set(['test', 'it', 'describe', 'suite']);
const notRun = new Set(['skip', 'todo', 'fixme']);

/** Rule ids that a document defines; one defined twice throws. */
export function rulesOf(document) {
  const ids = [...document.matchAll(definition)].map(([, id]) => id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) throw new Error(`docs/protocol.md defines ${twice} twice`);
  return new Set(ids);
}

/** Titles of the tests of one source file. */
export function titlesOf(source, name = 'file.ts') {
  const titles = [];
  const visit = (node) => {
    if (ts.isCallExpression(node) && isRun(node.expression)) {
      const [title] = node.arguments;
      if (title && ts.isStringLiteralLike(title)) titles.push(title.text);
      else if (title && ts.isTemplateExpression(title)) titles.push(title.head.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(name, source, ts.ScriptTarget.Latest, false));
  return titles;
}

/** test, describe, test.only, test.each(…), test.describe, …, but none with a step that keeps it from running. */
function isRun(expression) {
  if (ts.isIdentifier(expression)) return runners.has(expression.text);
  if (ts.isPropertyAccessExpression(expression))
    return !notRun.has(expression.name.text) && isRun(expression.expression);
  return (
    (ts.isCallExpression(expression) || ts.isTaggedTemplateExpression(expression)) &&
    isRun(expression.expression ?? expression.tag)
  );
}

/** What is wrong: rules without a test, ids in titles without a rule. Empty lists: nothing. */
export function compareRules(document, titles) {
  const rules = rulesOf(document);
  const tested = new Set(titles.flatMap((title) => [...title.matchAll(bracketed)].map(([, id]) => id)));
  return {
    rules: rules.size,
    untested: [...rules].filter((id) => !tested.has(id)),
    unknown: [...tested].filter((id) => !bar.test(id) && !rules.has(id)),
  };
}

function filesIn(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && testFile.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** The check over this repository. */
export function checkRules() {
  const titles = folders
    .flatMap((folder) => filesIn(join(root, folder)))
    .flatMap((file) => titlesOf(readFileSync(file, 'utf8'), file));
  return compareRules(readFileSync(join(root, 'docs', 'protocol.md'), 'utf8'), titles);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { rules, untested, unknown } = checkRules();
  for (const id of untested) console.error(`rule-check: ${id} is in no test title`);
  for (const id of unknown) console.error(`rule-check: ${id} is in a test title and not in docs/protocol.md`);
  console.log(`rule-check: ${rules} rules, ${untested.length} without a test, ${unknown.length} unknown`);
  process.exitCode = untested.length + unknown.length === 0 ? 0 : 1;
}
