/** The quickstart of the README, as it stands there, compiled and run: one person, then a second one by the link. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import ts from 'typescript';
import { forbidSubtle } from './support/keeproom-page.js';
import { blankPage, startStatic } from './support/static-server.js';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const blocksOf = (text: string): string[] => [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block = '']) => block);
const [quickstart = '', elsewhere = ''] = blocksOf(read('README.md'));

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
    paths: { keeproom: ['./dist/index.d.ts'], 'keeproom/livekit': ['./dist/livekit.d.ts'] },
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

test('README quickstart compiles and runs; its link lets a second device in, and both are still there after a reload', async ({
  context,
}) => {
  expect(quickstart).toContain('createRoom');
  const html = `${blankPage}<body><script type="module" src="/app.js"></script></body>`;
  const server = await startStatic({ files: { '/app.html': html, '/app.js': compile(quickstart) } });
  try {
    await context.addInitScript(forbidSubtle);
    const [first, second] = [await context.newPage(), await context.newPage()];
    const link = first.waitForEvent('console', { predicate: (message) => message.text().startsWith('share') });
    await first.goto(`${server.origin}/app.html`);
    const shared = (await link).text().slice('share '.length);
    await second.goto(shared);
    for (const one of [first, second]) await expect(one.locator('body')).toHaveText('Ship it (1)', { timeout: 20_000 });
    expect(second.url()).not.toContain('keeproom=');
    await first.close();
    await second.reload();
    await expect(second.locator('body')).toHaveText('Ship it (1)');
    const again = await context.newPage();
    await again.goto(`${server.origin}/app.html`);
    await expect(again.locator('body')).toHaveText('Ship it (1)');
  } finally {
    await server.close();
  }
});

test('README and guide: every other block compiles against the published types @chromium', () => {
  compile(
    `declare const call: import('livekit-client').Room; declare const schema: unknown; ${elsewhere} export { borrowed, options };`,
  );
  const [shared = '', ...others] = blocksOf(read('docs/guide.md'));
  expect(others.length).toBeGreaterThan(3);
  for (const block of others) compile(`${shared}\nvoid [isKeeproomError, options, room];\n{\n${block}\n}`);
});
