/**
 * Where keeproom's time goes: a row is run once with keeproom alone, on an unminified build, while the profiler of
 * Chromium samples the workers of its page. Saved as .cpuprofile files, which browsers' developer tools open.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { run } from '../../scripts/lib/run.mjs';
import { driveRow } from './drive.mjs';
import { benchRoot, repository } from './paths.mjs';
import { quantile } from './stats.mjs';
import { attachToWorkers } from './threads.mjs';

const readableDir = join(benchRoot, '.build', 'readable');

const SAMPLE_EVERY_US = 250;
const TOP = 25;

/** Builds keeproom with names in its worker. @returns the folder to serve in the place of dist/ */
export async function buildReadable() {
  const tsdown = join(repository, 'node_modules', 'tsdown', 'dist', 'run.mjs');
  const args = [tsdown, '--no-minify', '--no-dts', '--out-dir', readableDir, '--log-level', 'error'];
  const { code, output } = await run(process.execPath, args, { cwd: repository });
  if (code !== 0) throw new Error(`the build failed:\n${output}`);
  return readableDir;
}

/** Runs one case of a row under the profiler. @returns a table of functions by self time */
export async function profileRow(row, options) {
  const profiles = [];
  let metrics = null;
  const around = async (given) => {
    const workers = await watchWorkers(given.page);
    const result = await given.take();
    profiles.push(...(await workers.stop()));
    metrics = result.metrics;
    return result;
  };
  const one = row.cases[0];
  const cases = [{ ...one, work: { ...one.work, isProfiled: true } }];
  const [{ failures }] = await driveRow({ ...row, around }, cases, {
    ...options,
    only: ['keeproom'],
    runs: 1,
    samples: 1,
    warmups: 0,
  });
  if (failures.keeproom !== undefined) throw new Error(`keeproom: ${failures.keeproom}`);
  const roomAt = readRooms(join(readableDir, 'worker.js'));
  mkdirSync(join(benchRoot, 'results'), { recursive: true });
  profiles.forEach((profile, i) => {
    writeFileSync(join(benchRoot, 'results', `${row.id}-worker-${i}.cpuprofile`), JSON.stringify(profile));
  });
  const work = Object.entries(one.work).map(([name, value]) => `${name} ${value}`);
  const timed = metrics.ms ?? quantile(metrics.each ?? [], 0.5);
  return [
    `${row.id} ${one.name} (${work.join(', ')}): sample ${timed?.toFixed(1)} ms`,
    ...profiles.map((profile) => tableOf(profile, roomAt)),
  ].join('\n');
}

/** Profiles every worker that a page has or starts. */
async function watchWorkers(page) {
  const starting = [];
  const start = async (send) => {
    await send('Profiler.enable');
    await send('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US });
    await send('Profiler.start');
    return send;
  };
  await attachToWorkers(page, (send) => starting.push(start(send)));
  return {
    stop: async () => {
      const workers = await Promise.all(starting);
      const stopped = await Promise.all(workers.map((send) => send('Profiler.stop')));
      return stopped.map(({ profile }) => profile);
    },
  };
}

/** Self time by function, and by the room of the code that it belongs to. */
function tableOf({ nodes, samples, timeDeltas }, roomAt) {
  const frameById = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byFunction = new Map();
  const byRoom = new Map();
  let idleUs = 0;
  samples.forEach((id, i) => {
    const us = timeDeltas[i];
    const { functionName, url, lineNumber } = frameById.get(id);
    if (functionName === '(idle)') idleUs += us;
    else {
      const room = url === '' ? 'platform' : roomAt(lineNumber);
      add(byRoom, room, us);
      add(byFunction, `${functionName === '' ? `(anonymous :${lineNumber + 1})` : functionName}  ${room}`, us);
    }
  });
  const busyUs = [...byRoom.values()].reduce((sum, us) => sum + us, 0);
  return [
    `  worker: busy ${(busyUs / 1000).toFixed(0)} ms, idle ${(idleUs / 1000).toFixed(0)} ms; self time by room`,
    ...linesOf(byRoom, busyUs),
    '  and by function',
    ...linesOf(byFunction, busyUs),
  ].join('\n');
}

function add(sums, name, us) {
  sums.set(name, (sums.get(name) ?? 0) + us);
}

function linesOf(sums, busyUs) {
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .slice(0, TOP)
    .map(([name, us]) => {
      const share = ((100 * us) / busyUs).toFixed(1).padStart(5);
      return `  ${share} %  ${(us / 1000).toFixed(1).padStart(8)} ms  ${name}`;
    });
}

/** The bundler marks where each source file begins: a room is its folder. @returns a function of the line, from 0 */
function readRooms(file) {
  const marks = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((text, line) => {
      const path = /^\s*\/\/#region (\S+)/.exec(text)?.[1];
      if (path === undefined) return [];
      const name = path.replace(/^.*node_modules\//, '');
      return [{ line, room: name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : dirname(name) }];
    });
  return (line) => marks.findLast((mark) => mark.line <= line)?.room ?? 'bundler';
}
