/** The end of a run: everything works again, until all disks hold the same or it takes too long. */
import { auditDisk, reachOf, type Audit } from './audit.kit.js';
import { isCastOut } from './forks.kit.js';
import { pageDifference } from './judge.kit.js';
import { controlKey, countOf } from '../engine/replica/index.js';
import type { Person } from './person.kit.js';
import type { Scene } from './scene.kit.js';
import { addressesOf } from './trouble.kit.js';
import { calm, type World } from './world.kit.js';

const settleLimitMs = 6 * 60_000;
const stepMs = 2_000;
/** What a fast clock has written waits at a slow one until its time has come: so long all sleep, and so often. */
const sleepMs = 3 * 3_600_000;
const sleepEveryMs = 40_000;

/** Everything works again, everybody is there; then the clocks run on, so that nothing waits for the future any more. */
export async function heal(scene: Scene): Promise<void> {
  const { world, people } = scene;
  world.log('healed');
  scene.mischief.end();
  world.network.setFaults(calm);
  world.network.partition([]);
  for (const person of people) for (const address of addressesOf(person)) world.network.setState(address, 'up');
  for (const person of people)
    for (const life of person.device.lives()) life.killAtCall(Number.MAX_SAFE_INTEGER, () => undefined);
  await world.timeline.runUntil(world.timeline.now() + 6_500);
  for (const person of people) if (!person.isUp) scene.revive(person);
  if (scene.faults.has('skew')) world.sleep(sleepMs);
}

/** Runs until all disks hold the same packs and everybody is done, or gives up. */
export async function settle(scene: Scene): Promise<ReadonlyMap<Person, Audit> | null> {
  const { world, people } = scene;
  const end = world.timeline.now() + settleLimitMs;
  let nextSleep = world.timeline.now() + sleepEveryMs;
  let last = 'nothing was looked at';
  let looks = 0;
  while (world.timeline.now() < end) {
    await world.timeline.runUntil(world.timeline.now() + stepMs);
    if (scene.faults.has('skew') && world.timeline.now() > nextSleep) {
      world.sleep(sleepMs);
      nextSleep += sleepEveryMs;
    }
    const busy = people.find((person) => !isQuiet(person));
    if (busy !== undefined) {
      last = `${busy.name} is busy: ${stateOf(busy)}`;
      continue;
    }
    const reaches = people.map((person) => reachOf(person.device));
    const odd = reaches.findIndex((reach) => reach !== reaches[0]);
    // A chain with a fork reaches further where more of it had come: then only a closer look can tell.
    if (odd > 0 && looks++ % 5 < 4) {
      last = `${people[odd]?.name ?? ''} and ${people[0]?.name ?? ''} hold other packs`;
      continue;
    }
    // What was stored last may still be on its way into what is shown.
    await world.timeline.runUntil(world.timeline.now() + stepMs);
    const audits = await auditAll(scene);
    if (isSame(audits, people.length)) return audits;
    last = [...audits].map(([person, { core }]) => `${person.name} ${countsOf(core)}`).join(' | ');
  }
  world.fail(`not settled: ${last}`);
  for (const person of people) {
    world.log(`${person.name}: ${stateOf(person)}; ${await statsText(world, person)}`);
    const audit = await auditDisk(world, person.device, { room: person.room ?? '' });
    if (audit !== null) for (const line of chainLines(audit, world.wallMs())) world.log(`  ${line}`);
  }
  return null;
}

async function auditAll({ world, people }: Scene): Promise<ReadonlyMap<Person, Audit>> {
  const audits = new Map<Person, Audit>();
  for (const person of people) {
    const audit = await auditDisk(world, person.device, { room: person.room ?? '' });
    if (audit !== null) audits.set(person, audit);
  }
  return audits;
}

function isSame(audits: ReadonlyMap<Person, Audit>, count: number): boolean {
  const all = [...audits.values()];
  const roots = new Set(
    all.filter((audit) => !isCastOut(audit)).map(({ roots: found }) => JSON.stringify([...found].sort())),
  );
  const controls = new Set(all.map(({ roots: found }) => found.get(controlKey)));
  // The rest of a pack that came in part is in when its engine says so, not when the disk is read at a later time.
  const isShown = [...audits].every(([person, audit]) => pageDifference(person, audit) === null);
  return audits.size === count && roots.size === 1 && controls.size === 1 && isShown;
}

/** Counters and faults of a person's engine, for reports. */
async function statsText(world: World, person: Person): Promise<string> {
  const page = person.page();
  if (page === null || !person.isUp) return 'no engine';
  return JSON.stringify(await world.settled(page.call('stats', {}), 5_000));
}

function isQuiet(person: Person): boolean {
  const info = person.page()?.view.info ?? null;
  if (person.room === null || info === null || !person.isUp) return false;
  if (info.blocked !== null || info.me === '') return true;
  return person.page()?.writes.every((write) => write.savedAtMs !== null) === true && info.undelivered === 0;
}

function stateOf(person: Person): string {
  const info = person.page()?.view.info ?? null;
  if (info === null) return person.room === null ? 'not in the room' : 'no view';
  const unsaved = person.page()?.writes.filter((write) => write.savedAtMs === null).length ?? 0;
  return `${info.network}, ${String(info.undelivered)} undelivered, ${String(unsaved)} unsaved`;
}

function countsOf(core: Audit['core']): string {
  const parts = [`control ${String(core.state.control.entryCount)}`];
  for (const [key, domain] of core.state.domains) parts.push(`${key.slice(0, 4)} ${String(domain.entryCount)}`);
  return `${parts.join(' ')} held ${String(core.held.length)}`;
}

/** Every chain on a disk: whose, how long, and how far its newest entry lies ahead of now. */
function chainLines({ core }: Audit, nowMs: number): string[] {
  const lines: string[] = [];
  for (const [key, domain] of [['control', core.state.control] as const, ...core.state.domains])
    for (const [author, chain] of domain.chainsByAuthor)
      lines.push(
        `${key.slice(0, 7)} ${author.slice(0, 4)} ${String(countOf(chain))}, newest ${String(Math.round(((chain.loaded.ms.at(-1) ?? 0) - nowMs) / 1000))} s`,
      );
  return lines;
}
