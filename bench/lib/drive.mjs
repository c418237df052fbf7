/**
 * Drives the rows: for each run a browser of its own, for each case every contestant on pages of its own, and samples
 * round-robin, beginning with another contestant each time. A sample whose final state has another checksum is an error,
 * never a number.
 */
import { launchBrowser, openStation } from './browser.mjs';

/**
 * @param row of rows.mjs
 * @param {{ site: object, browserName: string, runs: number, samples: number, warmups: number, only?: string[],
 *   stepTimeoutMs: number, restMs: number, isHasty?: boolean, browser?: object, say: (line: string) => void }} options
 * @returns cases with the metrics of every sample, by contestant and run
 */
export async function driveRow(row, cases, given) {
  // What is counted and not timed needs no more than a row says.
  const options = { ...given, runs: Math.min(given.runs, row.maxRuns ?? given.runs) };
  options.samples = Math.min(given.samples, row.maxSamples ?? given.samples);
  if (row.maxSamples === 1) options.warmups = 0;
  const results = cases.map(({ name, work }) => ({ name, work, samples: {}, facts: {}, failures: {}, checksums: [] }));
  for (let run = 0; run < options.runs; run++) {
    const browser = await launchBrowser(options.browserName);
    try {
      for (const [index, one] of cases.entries())
        await driveCase(row, one, results[index], { ...options, browser, run });
    } finally {
      await browser.close();
    }
  }
  return results;
}

async function driveCase(row, one, result, options) {
  const { say, run } = options;
  const wanted = row.contestants.filter((name) => isWanted(name, one, options) && result.failures[name] === undefined);
  const prepare = async (contestant) => {
    try {
      return [await prepareStation(row, one, contestant, options)];
    } catch (error) {
      fail(result, contestant, error, say);
      return [];
    }
  };
  const stations = [];
  // Where time is judged, nobody's preparation may disturb another's.
  if (options.isHasty) stations.push(...(await Promise.all(wanted.map(prepare))).flat());
  else for (const contestant of wanted) stations.push(...(await prepare(contestant)));
  const expected = one.checksum;
  const rounds = options.warmups + options.samples;
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < stations.length; turn++) {
      const station = stations[(round + turn) % stations.length];
      const { contestant } = station;
      if (result.failures[contestant] !== undefined) continue;
      try {
        const { checksum, metrics } = await takeSample(row, station, { round, options });
        const right = expected ?? (result.checksums[round] ??= checksum);
        if (checksum !== right) throw new Error(`its final state is ${checksum}, not ${right}`);
        if (round < options.warmups) continue;
        const runs = (result.samples[contestant] ??= []);
        (runs[run] ??= []).push(metrics);
      } catch (error) {
        fail(result, contestant, error, say, station);
      }
    }
  }
  for (const station of stations) {
    result.facts[station.contestant] = station.facts;
    for (const page of Object.values(station.pages)) await page.close();
  }
}

function isWanted(name, one, { only }) {
  return (only === undefined || only.includes(name)) && !one.without?.includes(name);
}

/** Opens a contestant's pages and lets them prepare, each phase with what the phases before have found out. */
async function prepareStation(row, one, contestant, options) {
  const plan = row.plans?.[contestant] ?? { pages: ['main'], phases: [['main', 'prepare']] };
  const url = options.site.urlOf(contestant);
  const station = {
    contestant,
    pages: {},
    shared: { ...one.work, ...options.servers, samples: options.samples + options.warmups },
    facts: {},
  };
  const beganMs = Date.now();
  for (const role of plan.pages) {
    station.pages[role] = await openStation(options.browser, url, `${row.module}/${contestant}`, role);
  }
  try {
    for (const [role, step] of plan.phases) {
      if (!station.pages[role].has(step)) continue;
      const facts = await station.pages[role].call(step, station.shared, options.stepTimeoutMs);
      Object.assign(station.shared, facts);
      Object.assign(station.facts, facts);
    }
  } catch (error) {
    error.said = Object.values(station.pages).flatMap(({ said }) => said);
    for (const page of Object.values(station.pages)) await page.close();
    throw error;
  }
  options.say(
    `  ${one.name} run ${options.run + 1}: ${contestant} prepared in ${((Date.now() - beganMs) / 1000).toFixed(1)} s`,
  );
  return station;
}

async function takeSample(row, station, { round, options }) {
  const page = station.pages.main;
  const input = { ...station.shared, sample: round };
  if (row.freshPage) await page.reload();
  const take = async () => {
    const arrived = row.freshPage && page.has('arrive') ? await page.call('arrive', input, options.stepTimeoutMs) : {};
    const { checksum, metrics } = await page.call('sample', { ...input, ...arrived }, options.stepTimeoutMs);
    return { checksum, metrics: { ...arrived, ...metrics } };
  };
  return row.around === undefined
    ? take()
    : row.around({ take, page: page.page, browser: options.browser, restMs: options.restMs });
}

function fail(result, contestant, error, say, station) {
  const said = error.said ?? Object.values(station?.pages ?? {}).flatMap((page) => page.said);
  const [reason] = String(error.message ?? error).split('\n');
  result.failures[contestant] = reason.replace(/^page\.evaluate: /, '');
  delete result.samples[contestant];
  say(`  FAILED ${contestant}: ${reason}${said.length > 0 ? `; the page said: ${said.slice(-3).join(' | ')}` : ''}`);
}
