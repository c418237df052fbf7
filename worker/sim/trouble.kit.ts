/** What happens to people and their devices while they work: each fault a seed has, at a moment of chance. */
import type { FaultName } from './plan.js';
import { failOver, powerOff, takeOver, type Person } from './person.kit.js';
import type { Chance } from './random.js';
import type { Scene } from './scene.kit.js';
import { writeSomething } from './workload.kit.js';

function note(scene: Scene, incident: string): void {
  scene.incidents.set(incident, (scene.incidents.get(incident) ?? 0) + 1);
}

/** Something goes wrong now. What is only a property of the network or of devices was set at the beginning. */
export function cause(scene: Scene, name: FaultName, chance: Chance): void {
  const { world, people } = scene;
  const up = people.filter((person) => person.isUp);
  const person = up.length === 0 ? undefined : chance.pick(up);
  if (person === undefined) return;
  const life = person.device.lives().at(-1);
  switch (name) {
    case 'partition': {
      const sides = chance.int(2) === 0 ? 2 : 3;
      const groups: string[][] = Array.from({ length: sides }, () => []);
      for (const one of people) chance.pick(groups).push(...addressesOf(one));
      world.log(`partition ${groups.map((group) => group.filter((a) => !a.includes('.')).join('+')).join(' | ')}`);
      world.network.partition(groups);
      note(scene, name);
      return void world.timeline.after(chance.between(1_000, 8_000), () => world.network.partition([]));
    }
    case 'offline':
      note(scene, name);
      world.log(`${person.name} goes offline`);
      for (const address of addressesOf(person)) world.network.setState(address, 'down');
      return void world.timeline.after(chance.between(500, 8_000), () => {
        for (const address of addressesOf(person)) world.network.setState(address, 'up');
      });
    case 'crash':
      return life?.killAtCall(chance.int(200) + 1, () => crash(scene, person, chance));
    case 'fail-over': {
      if (person.room === null) return;
      const next = (): void => {
        note(scene, name);
        failOver(world, person);
      };
      if (chance.is(0.5)) return life?.killAtCall(chance.int(100) + 1, next);
      // Most often what it does not hear of is then the commit of this write, which its page will send again.
      life?.killAfterCommit(next);
      return void writeSomething(person, chance);
    }
    case 'two engines':
      if (person.room === null) return;
      note(scene, name);
      return takeOver(world, person);
    case 'full disk':
      note(scene, name);
      return person.device.disk().failNext(chance.pick(['full', 'broken']), chance.int(2) + 1);
    case 'backup':
      return chance.is(0.5) || scene.backups.size === 0 ? backUp(scene, person) : restore(scene, chance);
    default:
      return;
  }
}

/** The addresses a person's pages may have. */
export function addressesOf(person: Person): string[] {
  return [person.name, ...Array.from({ length: 40 }, (_, i) => `${person.name}.${String(i + 1)}`)];
}

function crash(scene: Scene, person: Person, chance: Chance): void {
  const { world } = scene;
  if (!person.isUp) return;
  note(scene, 'crash');
  for (const address of addressesOf(person)) world.network.crash(address);
  powerOff(world, person, chance.int(3));
  world.timeline.after(chance.between(0, 5_000), () => {
    for (const address of addressesOf(person)) world.network.bury(address);
  });
  world.timeline.after(chance.between(100, 6_000), () => {
    if (!person.isUp) scene.revive(person);
  });
}

function backUp(scene: Scene, person: Person): void {
  if (person.room === null || scene.backups.has(person) || person.restored.length > 0) return;
  scene.world.log(`${person.name}'s disk is copied`);
  scene.backups.set(person, {
    disk: person.device.disk().copy({ pace: person.device.pace }),
    atMs: scene.world.timeline.now(),
  });
}

function restore(scene: Scene, chance: Chance): void {
  const [first] = scene.backups;
  if (first === undefined) return;
  const [person, backup] = first;
  scene.backups.delete(person);
  note(scene, 'backup');
  crash(scene, person, chance);
  scene.world.log(`${person.name}'s disk is put back as of ${(backup.atMs / 1000).toFixed(3)}`);
  const others = scene.people
    .filter((other) => other !== person)
    .map((other) => ({ person: other, disk: other.device.disk().copy() }));
  person.restored.push({ atMs: scene.world.timeline.now(), backupMs: backup.atMs, others });
  person.device.useDisk(backup.disk);
}
