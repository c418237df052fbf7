/**
 * Sets up what this repository needs, once, for npm start, npm test and .ci/run alike. No dependencies; Node 20.19 or later.
 *
 *   node scripts/setup.mjs                     everything
 *   node scripts/setup.mjs node livekit        only these: node, chromium, firefox, livekit
 *   node scripts/setup.mjs --find              look, install nothing
 *
 * Each tool is looked for in an environment variable (KEEPROOM_CHROMIUM, KEEPROOM_FIREFOX, LIVEKIT_SERVER), on the PATH,
 * in the system's usual place and in the cache; then installed: with apt as root on Debian or Ubuntu, else by the
 * vendor's download; livekit-server with `go install` where Go is, else by the vendor's download. Running it again
 * changes nothing. One line per tool says what was found and where; the result is kept in .cache/tools.json.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { exitOnSignals } from './lib/run.mjs';
import { findTool, toolTable } from './lib/find.mjs';
import {
  areModulesCurrent,
  downloadLivekit,
  hasApt,
  installLivekitWithGo,
  installModules,
  installWithApt,
  installWithPlaywright,
} from './lib/install.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const resultFile = join(root, '.cache', 'tools.json');
const MINIMUM_NODE = [20, 19];

/** The tools found by the last set-up; one that has gone since, or was never looked for, is looked for now (not installed). */
export function tools() {
  const known = existsSync(resultFile) ? JSON.parse(readFileSync(resultFile, 'utf8')) : {};
  const result = {};
  for (const [name, entry] of Object.entries(toolTable)) {
    const tool = known[name];
    const wish = process.env[entry.envName];
    const isGood =
      tool !== undefined && existsSync(tool.path) && (wish ? tool.path === wish : tool.from !== entry.envName);
    result[name] = isGood ? tool : findTool(name).tool;
  }
  return result;
}

/** One tool, or an error that says how to get it. */
export function requireTool(name) {
  const tool = tools()[name];
  if (tool !== undefined) return tool;
  const { title, envName } = toolTable[name];
  throw new Error(`${title} was not found. Run \`node scripts/setup.mjs ${name}\`, or name it in ${envName}.`);
}

/**
 * @param {string[]} wanted of node, chromium, firefox, livekit
 * @param {{ findOnly?: boolean, say?: (line: string) => void }} [options]
 * @returns {Promise<string[]>} the names of what is still missing
 */
export async function setUp(wanted, { findOnly = false, say = console.log } = {}) {
  checkNode();
  const modules = wanted.includes('node') ? setUpModules(findOnly, say) : Promise.resolve(true);
  const wantedTools = wanted.filter((name) => name !== 'node');
  const found = {};
  const missing = {};
  for (const name of wantedTools) {
    try {
      const { tool, tried } = findTool(name);
      if (tool === undefined) missing[name] = tried;
      else found[name] = tool;
    } catch (error) {
      say(line(name, 'WRONG', error.message));
      missing[name] = undefined;
    }
  }
  for (const name of Object.keys(found)) report(name, found[name], say);
  if (!findOnly) {
    const installable = Object.keys(missing).filter((name) => missing[name] !== undefined);
    const browsers = installable.filter((name) => name !== 'livekit');
    await Promise.all([
      installBrowsers(browsers, missing, found, modules, say),
      installable.includes('livekit') ? installLivekit(missing, found, say) : undefined,
    ]);
  }
  const hasModules = await modules;
  if (wantedTools.length > 0 && !findOnly) save(found);
  const absent = wantedTools.filter((name) => found[name] === undefined);
  for (const name of absent.filter((name) => missing[name] !== undefined)) explain(name, missing[name], say);
  return hasModules ? absent : ['node', ...absent];
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [wantMajor, wantMinor] = MINIMUM_NODE;
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  throw new Error(`Node ${MINIMUM_NODE.join('.')} or later is needed; this is ${process.versions.node}.`);
}

