/** The quickstart of the README, as it stands there, compiled and run: one person, then a second one by the link. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import ts from 'typescript';
import { forbidSubtle } from './support/keeproom-page.js';
import { startStatic } from './support/static-server.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const quickstart = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';

/** Type-checked against the published types, then made runnable. */
function compile(source: string): string {
  const emit = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  const options: ts.CompilerOptions = {
    ...emit,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    paths: { keeproom: ['./dist/index.d.ts'] },
  };
  const root = new URL('../', import.meta.url).pathname;
  const path = `${root}readme-quickstart.ts`;
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => name === path || fileExists(name);
  host.readFile = (name) => (name === path ? source : readFile(name));
  host.getSourceFile = (name, version) =>
    name === path ? ts.createSourceFile(name, source, version) : getSourceFile(name, version);
  host.getCurrentDirectory = () => root;
  const found = ts.getPreEmitDiagnostics(ts.createProgram([path], options, host));
  expect(found.map((one) => ts.flattenDiagnosticMessageText(one.messageText, ' '))).toEqual([]);
  return ts.transpileModule(source, { compilerOptions: emit }).outputText;
}

test('README quickstart compiles and runs; its link lets a second device in', async ({ context }) => {
  expect(quickstart).toContain('createRoom');
  const ada = compile(quickstart);
  const bob = compile(quickstart.replace("profile: { name: 'Ada' }", "namespace: 'bob', profile: { name: 'Bob' }"));
  const server = await startStatic({ files: { '/ada.js': ada, '/bob.js': bob } });
  try {
    await context.addInitScript(forbidSubtle);
    const first = await context.newPage();
    const link = first.waitForEvent('console', { predicate: (message) => message.text().startsWith('share') });
    await first.goto(server.origin);
    await first.addScriptTag({ url: '/ada.js', type: 'module' });
    const shared = (await link).text().slice('share '.length);
    await expect(first.locator('body')).toHaveText('Ship it (1)');
    const second = await context.newPage();
    await second.goto(shared);
    await second.addScriptTag({ url: '/bob.js', type: 'module' });
    // Bob is let in as an editor and adds the quickstart's card once more.
    await expect(second.locator('body')).toHaveText('Ship it (1) · Ship it (1)', { timeout: 20_000 });
    await expect(first.locator('body')).toHaveText('Ship it (1) · Ship it (1)', { timeout: 20_000 });
    expect(second.url()).not.toContain('keeproom=');
  } finally {
    await server.close();
  }
});
