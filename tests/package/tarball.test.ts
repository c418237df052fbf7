/** What is in the tarball, and what the two judges of packages say about it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { install, pack, tool, type Packed } from './pack.kit.js';

/** Read as a consumer reads them, in both of the ways a consumer may resolve modules. */
const consumer = `import * as keeproom from 'keeproom';
import * as worker from 'keeproom/worker';
export const all: readonly unknown[] = [keeproom.createClient, worker];
`;

let packed: Packed;
let app: string;

describe('[S17] the packed tarball', () => {
  beforeAll(async () => {
    packed = await pack();
    app = await install(packed, { 'consumer.ts': consumer });
  });

  afterAll(() => packed.remove());

  test('[S17] holds the build, the documents, the licences and nothing else', () => {
    console.log(packed.files.join('\n'));
    const expected = [
      'ARCHITECTURE.md',
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'THIRD-PARTY.txt',
      'dist/curves.js',
      'dist/index.d.ts',
      'dist/index.js',
      'dist/index.js.map',
      'dist/livekit.d.ts',
      'dist/livekit.js',
      'dist/livekit.js.map',
      'dist/worker.d.ts',
      'dist/worker.js',
      'docs/errors.md',
      'docs/guide.md',
      'docs/protocol.md',
      'package.json',
    ];
    // What the two page entries share is a file of its own, under a name the bundler picks.
    expect(
      packed.files.filter((file) => !/^dist\/(?!curves|index|livekit|worker)[\w-]+\.(js|js\.map|d\.ts)$/.test(file)),
    ).toEqual(expected);
  });

  test('[S17] imports nothing by a bare name but the optional peer', async () => {
    for (const file of packed.files.filter((name) => name.endsWith('.js'))) {
      const text = await readFile(join(app, 'node_modules/keeproom', file), 'utf8');
      const named = [...text.matchAll(/^\s*(?:import|export)\b[^'"\n]*?(?:from\s*)?["']([^"'\n]+)["']/gm)];
      const loaded = [...text.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g)];
      const bare = [...named, ...loaded].map(([, name]) => String(name)).filter((name) => !name.startsWith('./'));
      console.log(`${file}: ${bare.join(', ') || 'no bare import'}`);
      expect(bare.filter((name) => name !== 'livekit-client')).toEqual([]);
      if (file !== 'dist/livekit.js') expect(bare).toEqual([]);
    }
  });

  test('[S17] names its worker in the form that bundlers know, and the worker the curves; neither needs another file', async () => {
    const folder = join(app, 'node_modules/keeproom/dist');
    const page = await Promise.all(
      packed.files
        .filter((name) => name.endsWith('.js') && name !== 'dist/worker.js')
        .map((name) => readFile(join(app, 'node_modules/keeproom', name), 'utf8')),
    );
    const spawn = /new Worker\(new URL\((["'])\.\/worker\.js\1, import\.meta\.url\), \{ type: (["'])module\2 \}\)/;
    expect(page.filter((text) => spawn.test(text))).toHaveLength(1);
    const worker = await readFile(join(folder, 'worker.js'), 'utf8');
    expect(worker).not.toMatch(/^\s*import\b/m);
    expect(worker).toMatch(/new URL\([`'"]\.\/curves\.js[`'"],\s*import\.meta\.url\)/);
    const loads = [...worker.matchAll(/\bimport\((.*?)[\w$]+\.href\)/gs)].map(([, marks]) => marks?.trim());
    expect(loads).toEqual(['/* @vite-ignore */ /* webpackIgnore: true */']);
    expect(await readFile(join(folder, 'curves.js'), 'utf8')).not.toMatch(/^\s*import\b|\bimport\(|import\.meta/m);
  });

  test('[S17] publint has nothing to say, in strict mode', async () => {
    const tarball = await readFile(packed.tarball);
    const buffer = tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.byteLength);
    const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test('[S17] attw finds no wrong types', async () => {
    const args = [packed.tarball, '--profile', 'esm-only', '--no-definitely-typed', '--format', 'json'];
    const { code, output } = await tool('@arethetypeswrong/cli/dist/index.js', args, packed.folder);
    const { analysis } = JSON.parse(output) as { analysis: { problems?: unknown[]; entrypoints: object } };
    console.log(`attw: entry points ${Object.keys(analysis.entrypoints).join(' ')}`);
    expect(Object.keys(analysis.entrypoints)).toEqual(expect.arrayContaining(['.', './livekit', './worker']));
    expect({ code, output }).toMatchObject({ code: 0 });
  });

  test.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('[S17] its types compile in full, without skipLibCheck (module %s, resolution %s)', async (module, resolution) => {
    const flags = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom', '--skipLibCheck', 'false'];
    const args = [...flags, '--module', module, '--moduleResolution', resolution, 'consumer.ts'];
    expect(await tool('typescript/bin/tsc', args, app)).toEqual({ code: 0, output: '' });
  });
});
