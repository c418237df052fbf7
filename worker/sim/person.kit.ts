/** A person of a simulated world: a device, the pages on it, and everything the person ever wrote. */
import { copyBytes, toHex, type Bytes } from '../../src/core/base/index.js';
import { decodeHello, frameType, frameTypes } from '../../src/core/wire/index.js';
import type { InviteInfo } from '../../src/bridge/index.js';
import type { MemoryNetwork } from '../../src/transport/index.js';
import type { MemoryDisk } from '../storage/index.js';
import { createDevice, type Device, type DeviceOptions, type DeviceWorld } from './device.kit.js';
import { createPage, simSchema, type Page, type PageWrite } from './page.kit.js';

export interface PersonWorld extends DeviceWorld {
  readonly network: MemoryNetwork;
}

/** How a role is given: the same words as an invite's. */
export interface SimRole {
  readonly name: 'owner' | 'editor' | 'viewer' | 'guest';
  readonly rank: number;
  readonly perms: number;
  readonly write: readonly string[] | null;
}

export const roles: Readonly<Record<SimRole['name'], SimRole>> = {
  owner: { name: 'owner', rank: 0, perms: 127, write: null },
  editor: { name: 'editor', rank: 20, perms: 7, write: null },
  viewer: { name: 'viewer', rank: 30, perms: 1, write: [] },
  guest: { name: 'guest', rank: 40, perms: 3, write: ['chat'] },
};

/** A disk that was copied, and when: what came later is not on it. */
export interface Backup {
  readonly disk: MemoryDisk;
  readonly atMs: number;
}

/** A backup was put back: when, what the backup had, and what the other honest disks held then. */
export interface Restored {
  readonly atMs: number;
  readonly backupMs: number;
  readonly others: readonly { readonly person: Person; readonly disk: MemoryDisk }[];
}

export interface Person {
  readonly name: string;
  readonly role: SimRole;
  readonly device: Device;
  /** Every page there ever was, newest last. */
  readonly pages: Page[];
  /** Set once the device is a member that has told its page so. */
  room: string | null;
  /** Whether its process runs. */
  isUp: boolean;
  readonly restored: Restored[];
  /** What came in answer to its resume probes. */
  readonly answers: { readonly atMs: number; readonly frame: Bytes; readonly from: string }[];
  /** Which of its sessions (hex) a HELLO has echoed: without one nothing from there can be opened (F15). */
  readonly echoes: { readonly atMs: number; readonly session: string; readonly from: string }[];
  readonly page: () => Page | null;
  readonly writes: () => readonly PageWrite[];
}

export function createPerson(world: PersonWorld, o: DeviceOptions & { readonly role: SimRole }): Person {
  const pages: Page[] = [];
  return {
    name: o.name,
    role: o.role,
    device: createDevice(world, o),
    pages,
    room: null,
    isUp: false,
    restored: [],
    answers: [],
    echoes: [],
    page: () => pages.at(-1) ?? null,
    writes: () => pages.flatMap((page) => page.writes),
  };
}

function openPage(world: PersonWorld, person: Person): Page {
  const page = createPage(`${person.name}-page-${String(person.pages.length)}`, {
    nowMs: world.timeline.now,
    after: (delayMs, run) => void world.timeline.after(delayMs, run),
    heard: (frame, from) => {
      if (frameType(frame) === frameTypes.resume)
        person.answers.push({ atMs: world.timeline.now(), frame: copyBytes(frame), from });
      const hello = frameType(frame) === frameTypes.hello ? decodeHello(frame) : null;
      if (hello?.ok === true)
        person.echoes.push({ atMs: world.timeline.now(), session: toHex(hello.value.hello.echo), from });
    },
    log: world.log,
  });
  person.pages.push(page);
  return page;
}

function lend(world: PersonWorld, person: Person, page: Page): void {
  if (person.room === null) return;
  const isFirst = page === person.pages[0];
  page.lend(
    person.room,
    world.network.transport(isFirst ? person.name : `${person.name}.${String(person.pages.indexOf(page))}`),
  );
}

