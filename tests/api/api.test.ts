/**
 * The public contract against the published types: the same two files, cut to what is built.
 * Cuts: nearby rooms and `announce` · presence · lists · text (keeproom/yjs) · blobs · removing members and changing
 * roles (the unknown role is shown on invites.create instead) · Svelte's Readable is stated, not imported.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const files = {
  quickstart: fileURLToPath(new URL('./quickstart.ts', import.meta.url)),
  negative: fileURLToPath(new URL('./must-not-compile.ts', import.meta.url)),
};

/** What each case must fail with: a word of the compiler's message, so that no other mistake passes for it. */
const expected: readonly (readonly [label: string, code: number, words: RegExp])[] = [
  ['missing required x', 2345, /Property 'x' is missing/],
  ['not in the enum', 2322, /"circle"' is not assignable to type '"box" \| "note"'/],
  ['unknown collection', 2551, /'shapez' does not exist/],
  ['unknown field', 2353, /'z' does not exist/],
  ['counters are not set', 2353, /'votes' does not exist/],
  ['counters begin at 0', 2353, /'votes' does not exist/],
  ['increment only on counters', 2345, /'"x"' is not assignable to parameter of type '"votes"'/],
  ['null only on optional fields', 2322, /'null' is not assignable to type 'number/],
  ['rows are read-only', 2540, /'x' because it is a read-only property/],
  ['async change', 2345, /takes a synchronous function/],
  ['unknown role', 2322, /"king"' is not assignable/],
  ['a chat id is no shape id', 2322, /'RecordId<"chat">' is not assignable to type '"?.*RecordId<"shapes">|shapes/],
  ['unknown order field', 2345, /'"zz"' is not assignable/],
  ['wrong validator', 2345, /number' is not assignable to type 'string'|ZodNumber/],
  ['single has no insert', 2339, /'insert' does not exist/],
];

/** The package as a consumer sees it: what was built where there is a build, else the sources. */
function entries(from: 'dist' | 'src'): Record<string, string[]> {
  const ext = from === 'dist' ? 'd.ts' : 'ts';
  return { keeproom: [join(root, from, `index.${ext}`)], 'keeproom/livekit': [join(root, from, `livekit.${ext}`)] };
}

/** Compiles both files; `negative` without the comments that expect errors. */
function compile(from: 'dist' | 'src', negative: string): readonly ts.Diagnostic[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    paths: entries(from),
  };
  const host = ts.createCompilerHost(options);
  const { readFile } = host;
  const bare = negative.replaceAll('@ts-expect-error', 'case:');
  host.readFile = (name) => (name === files.negative ? bare : readFile(name));
  return ts.getPreEmitDiagnostics(ts.createProgram(Object.values(files), options, host));
}

function newestMs(folder: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Math.max(...names.filter((name) => name.endsWith('.ts')).map((name) => statSync(join(folder, name)).mtimeMs));
}

/** A build older than the sources says nothing about them. */
const built = join(root, 'dist', 'index.d.ts');
const isBuilt = existsSync(built) && statSync(built).mtimeMs > newestMs(join(root, 'src'));
const sources = isBuilt ? (['src', 'dist'] as const) : (['src'] as const);

test.each(sources)(
  '[S19] the contract compiles against %s, and each negative case fails with its own error',
  (from) => {
    const text = readFileSync(files.negative, 'utf8');
    const labels = [...text.matchAll(/@ts-expect-error (.*)/g)].map((match) => match[1]);
    expect(labels).toEqual(expected.map(([label]) => label));
    const lines = text.split('\n');
    const errors = compile(from, text).map((diagnostic) => {
      const line = diagnostic.file?.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line ?? 0;
      const above = lines.slice(0, line).findLast((one) => one.includes('@ts-expect-error'));
      const words = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n');
      return {
        file: diagnostic.file?.fileName,
        label: above?.split('@ts-expect-error ')[1],
        code: diagnostic.code,
        words,
      };
    });
    expect(errors.filter(({ file }) => file !== files.negative)).toEqual([]);
    expect(errors.map(({ label }) => label)).toEqual(labels);
    for (const [index, [, code, words]] of expected.entries()) {
      expect(errors[index]?.words).toMatch(words);
      expect(errors[index]?.code).toBe(code);
    }
    console.log(`[S19] types of ${from}: the quickstart compiles, ${errors.length} negative cases fail as they should`);
  },
  120_000,
);
