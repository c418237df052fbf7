import { defineConfig, type PlaywrightTestConfig } from '@playwright/test';
import { launchOptions } from '../scripts/browsers.mjs';

/**
 * Both browsers run every spec, but for tests whose title carries `@chromium` or `@firefox`: those run there alone.
 * (A test left out this way is not a skipped one; a skipped one fails `npm test`.)
 * There is no web server here: each spec starts what it needs from e2e/support and ends it.
 */
export default defineConfig({
  testDir: '.',
  outputDir: '../test-results',
  // Several browsers, a server and their timers on two cores: one spec at a time keeps the measurements honest.
  workers: 1,
  fullyParallel: false,
  forbidOnly: process.env['CI'] !== undefined,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: process.env['PLAYWRIGHT_JSON_OUTPUT_FILE'] === undefined ? 'list' : [['list'], ['json']],
  // Recording every test takes a third of the time; for one that fails there is `--trace on`.
  use: { trace: 'off', actionTimeout: 10_000 },
  projects: [browser('chromium', /@firefox\b/), browser('firefox', /@chromium\b/)],
});

function browser(
  name: 'chromium' | 'firefox',
  grepInvert: RegExp,
): NonNullable<PlaywrightTestConfig['projects']>[number] {
  const { channel, ...options } = launchOptions(name);
  return {
    name,
    grepInvert,
    use: { browserName: name, ...(channel === undefined ? {} : { channel }), launchOptions: options },
  };
}
