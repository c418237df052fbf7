/** The arrows bite: each forbidden line, added to a copy of the tree, makes the rule of that name fire. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const copied = ['src', 'worker', 'package.json', 'eslint.config.js', '.dependency-cruiser.cjs'];
const projects = ['', '.pure', '.page', '.engine', '.worker', '.demo', '.test'].map((name) => `tsconfig${name}.json`);

/** What is added, where, and what must say no: a rule of ESLint, of dependency-cruiser, or an error of the compiler. */
const additions = [
  {
    what: 'Date.now() in the core',
    file: 'src/core/base/added-time.ts',
    text: 'export const now = (): number => Date.now();\n',
    says: ['eslint no-restricted-globals'],
  },
  {
    what: 'globalThis.Date in the core',
    file: 'src/core/base/added-hidden-time.ts',
    text: 'export const now = (): number => globalThis.Date.now();\n',
    says: ['eslint no-restricted-globals'],
  },
  {
    what: 'Math.random() in the engine',
    file: 'worker/engine/added-chance.ts',
    text: 'export const chance = (): number => Math.random();\n',
    says: ['eslint no-restricted-properties'],
  },
  {
    what: 'indexedDB in the engine',
    file: 'worker/engine/added-storage.ts',
    text: "export const open = (): unknown => indexedDB.open('rooms');\n",
    says: ['tsc TS2304', 'eslint no-restricted-globals'],
  },
  {
    what: 'setTimeout in the core',
    file: 'src/core/base/added-timer.ts',
    text: 'export const later = (run: () => void): unknown => setTimeout(run, 1);\n',
    says: ['tsc TS2304', 'eslint no-restricted-globals'],
  },
  {
    what: 'the DOM in the core',
    file: 'src/core/base/added-dom.ts',
    text: 'export const title = (): string => document.title;\n',
    says: ['tsc TS2584'],
  },
  {
    what: 'an engine import in the client',
    file: 'src/client/added-engine.ts',
    text: "export { added } from '../../worker/engine/added.js';\n",
    says: ['arrow client-imports-no-engine', 'arrow src-imports-no-worker'],
  },
  {
    what: 'a type of the engine in the client',
    file: 'src/client/added-engine-type.ts',
    text: "import type { Added } from '../../worker/engine/added.js';\nexport type Mine = Added;\n",
    // The compiler says it once for the file that is imported, at the first of its importers: this one.
    says: ['arrow client-imports-no-engine', 'tsc TS6307'],
  },
  {
    what: 'livekit-client in the core',
    file: 'src/core/wire/added-livekit.ts',
    text: "import type { Room } from 'livekit-client';\nexport type Mine = Room;\n",
    says: ['arrow livekit-only-in-its-transport', 'arrow core-imports-only-core'],
  },
  {
    what: 'a higher room in a lower one',
    file: 'src/core/codec/added-rank.ts',
    text: "export { added } from '../wire/added.js';\n",
    says: ['arrow core-rank-codec'],
  },
  {
    what: 'an import past the door of a room',
    file: 'src/core/election/added-door.ts',
    text: "export { added } from '../wire/added.js';\n",
    says: ['arrow one-door'],
  },
  {
    what: 'a cycle',
    file: 'src/view/added-cycle.ts',
    text: "export { turn } from './added-cycle-2.js';\nexport const back = 1;\n",
    says: ['arrow no-cycle'],
  },
  {
    what: 'idb in the engine',
    file: 'worker/engine/added-idb.ts',
    text: "export { openDB } from 'idb';\n",
    says: ['arrow idb-only-in-storage'],
  },
  {
    what: '@msgpack outside the codec',
    file: 'src/core/entry/added-msgpack.ts',
    text: "export { encode } from '@msgpack/msgpack';\n",
    says: ['arrow msgpack-only-in-codec'],
  },
  {
    what: 'Node in the library',
    file: 'src/transport/added-node.ts',
    text: "export { readFile } from 'node:fs/promises';\n",
    says: ['arrow no-node-in-the-library'],
  },
  {
    what: 'the demo by path',
    file: 'demo/added-path.ts',
    text: "export { back } from '../src/view/added-cycle.js';\n",
    says: ['arrow demo-and-e2e-by-package-name'],
  },
  {
    what: 'the bench by path',
    file: 'bench/added-path.mjs',
    text: "export { back } from '../src/view/added-cycle.js';\n",
    says: ['arrow bench-by-package-name'],
  },
  {
    what: 'the bench in the demo',
    file: 'demo/added-bench.ts',
    text: "export { back } from '../bench/added-path.mjs';\n",
    says: ['arrow nobody-imports-bench'],
  },
];

