import { defineConfig, type UserConfig } from 'tsdown';
import { thirdParty } from './scripts/third-party.mjs';

/**
 * Three builds into one flat folder. The page entries keep the literal `new URL('./worker.js', import.meta.url)` as it
 * is, so the worker must be the file beside them; it is self-contained, for a worker cannot be given an import map, and
 * names the curves beside it in the same way. Nothing is shared between the two: app bundlers copy the curves as they are.
 * Runtime libraries are bundled (devDependencies, licences in THIRD-PARTY.txt): a page without a bundler works.
 */
const common = {
  platform: 'browser',
  target: 'es2022',
  format: 'esm',
  fixedExtension: false,
  outDir: 'dist',
  hash: false,
  // scripts/build.mjs empties the folder: two builds write to it.
  clean: false,
  report: false,
  // A named dependency that slipped out of the bundle would be an import that no page can resolve.
  failOnWarn: true,
} satisfies UserConfig;

/** What the minifier drops and app bundlers read: an import by a computed URL is not theirs to resolve. */
const markImports = {
  name: 'keeproom-mark-imports',
  generateBundle(_options: unknown, bundle: Record<string, { type: string; code?: string }>) {
    for (const chunk of Object.values(bundle)) {
      chunk.code &&= chunk.code.replace(/\bimport\((?=\w)/g, 'import(/* @vite-ignore */ /* webpackIgnore: true */ ');
    }
  },
};

/** A file without imports. */
const alone = {
  tsconfig: 'tsconfig.worker.json',
  minify: true,
  deps: { alwaysBundle: [/.*/], onlyBundle: false },
  plugins: [thirdParty(), markImports],
  treeshake: { propertyReadSideEffects: false },
} satisfies UserConfig;

export default defineConfig([
  {
    ...common,
    name: 'page',
    entry: { index: 'src/index.ts', livekit: 'src/livekit.ts' },
    tsconfig: 'tsconfig.page.json',
    dts: { sourcemap: false },
    // Without it a consumer whose `lib` has no disposables could not read `AsyncDisposable`.
    banner: { dts: '/// <reference lib="esnext.disposable" />' },
    sourcemap: true,
    deps: { alwaysBundle: [/^(?!livekit-client)/], neverBundle: ['livekit-client'], onlyBundle: false },
    plugins: [thirdParty()],
  },
  {
    ...common,
    ...alone,
    name: 'worker',
    entry: { worker: 'src/worker.ts' },
    dts: { sourcemap: false },
  },
  {
    ...common,
    ...alone,
    name: 'curves',
    entry: { curves: 'src/curves.ts' },
    dts: false,
  },
]);
