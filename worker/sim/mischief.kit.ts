/** The hostile of a seed: a member who joins like anybody and then changes clients, and somebody who runs the network. */
import { toHex } from '../../src/core/base/index.js';
import { createOutsider } from './outsider.kit.js';
import { crimes, habits, type CrimeScene } from './crimes.kit.js';
import { startPatched, type Patched } from './patched.kit.js';
import { createPerson, joinRoom, type Person, type SimRole } from './person.kit.js';
import type { World } from './world.kit.js';

export interface Mischief {
  /** What was done, by name. */
  readonly committed: ReadonlyMap<string, number>;
  /** Entries (hex) that no honest device may give an effect. */
  readonly forbidden: ReadonlySet<string>;
  readonly mallory: () => Person | null;
  /** The hostile member joins. */
  readonly arrive: (role: SimRole, way: { readonly room: string; readonly code: string }) => void;
  readonly begin: (addresses: readonly string[]) => void;
  /** Everything is healed: nobody does anything more; in some worlds the patched client stays as it is. */
  readonly end: () => void;
}

/** When the hostile member changes clients, at the earliest. */
const patchMs = 6_500;

export function unleash(world: World): Mischief {
  const chance = world.chance.fork('mischief');
  const committed = new Map<string, number>();
  const forbidden = new Set<string>();
  const note = (name: string): void => void committed.set(name, (committed.get(name) ?? 0) + 1);
  let mallory: Person | null = null;
  let patched: Patched | null = null;
  let isOver = false;

  const change = async (person: Person, room: string): Promise<void> => {
    for (const life of person.device.lives()) life.kill();
    for (const page of person.pages) page.close();
    const ports = { ...(await person.device.borrow()), report: () => undefined };
    patched = await startPatched(world, { name: 'mallory', room, ports });
    const [name, habit] = chance.pick(Object.entries(habits));
    habit(patched, chance.fork('habit'));
    note(`habit: ${name}`);
    world.log(`mallory has a patched client now: ${name}`);
    plot(patched, person);
  };
  const plot = (client: Patched, person: Person): void => {
    world.timeline.after(chance.between(100, 2_000), () => {
      if (isOver) return;
      plot(client, person);
      if (client.peers().length > 0) commit(client, person).catch(world.failed);
    });
  };
  const commit = async (client: Patched, person: Person): Promise<void> => {
    const [name, crime] = chance.pick(Object.entries(crimes));
    const scene: CrimeScene = {
      patched: client,
      chance: chance.fork(`crime ${String(committed.size)} ${String(world.timeline.now())}`),
      mayDraw: person.role.write === null,
      forbid: (unit) => {
        for (const entry of unit.entries) forbidden.add(toHex(entry.id));
      },
      log: (text) => world.log(`mallory ${text}`),
    };
    note(name);
    world.log(`mallory: ${name}`);
    await crime(scene);
  };

  return {
    committed,
    forbidden,
    mallory: () => mallory,
    arrive: (role, { room, code }) => {
      const own = chance.fork('mallory');
      const skewMs = own.pick([0, 0, 3_600_000, -3_600_000, 365 * 86_400_000]);
      const person = createPerson(world, { name: 'mallory', chance: own, role, skewMs, diskMs: 0, isReference: false });
      mallory = person;
      const watch = (): void => {
        if (isOver) return;
        if (person.room === null || world.timeline.now() < patchMs) world.timeline.after(1_000, watch);
        else change(person, room).catch(world.failed);
      };
      world.timeline.after(own.between(0, 4_000), () => {
        joinRoom(world, person, {
          room,
          code,
          joined: watch,
          refused: (why) => world.log(`mallory was refused: ${why}`),
        });
      });
    },
    begin: (addresses) => {
      const outsider = createOutsider({ network: world.network, chance: chance.fork('outsider'), addresses });
      const pest = (): void => {
        if (isOver) return;
        for (let i = 0; i <= chance.int(3); i++) outsider.act();
        committed.set('outsider', outsider.acts());
        world.timeline.after(chance.between(50, 1_000), pest);
      };
      world.timeline.after(chance.between(0, 5_000), pest);
    },
    end: () => {
      isOver = true;
      if (patched === null) return;
      const stays = chance.is(0.5);
      world.log(stays ? 'mallory stays as she is' : 'mallory leaves');
      if (!stays) patched.stop();
    },
  };
}
