/** What people do: they write cards, votes, chat and their own profile, as far as their role lets them. */
import { fromBase64Url, type Bytes } from '../../src/core/base/index.js';
import { createRecordId, profileRecordId } from '../../src/core/identity/index.js';
import type { Op } from '../../src/core/op/index.js';
import { deviceOf, type Page } from './page.kit.js';
import type { Person } from './person.kit.js';
import type { Chance } from './random.js';

/** Stands in every text an honest person writes: it must never be seen on a network or a disk in the clear. */
export const canary = 'canary-4711';
/** Stands in every text that must never have an effect. */
export const evil = 'evil-0666';

/** One transaction of this person, on the page it has open now. Answers whether there was anything to do. */
export function writeSomething(person: Person, chance: Chance): boolean {
  const page = person.page();
  const device = page && deviceOf(page.view);
  if (!person.isUp || page === null || device === null || page.view.info?.me === '') return false;
  const act = chance.pick(acts.filter(({ domain }) => mayWrite(person, domain)));
  const ops = act.ops({ page, device, chance, name: person.name });
  return ops.length > 0 && page.write(act.domain, ops) !== null;
}

function mayWrite({ role }: Person, domain: Act['domain']): boolean {
  return domain === 'meta' || role.write === null || role.write.includes(domain);
}

interface Scene {
  readonly page: Page;
  readonly device: Bytes;
  readonly chance: Chance;
  readonly name: string;
}

interface Act {
  readonly domain: 'main' | 'chat' | 'meta';
  readonly ops: (scene: Scene) => readonly Op[];
}

const acts: readonly Act[] = [
  { domain: 'main', ops: (s) => [insertCard(s)] },
  { domain: 'main', ops: (s) => [insertCard(s), ...vote(s)] },
  { domain: 'main', ops: vote },
  { domain: 'main', ops: vote },
  {
    domain: 'main',
    ops: (s) => onSome(s, 'cards', (id) => ({ kind: 'update', collection: 'cards', id, fields: { text: textOf(s) } })),
  },
  {
    domain: 'main',
    ops: (s) => (s.chance.is(0.3) ? onSome(s, 'cards', (id) => ({ kind: 'delete', collection: 'cards', id })) : []),
  },
  {
    domain: 'chat',
    ops: (s) => [{ kind: 'insert', collection: 'chat', id: newId(s), fields: { body: textOf(s) } }],
  },
  {
    domain: 'chat',
    ops: (s) => onOwn(s, 'chat', (id) => ({ kind: 'update', collection: 'chat', id, fields: { body: textOf(s) } })),
  },
  {
    domain: 'meta',
    ops: (s) => [
      {
        kind: 'update',
        collection: '$profiles',
        id: profileRecordId(s.device),
        fields: { name: `${s.name} ${canary} ${String(s.chance.int(100))}` },
      },
    ],
  },
];

function textOf({ chance, name }: Scene): string {
  return `${name} ${canary} ${String(chance.int(1_000_000))}${'.'.repeat(chance.is(0.05) ? 300 : 0)}`;
}

function newId({ chance, device }: Scene): Bytes {
  return createRecordId(chance.bytes(12), device);
}

function insertCard(s: Scene): Op {
  return { kind: 'insert', collection: 'cards', id: newId(s), fields: { text: textOf(s) } };
}

function vote(s: Scene): readonly Op[] {
  return onSome(s, 'cards', (id) => ({
    kind: 'increment',
    collection: 'cards',
    id,
    field: 'votes',
    by: 1 + s.chance.int(1000),
  }));
}

function onSome(s: Scene, collection: string, op: (id: Bytes) => Op): readonly Op[] {
  return onOne(s, [...(s.page.view.collections.get(collection)?.keys() ?? [])], op);
}

function onOwn(s: Scene, collection: string, op: (id: Bytes) => Op): readonly Op[] {
  const mine = [...(s.page.view.collections.get(collection)?.keys() ?? [])].filter((id) => {
    const bytes = fromBase64Url(id);
    return bytes !== null && Buffer.from(bytes.subarray(12)).equals(s.device.subarray(0, 16));
  });
  return onOne(s, mine, op);
}

function onOne(s: Scene, ids: readonly string[], op: (id: Bytes) => Op): readonly Op[] {
  if (ids.length === 0) return [];
  const id = fromBase64Url(s.chance.pick(ids.toSorted()));
  return id === null ? [] : [op(id)];
}
