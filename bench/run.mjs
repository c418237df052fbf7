/**
 * The bench suite of keeproom. See README.md beside this file.
 *
 *   npm run bench                             every row, 3 runs of 9 samples
 *   npm run bench -- P1,P4 --runs 3 --json    two rows, and results/*.json
 *   npm run bench -- --quick                  tiny sizes, one run: does it work and is it right; no time is judged
 *   npm run bench -- --gate                   exit 1 where a goal is missed and no waiver says why
 *
 *   npm run bench -- --table                  the JSON of earlier runs as one table in Markdown
 *   npm run bench -- --profile P1             where the time of keeproom's worker goes
 *
 * Further: --browser firefox, --samples 9, --only limit,keeproom, --quiet. KEEPROOM_BENCH_OPS=20000 puts another
 * number in the place of 100,000 ops and scales the other sizes with it.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { launchBrowser } from './lib/browser.mjs';
import { driveRow } from './lib/drive.mjs';
import { readmeTable, storedEntries } from './lib/markdown.mjs';
import { benchRoot } from './lib/paths.mjs';
import { buildReadable, profileRow } from './lib/profile.mjs';
import { judgeAnew, judgeRow, tableOf } from './lib/report.mjs';
import { servers } from './lib/servers.mjs';
import { buildPages, serveSite } from './lib/site.mjs';
import { createRows } from './rows.mjs';

/** What the issue calls 100k. */
const FULL_OPS = 100_000;
const QUICK_OPS = 400;

/** A step of a page that takes longer hangs. */
const STEP_MS = 1_800_000;
const QUICK_STEP_MS = 60_000;

/** Until disks, allocators and collectors have come to rest. */
const REST_MS = 3_000;

async function main() {
  const { values: flags, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: 'string' },
      samples: { type: 'string' },
      browser: { type: 'string', default: 'chromium' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      gate: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      table: { type: 'boolean', default: false },
      quiet: { type: 'boolean', default: false },
    },
  });
  const waivers = JSON.parse(readFileSync(join(benchRoot, 'waivers.json'), 'utf8'));
  if (flags.table) {
    const entries = judgeAnew(storedEntries(join(benchRoot, 'results'), flags.browser), waivers);
    console.log(readmeTable(entries));
    return verdict(entries, { isQuick: false, isGate: flags.gate });
  }
  const isQuick = flags.quick;
  const rows = chooseRows(createRows(scale(isQuick), { isQuick }), positionals);
  const options = {
    browserName: flags.browser,
    runs: Number(flags.runs ?? (isQuick ? 1 : 3)),
    samples: Number(flags.samples ?? (isQuick ? 1 : 9)),
    warmups: isQuick ? 0 : 1,
    restMs: isQuick ? 0 : REST_MS,
    isHasty: isQuick,
    stepTimeoutMs: isQuick ? QUICK_STEP_MS : STEP_MS,
    ...(flags.only === undefined ? {} : { only: flags.only.split(',') }),
    say: flags.quiet ? () => undefined : (line) => console.error(line),
  };
  const pages = await buildPages();
  const site = await serveSite({ pages, ...(flags.profile && { dist: await buildReadable() }) });
  // What is not judged needs no browser of its own.
  if (isQuick) options.browser = await launchBrowser(flags.browser);
  const entries = [];
  try {
    for (const row of rows) {
      if (row.browsers?.includes(flags.browser) === false) {
        console.log(`${row.id} ${row.title}: not measured in ${flags.browser}\n`);
        continue;
      }
      console.error(row.id);
      const started = [];
      const facts = {};
      let results;
      try {
        for (const name of row.needs ?? []) started.push(await servers[name]());
        for (const server of started) Object.assign(facts, server.facts);
        if (flags.profile) {
          console.log(await profileRow(row, { ...options, site, servers: facts }));
          continue;
        }
        results = await driveRow(row, row.cases, { ...options, site, servers: facts });
      } finally {
        for (const server of started) await server.stop();
      }
      const judged = judgeRow(row, results, waivers);
      entries.push(...judged);
      console.log(tableOf(judged, { isJudged: !isQuick }));
    }
  } finally {
    await options.browser?.close();
    await site.close();
  }
  if (flags.json) writeResults(entries, flags);
  return verdict(entries, { isQuick, isGate: flags.gate });
}

function chooseRows(all, positionals) {
  const wanted = positionals.flatMap((text) => text.split(','));
  const unknown = wanted.filter((id) => !all.some((row) => row.id === id));
  if (unknown.length > 0)
    throw new Error(`no row ${unknown.join(', ')}; there are ${all.map(({ id }) => id).join(', ')}`);
  return wanted.length === 0 ? all : all.filter(({ id }) => wanted.includes(id));
}

/** Sizes of this run: in proportion to the ops that stand for 100,000, and never below `least`. */
function scale(isQuick) {
  const ops = isQuick ? QUICK_OPS : Number(process.env.KEEPROOM_BENCH_OPS ?? FULL_OPS);
  if (!(ops > 0)) throw new Error('KEEPROOM_BENCH_OPS: expected a number of ops');
  return (full, least = 1) => Math.max(least, Math.round((full * ops) / FULL_OPS));
}

function writeResults(entries, flags) {
  const folder = join(benchRoot, 'results');
  mkdirSync(folder, { recursive: true });
  const at = new Date().toISOString();
  for (const row of new Set(entries.map((entry) => entry.row))) {
    const file = join(folder, `${row}-${flags.browser}.json`);
    const result = {
      at,
      node: process.version,
      browser: flags.browser,
      entries: entries.filter((one) => one.row === row),
    };
    writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`);
  }
}

/** A contestant that failed is an error of a quick run; a goal that is missed is one of a gate. */
function verdict(entries, { isQuick, isGate }) {
  const failed = entries.filter(({ runFailures }) => runFailures.length > 0);
  const missed = entries.flatMap((entry) =>
    entry.goals.filter(({ verdict }) => verdict !== 'met' && verdict !== 'waived'),
  );
  for (const { row, case: name, runFailures } of isQuick ? failed : []) {
    console.log(`FAILED ${row} ${name}: ${runFailures.join(', ')}`);
  }
  if (isQuick) console.log(failed.length === 0 ? 'all final states are equal' : 'not all final states are equal');
  if (isGate) console.log(missed.length === 0 ? 'every goal is met or waived' : `${missed.length} goals are missed`);
  return (isQuick && failed.length > 0) || (isGate && missed.length > 0) ? 1 : 0;
}

process.exitCode = await main();