/** The process starts: a new page, and an engine on the disk that is there. `then`: what the page does first. */
export function powerOn(world: PersonWorld, person: Person, then: (page: Page) => void = () => undefined): Page {
  const page = openPage(world, person);
  person.isUp = true;
  if (person.room !== null) {
    page.show(person.room);
    lend(world, person, page);
  }
  person.device.start((_life, engine) => {
    page.attach(engine);
    then(page);
  });
  return page;
}

/** The process dies: engines and pages at once, and of what the disk was asked for only the oldest `landed` commits happen. */
export function powerOff(world: PersonWorld, person: Person, landed: number): void {
  world.log(`${person.name} crashes, ${String(landed)} commits land`);
  person.isUp = false;
  for (const life of person.device.lives()) life.kill();
  person.device.disk().crash({ landed });
  for (const page of person.pages) page.close();
}

/** The engine alone dies; its pages go on with the next one. */
export function failOver(world: PersonWorld, person: Person): void {
  world.log(`${person.name}'s engine dies, its pages stay`);
  for (const life of person.device.lives()) life.kill();
  const live = person.pages.filter((page) => page === person.page());
  for (const page of live) page.detach();
  person.device.start((_life, engine) => {
    for (const page of live) page.attach(engine);
  });
}

/**
 * A second engine takes over the store while the first goes on, as after a leader that was frozen: the first finds out by
 * its next commit. Its page then moves to the new engine.
 */
export function takeOver(world: PersonWorld, person: Person): void {
  world.log(`${person.name} gets a second engine`);
  const [oldPage, oldLife] = [person.page(), person.device.lives().at(-1)];
  if (oldPage === null || oldLife === undefined) return;
  const page = openPage(world, person);
  if (person.room !== null) {
    page.show(person.room);
    lend(world, person, page);
  }
  person.device.start((_life, engine) => {
    page.attach(engine);
  });
  const look = (): void => {
    if (!person.isUp || !oldLife.isAlive()) return;
    const newer = person.device.lives().at(-1)?.engine() ?? null;
    if (!oldLife.isFenced() || newer === null) return void world.timeline.after(50, look);
    oldLife.kill();
    oldPage.attach(newer);
  };
  look();
}

/** A person's first room. */
export async function foundRoom(world: PersonWorld, person: Person): Promise<string> {
  const page = powerOn(world, person);
  const declaration = simSchema;
  const profile = { name: person.name, color: null };
  const { room } = await page.call('create', {
    request: 'aa'.repeat(16),
    key: null,
    title: 'Plans',
    declaration,
    profile,
  });
  person.room = room;
  page.show(room);
  lend(world, person, page);
  return room;
}

/** An invite made by this person's page. */
export function invite(person: Person, o: { role: SimRole; request: string }): Promise<InviteInfo> {
  const page = person.page();
  if (page === null || person.room === null) throw new TypeError('invite: expected a person in the room');
  const { rank, perms, write } = o.role;
  return page.call('createInvite', {
    room: person.room,
    request: o.request,
    role: { rank, perms, write },
    // One each: a hostile member must not be the one who lets honest people in, what it does to itself would fall on them.
    maxUses: 1,
    expiresInMs: 7 * 86_400_000,
  });
}

/** Starts this person's device and joins; asked again by each new page of the device until it is in. */
export function joinRoom(
  world: PersonWorld,
  person: Person,
  o: {
    readonly room: string;
    readonly code: string;
    readonly joined: () => void;
    readonly refused: (code: string) => void;
  },
): void {
  const page = powerOn(world, person);
  page.lend(
    o.room,
    world.network.transport(
      person.pages.length === 1 ? person.name : `${person.name}.${String(person.pages.length - 1)}`,
    ),
  );
  const profile = { name: person.name, color: null };
  const ask = (join: string): void => {
    page.call('join', { join, link: o.code, declaration: simSchema, profile }).then(
      () => {
        person.room = o.room;
        page.show(o.room);
        o.joined();
      },
      (error: unknown) => {
        const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
        // A disk that is full for a moment says nothing of the invite.
        if (code === 'storage/full' || code === 'storage/broken')
          world.timeline.after(1_000, () => {
            if (page === person.page()) ask(`${join}+`);
          });
        else o.refused(code);
      },
    );
  };
  ask(`join-${page.id}`);
}
