/**
 * npm test, npm run verify and .ci/run: sets up what is missing, then runs the whole gate step by step. Every step runs,
 * also after a failed one. Tests are counted from the runners' own reports; a step that is no test counts as one.
 * A skipped test counts as failed: it proves nothing. The last line is `N passed, N failed`.
 *
 *   node scripts/test.mjs                 the whole gate
 *   node scripts/test.mjs types unit      only these steps (for work in progress; see the names below)
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { exitOnSignals, run, tail } from './lib/run.mjs';
import { setUp } from './setup.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const reports = join(root, '.cache', 'reports');
const MINUTE_MS = 60_000;

/**
 * Each is a script of package.json; `kind` says how its result is read; the limit keeps a hanging step from holding all.
 * Neighbours marked `together` run at one time: none of them measures time. A patient one runs beside all that come
 * behind it and takes only what they leave of the processors.
 */
const steps = [
  { name: 'build', script: 'build', kind: 'gate', minutes: 3 },
  { name: 'types', script: 'typecheck', kind: 'gate', minutes: 3, together: true },
  { name: 'lint', script: 'lint', kind: 'gate', minutes: 5, together: true },
  { name: 'format', script: 'format:check', kind: 'gate', minutes: 2, together: true },
  { name: 'arrows', script: 'arrows', kind: 'gate', minutes: 2, together: true },
  { name: 'dead code', script: 'knip', kind: 'gate', minutes: 2, together: true },
  { name: 'sim', script: 'test:sim', kind: 'vitest', minutes: 24, isPatient: true },
  { name: 'unit', script: 'test:unit', kind: 'vitest', minutes: 6 },
  { name: 'tooling', script: 'test:tooling', kind: 'vitest', minutes: 5 },
  { name: 'browser', script: 'test:browser', kind: 'vitest', minutes: 6 },
  { name: 'e2e', script: 'test:e2e', kind: 'playwright', minutes: 18 },
  { name: 'package', script: 'test:package', kind: 'vitest', minutes: 5 },
  { name: 'size', script: 'size', kind: 'gate', minutes: 2 },
  // That the suite runs and all contestants come to the same state; no time is judged.
  { name: 'bench', script: 'bench:quick', kind: 'gate', minutes: 8 },
];

async function main() {
  const chosen = process.argv.slice(2);
  const unknown = chosen.filter((name) => !steps.some((step) => step.name === name));
  if (unknown.length > 0) {
    console.error(`test: no step ${unknown.join(', ')}; there are ${steps.map((step) => step.name).join(', ')}`);
    return 2;
  }
  const startMs = Date.now();
  const results = [await setUpStep()];
  // Without packages no step can start; each would only say so again.
  const toRun = results[0].canGoOn ? steps.filter(({ name }) => chosen.length === 0 || chosen.includes(name)) : [];
  mkdirSync(reports, { recursive: true });
  const runToEnd = (step) => runStep(step).catch((error) => brokenStep(step, error));
  const patient = [];
  for (const group of groupsOf(toRun)) {
    if (group[0].isPatient) patient.push(...group.map(runToEnd));
    else results.push(...(await Promise.all(group.map(runToEnd))));
  }
  results.push(...(await Promise.all(patient)));

  console.log(`\n${'-'.repeat(60)}`);
  for (const result of results) console.log(lineOf(result));
  console.log(`total ${seconds(Date.now() - startMs)}`);
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** Steps in order, neighbours that may run together in one group. */
function groupsOf(all) {
  const groups = [];
  for (const step of all) {
    const last = groups.at(-1);
    if (step.together && last?.[0].together) last.push(step);
    else groups.push([step]);
  }
  return groups;
}

async function setUpStep() {
  const startMs = Date.now();
  console.log('== set-up');
  let absent;
  try {
    absent = await setUp(['node', 'chromium', 'firefox', 'livekit']);
  } catch (error) {
    console.log(error.message);
    absent = ['node'];
  }
  const isComplete = absent.length === 0;
  return {
    name: 'set-up',
    passed: isComplete ? 1 : 0,
    failed: isComplete ? 0 : 1,
    notes: isComplete ? [] : [`missing: ${absent.join(', ')}`],
    durationMs: Date.now() - startMs,
    canGoOn: !absent.includes('node'),
  };
}

async function runStep({ name, script, kind, minutes, isPatient = false }) {
  const startMs = Date.now();
  console.log(`\n== ${name} (npm run ${script})`);
  const report = join(reports, `${script.replaceAll(':', '-')}.json`);
  rmSync(report, { force: true });
  const reporting = {
    gate: { args: [], env: {} },
    vitest: { args: ['--', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`], env: {} },
    playwright: { args: [], env: { PLAYWRIGHT_JSON_OUTPUT_FILE: report } },
  }[kind];
  const [command, ...first] = isPatient && process.platform !== 'win32' ? ['nice', '-n', '19', 'npm'] : ['npm'];
  const { code, output, timedOut } = await run(command, [...first, 'run', '--silent', script, ...reporting.args], {
    cwd: root,
    // CI: an `.only` left behind is an error in every runner.
    env: { ...reporting.env, CI: '1', ...(process.stdout.isTTY ? {} : { NO_COLOR: '1', FORCE_COLOR: undefined }) },
    timeoutMs: minutes * MINUTE_MS,
    echo: kind !== 'gate',
  });
  if (kind === 'gate' && code !== 0) console.log(tail(output, 60));
  writeFileSync(join(reports, `${script.replaceAll(':', '-')}.log`), output);

  const counts = kind === 'gate' ? { passed: 0, failed: 0, skipped: 0 } : readReport(kind, report);
  const notes = [];
  if (timedOut) notes.push(`stopped after ${minutes} minutes`);
  if (counts.skipped > 0) notes.push(`${counts.skipped} skipped, counted as failed`);
  let failed = counts.failed + counts.skipped;
  let passed = counts.passed;
  if (kind === 'gate') {
    if (code === 0) passed = 1;
    else failed = 1;
  } else if (failed === 0 && (code !== 0 || passed === 0)) {
    // An error outside any test, or no test at all: neither is a test, both are failures.
    failed = 1;
    notes.push(passed === 0 ? 'no test ran' : `the runner failed (code ${code}) outside of its tests`);
  }
  const result = { name, passed, failed, notes, durationMs: Date.now() - startMs };
  console.log(lineOf(result));
  return result;
}

/** A step whose result cannot be told, as of a report that was cut off, has failed; the others go on. */
function brokenStep({ name }, error) {
  return { name, passed: 0, failed: 1, notes: [String(error)], durationMs: 0 };
}

function readReport(kind, file) {
  if (!existsSync(file)) return { passed: 0, failed: 0, skipped: 0 };
  const report = JSON.parse(readFileSync(file, 'utf8'));
  if (kind === 'playwright') {
    const { expected, unexpected, flaky, skipped } = report.stats;
    // A setup or a configuration that fails is an error of the run, beside the tests.
    return { passed: expected, failed: unexpected + flaky + report.errors.length, skipped };
  }
  // A file that does not load has no tests to count; it counts as one failed.
  const unloaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function lineOf({ name, passed, failed, notes, durationMs }) {
  const verdict = failed === 0 ? 'ok  ' : 'FAIL';
  const counts = `${passed} passed, ${failed} failed`;
  return [`${verdict} ${name.padEnd(10)} ${seconds(durationMs).padStart(8)}  ${counts}`, ...notes].join('; ');
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

exitOnSignals();
process.exitCode = await main();