async function setUpModules(findOnly, say) {
  if (areModulesCurrent(root)) {
    say(line('node', 'found', `Node ${process.versions.node}, node_modules as in package-lock.json`));
    return true;
  }
  if (findOnly) {
    say(line('node', 'MISSING', 'node_modules is not what package-lock.json says'));
    return false;
  }
  say(line('node', 'installing', 'npm ci'));
  const said = await installModules(root);
  const isDone = areModulesCurrent(root);
  say(line('node', isDone ? 'installed' : 'MISSING', said));
  return isDone;
}

async function installBrowsers(names, missing, found, modules, say) {
  const tryAgain = (said) => {
    for (const name of names.filter((name) => found[name] === undefined)) {
      missing[name].push(typeof said === 'string' ? said : said[name]);
      const { tool } = findTool(name);
      if (tool !== undefined) report(name, (found[name] = tool), say, 'installed');
    }
    return names.filter((name) => found[name] === undefined);
  };
  let left = names;
  if (left.length > 0 && hasApt()) {
    for (const name of left) say(line(name, 'installing', 'with apt'));
    left = tryAgain(await installWithApt(left));
  }
  if (left.length > 0) {
    await modules;
    for (const name of left) say(line(name, 'installing', "by the vendor's download"));
    tryAgain(await installWithPlaywright(root, left));
  }
}

async function installLivekit(missing, found, say) {
  const ways = [
    ['with go install (some minutes)', installLivekitWithGo],
    ["by the vendor's download", downloadLivekit],
  ];
  for (const [how, install] of ways) {
    say(line('livekit', 'installing', how));
    missing.livekit.push(await install());
    const { tool, tried } = findTool('livekit');
    if (tool !== undefined) return report('livekit', (found.livekit = tool), say, 'installed');
    missing.livekit.push(...tried);
  }
}

function report(name, tool, say, verb = 'found') {
  say(line(name, verb, `${tool.path} (${tool.from}; ${tool.version})`));
}

function explain(name, tried, say) {
  const { envName } = toolTable[name];
  say(line(name, 'MISSING', `tried:`));
  for (const entry of tried) say(`    - ${entry.replaceAll('\n', '\n      ')}`);
  say(`    Install it yourself and name it in ${envName}, or put it on the PATH.`);
}

function line(name, verb, rest) {
  const title = name === 'node' ? 'node_modules' : toolTable[name].title;
  return `${title.padEnd(15)}${verb.padEnd(11)}${rest}`;
}

/** Merged with what an earlier run found, and renamed into place: two runs at once leave a whole file. */
function save(found) {
  mkdirSync(dirname(resultFile), { recursive: true });
  const known = existsSync(resultFile) ? JSON.parse(readFileSync(resultFile, 'utf8')) : {};
  const text = `${JSON.stringify({ ...known, ...found }, null, 2)}\n`;
  if (existsSync(resultFile) && readFileSync(resultFile, 'utf8') === text) return;
  const part = `${resultFile}.${process.pid}`;
  writeFileSync(part, text);
  renameSync(part, resultFile);
}

async function main() {
  const all = ['node', ...Object.keys(toolTable)];
  const args = process.argv.slice(2);
  const named = args.filter((arg) => !arg.startsWith('--'));
  const unknown = [
    ...named.filter((name) => !all.includes(name)),
    ...args.filter((arg) => arg.startsWith('--') && arg !== '--find'),
  ];
  if (unknown.length > 0) {
    console.error(`setup: unknown argument ${unknown.join(', ')}; expected some of ${all.join(', ')}, --find`);
    return 2;
  }
  const absent = await setUp(named.length > 0 ? named : all, { findOnly: args.includes('--find') });
  if (absent.length === 0) return 0;
  console.error(`setup: missing ${absent.join(', ')}; see above for what was tried.`);
  return 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  exitOnSignals();
  process.exitCode = await main().catch((error) => {
    console.error(`setup: ${error.message}`);
    return 1;
  });
}