/** What the additions import, so that they are wrong in one way only. */
const companions = {
  'worker/engine/added.ts': 'export type Added = number;\nexport const added = 1;\n',
  'src/core/wire/added.ts': 'export const added = 1;\n',
  'src/view/added-cycle-2.ts': "import { back } from './added-cycle.js';\nexport const turn = back;\n",
};

/** The same imports where they belong: a rule that always fires would prove nothing. */
const allowed = [
  {
    what: '@noble in the core',
    file: 'src/core/crypto/allowed.ts',
    text: "export { sha256 } from '@noble/hashes/sha2.js';\n",
  },
  {
    what: '@msgpack in the codec',
    file: 'src/core/codec/allowed.ts',
    text: "export { encode } from '@msgpack/msgpack';\n",
  },
  {
    what: 'a lower room in a higher one, by its door',
    file: 'src/core/wire/allowed.ts',
    text: "export { concatBytes } from '../base/index.js';\n",
  },
  {
    what: 'livekit-client in its transport',
    file: 'src/transport/livekit/allowed.ts',
    text: "import type { Room } from 'livekit-client';\nexport type Mine = Room;\n",
  },
  {
    what: 'idb in the storage',
    file: 'worker/storage/idb/allowed.ts',
    text: "export { openDB } from 'idb';\n",
  },
  {
    what: 'time in the client',
    file: 'src/client/allowed.ts',
    text: 'export const now = (): number => Date.now();\n',
  },
];

let copy = '';
let said: ReadonlySet<string> = new Set();

describe('[S02] the arrows bite', () => {
  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'keeproom-arrows-'));
    for (const name of [...copied, ...projects]) {
      await cp(join(repository, name), join(copy, name), { recursive: true });
    }
    await symlink(join(repository, 'node_modules'), join(copy, 'node_modules'));
    for (const [file, text] of Object.entries(companions)) await write(file, text);
    for (const { file, text } of [...additions, ...allowed]) await write(file, text);
    said = new Set([...(await arrows()), ...(await lint()), ...(await compile())]);
  });

  afterAll(() => rm(copy, { recursive: true, force: true }));

  test.each(additions)('[S02] $what', ({ what, file, says }) => {
    const fired = [...said].filter((line) => line.startsWith(`${file}: `)).map((line) => line.slice(file.length + 2));
    console.log(`${what}: ${fired.join(', ')}`);
    expect(fired).toEqual(expect.arrayContaining(says));
  });

  test.each(allowed)('[S02] nothing fires for $what', ({ file }) => {
    expect([...said].filter((line) => line.startsWith(`${file}: `))).toEqual([]);
  });
});

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(join(copy, file)), { recursive: true });
  await writeFile(join(copy, file), text);
}

interface Violation {
  from: string;
  rule: { name: string };
  cycle?: { name: string }[];
}

async function arrows(): Promise<string[]> {
  const output = await node(
    'dependency-cruiser/bin/dependency-cruise.mjs',
    'src',
    'worker',
    'demo',
    'bench',
    '-T',
    'json',
  );
  const { summary } = JSON.parse(output) as { summary: { violations: Violation[] } };
  // A cycle is reported once, for any of its files.
  return summary.violations.flatMap(({ from, rule, cycle = [] }) =>
    [from, ...cycle.map(({ name }) => name)].map((file) => `${file}: arrow ${rule.name}`),
  );
}

async function lint(): Promise<string[]> {
  const files = [...additions, ...allowed].map(({ file }) => file).filter((file) => !/^(demo|bench)\//.test(file));
  const output = await node('eslint/bin/eslint.js', '--format', 'json', ...files);
  const results = JSON.parse(output) as { filePath: string; messages: { ruleId: string | null }[] }[];
  return results.flatMap(({ filePath, messages }) =>
    messages.map(({ ruleId }) => `${filePath.slice(copy.length + 1)}: eslint ${String(ruleId)}`),
  );
}

async function compile(): Promise<string[]> {
  const output = await node(
    'typescript/bin/tsc',
    '-b',
    'tsconfig.page.json',
    'tsconfig.engine.json',
    '--pretty',
    'false',
  );
  return [...output.matchAll(/^(.+?)\(\d+,\d+\): error (TS\d+)/gm)].map(
    ([, file, code]) => `${String(file)}: tsc ${String(code)}`,
  );
}

/** Standard output of one of the tools, run in the copy; they exit with a code when they find something, which is wanted. */
function node(script: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [join(repository, 'node_modules', script), ...args],
      { cwd: copy, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (stdout === '' && error !== null) reject(new Error(`${script}: ${stderr}`));
        else resolve(stdout);
      },
    );
  });
}
