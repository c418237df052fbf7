/** One seed from beginning to end: people join and write while everything goes wrong, then all is healed and judged. */
import type { Weakness } from '../engine/index.js';
import { judge } from './judge.kit.js';
import { createPerson, foundRoom, invite, joinRoom, powerOn, roles, type Person } from './person.kit.js';
import { unleash } from './mischief.kit.js';
import { chooseFaults, type FaultName } from './plan.js';
import type { Scene } from './scene.kit.js';
import { heal, settle } from './settle.kit.js';
import { cause } from './trouble.kit.js';
import { writeSomething } from './workload.kit.js';
import { createWorld, weatherOf, type World } from './world.kit.js';

export interface RunOptions {
  readonly seed: number;
  /** Defences that are switched off in every engine of the world. */
  readonly weaknesses?: readonly Weakness[];
  /** Prints the log as it grows. */
  readonly verbose?: boolean;
}

export interface RunReport {
  readonly seed: number;
  readonly faults: ReadonlySet<FaultName>;
  readonly failures: readonly string[];
  readonly lines: readonly string[];
  readonly traceHash: string;
  readonly events: number;
  readonly virtualMs: number;
  /** What the hostile have done, by name. */
  readonly crimes: ReadonlyMap<string, number>;
  /** Fault codes met by honest devices, and how often. */
  readonly codes: ReadonlyMap<string, number>;
  /** What the world did to people: crashes, partitions, … */
  readonly incidents: ReadonlyMap<string, number>;
  readonly writes: number;
}

/** How long people work. */
const workMs = 22_000;
/** So long the network is mostly kind, so that there are people to work with. */
const joinMs = 6_000;

export async function runSeed(o: RunOptions): Promise<RunReport> {
  const world = createWorld(o);
  const onRejection = (error: unknown): void => world.failed(error);
  process.on('unhandledRejection', onRejection);
  try {
    return await runWorld(world, o);
  } finally {
    process.off('unhandledRejection', onRejection);
  }
}

async function runWorld(world: World, o: RunOptions): Promise<RunReport> {
  const faults = chooseFaults(world.chance.fork('faults'));
  world.log(`seed ${String(o.seed)}: ${[...faults].join(', ')}`);
  const people = makePeople(world, faults);
  const mischief = unleash(world);
  const scene: Scene = {
    world,
    people,
    faults,
    incidents: new Map(),
    backups: new Map(),
    mischief,
    revive: () => undefined,
  };
  const codes = new Map<string, number>();
  const report = (): RunReport => ({
    seed: o.seed,
    faults,
    failures: world.failures,
    lines: world.lines(),
    traceHash: world.traceHash(),
    events: world.timeline.count(),
    virtualMs: world.timeline.now(),
    codes,
    crimes: mischief.committed,
    incidents: scene.incidents,
    writes: people.reduce((sum, person) => sum + person.writes().length, 0),
  });
  try {
    const live = await begin(scene);
    mischief.begin(live.people.map((person) => person.name));
    await work(live);
    await heal(live);
    const audits = await settle(live);
    if (audits !== null) await judge(live, audits);
    for (const person of people) await countStats(scene, person, codes);
  } catch (error) {
    world.failed(error);
  }
  return report();
}

function makePeople(world: World, faults: ReadonlySet<FaultName>): Person[] {
  const names = ['ada', 'bob', 'cleo', 'dan', 'eve'] as const;
  const given = [roles.owner, roles.editor, roles.editor, roles.guest, roles.viewer];
  return names.map((name, i) => {
    const chance = world.chance.fork(name);
    return createPerson(world, {
      name,
      chance,
      role: given[i] ?? roles.editor,
      skewMs: faults.has('skew') ? Math.floor(chance.between(-3_600_000, 3_600_000)) : 0,
      diskMs: faults.has('slow disk') ? chance.pick([3, 40]) : 0,
      isReference: world.seed % 50 === 49 && i === 1,
    });
  });
}

/** The founder makes the room and an invite for each; the others begin to join when they like. */
async function begin(scene: Scene): Promise<Scene> {
  const { world, people } = scene;
  const [founder, ...others] = people;
  if (founder === undefined) throw new TypeError('a world needs people');
  const chance = world.chance.fork('begin');
  const weather = weatherOf((name) => scene.faults.has(name), chance);
  const mild = {
    ...weather,
    maxLatencyMs: Math.min(weather.maxLatencyMs, 50),
    lossRate: Math.min(weather.lossRate, 0.02),
  };
  world.network.setFaults(chance.is(0.2) ? weather : mild);
  world.timeline.after(joinMs, () => world.network.setFaults(weather));
  const room = await world.settled(foundRoom(world, founder), 5_000);
  const codes = new Map<Person, string>();
  for (const person of others) {
    const made = await world.settled(invite(founder, { role: person.role, request: person.name }), 5_000);
    if (made.code === null) throw new Error('an invite without a code');
    codes.set(person, made.code);
  }
  const revive = (person: Person): void => {
    const code = codes.get(person);
    if (person.room !== null || code === undefined) return void powerOn(world, person);
    joinRoom(world, person, {
      room,
      code,
      joined: () => world.log(`${person.name} has joined`),
      refused: (why) => world.fail(`${person.name} was refused: ${why}`),
    });
  };
  const role = chance.pick([roles.editor, roles.editor, roles.guest, roles.viewer]);
  const { code } = await world.settled(invite(founder, { role, request: 'mallory' }), 5_000);
  scene.mischief.arrive(role, { room, code: code ?? '' });
  for (const person of others) world.timeline.after(chance.between(0, joinMs), () => revive(person));
  return { ...scene, revive };
}

async function work(scene: Scene): Promise<void> {
  const { world, people } = scene;
  const chance = world.chance.fork('work');
  for (let at = 0; at < workMs; at += chance.between(200, 1_500)) {
    const person = chance.pick(people);
    const burst = chance.is(0.2) ? chance.int(8) + 1 : 1;
    const writes = chance.fork(`write ${String(at)}`);
    world.timeline.after(at, () => {
      for (let i = 0; i < burst; i++) writeSomething(person, writes);
    });
  }
  for (const name of scene.faults) {
    const times = chance.int(3) + 1;
    for (let i = 0; i < times; i++) {
      const own = chance.fork(`${name} ${String(i)}`);
      world.timeline.after(chance.between(2_000, workMs - 5_000), () => cause(scene, name, own));
    }
  }
  await world.timeline.runUntil(world.timeline.now() + workMs);
}

async function countStats({ world, incidents }: Scene, person: Person, codes: Map<string, number>): Promise<void> {
  const page = person.page();
  if (page === null || !person.isUp) return;
  const stats = await world.settled(page.call('stats', {}), 5_000);
  for (const faults of Object.values(stats.faults))
    for (const [code, count] of Object.entries(faults)) codes.set(code, (codes.get(code) ?? 0) + count);
  const merged = Object.values(stats.counters).reduce((sum, { packsMerged = 0 }) => sum + packsMerged, 0);
  incidents.set('packs merged', (incidents.get('packs merged') ?? 0) + merged);
}
