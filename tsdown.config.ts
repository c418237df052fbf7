import { defineConfig, type UserConfig } from 'tsdown';
import { thirdParty } from './scripts/third-party.mjs';

/**
 * Two builds into one flat folder. The page entries keep the literal `new URL('./worker.js', import.meta.url)` as it is,
 * so the worker must be the file beside them; it is self-contained, for a worker cannot be given an import map.
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
    name: 'worker',
    entry: { worker: 'src/worker.ts' },
    tsconfig: 'tsconfig.worker.json',
    dts: { sourcemap: false },
    minify: true,
    deps: { alwaysBundle: [/.*/], onlyBundle: false },
    plugins: [thirdParty()],
  },
]);
