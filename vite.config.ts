import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { launchOptions } from './scripts/browsers.mjs';
import { bundledRun } from './worker/sim/bundle.kit.js';

const roots = '{src,worker,tests}';

/** One project per kind of test; `npm test` runs them in turn, `npx vitest --project node` one of them. */
export default defineConfig({
  test: {
    passWithNoTests: true,
    coverage: {
      // Over Node's tests alone: what runs inside a real Worker counts as nothing, and Firefox cannot be measured.
      provider: 'v8',
      include: ['src/core/**/*.ts', 'worker/engine/**/*.ts'],
      exclude: ['**/*.kit.ts'],
      thresholds: { 'src/core/**': { branches: 95 }, 'worker/engine/**': { branches: 90 } },
    },
    projects: [
      {
        test: {
          name: 'node',
          include: [`${roots}/**/*.test.ts`],
          // Suites that start servers, install packages or run for minutes have scripts of their own.
          exclude: ['worker/sim/**', 'tests/package/**', 'tests/tooling/**', 'tests/long/**'],
          // Many wait for timers of the engine most of their time.
          maxWorkers: 3,
          // Nothing here measures time; a slow machine is no failure.
          testTimeout: 30_000,
        },
      },
      // Each file takes its share of the seeds, in a process of its own, from one bundle.
      {
        resolve: { alias: [{ find: /^\.\/run\.kit\.js$/, replacement: bundledRun }] },
        test: {
          name: 'sim',
          include: ['worker/sim/**/*.test.ts'],
          globalSetup: ['worker/sim/bundle.kit.ts'],
          server: { deps: { external: [bundledRun] } },
          testTimeout: 1_500_000,
          maxWorkers: 2,
          execArgv: ['--max-semi-space-size=32'],
        },
      },
      {
        test: {
          name: 'tooling',
          include: ['tests/tooling/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: { name: 'package', include: ['tests/package/**/*.test.ts'], testTimeout: 300_000, hookTimeout: 300_000 },
      },
      { test: { name: 'long', include: ['tests/long/**/*.test.ts'], testTimeout: 600_000 } },
      {
        test: {
          name: 'browser',
          include: [`${roots}/**/*.browser.ts`],
          testTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            api: { host: '127.0.0.1' },
            instances: [
              {
                browser: 'chromium',
                name: 'chromium',
                provider: playwright({ launchOptions: launchOptions('chromium') }),
              },
              {
                browser: 'firefox',
                name: 'firefox',
                provider: playwright({ launchOptions: launchOptions('firefox') }),
              },
            ],
          },
        },
      },
    ],
  },
});
