import { expect, test } from 'vitest';
import { toHex, type Bytes } from '../../src/core/base/index.js';
import { createRecordId } from '../../src/core/identity/index.js';
import { encodePayload, type Op } from '../../src/core/op/index.js';
import { encodeDeclaration, metaPrefix, schemaPrefix } from '../../src/core/schema/index.js';
import { act, copyAll, forgeControl, foundCore, give, memberCore, strangerCore, unitsOf } from './core.kit.js';
import type { Unit } from './replica/index.js';
import { testDeclaration } from './rig.kit.js';
import { signData, tick, writeControl } from './room/author.js';
import type { RoomCore } from './room/core.js';
import { loadRoom } from './room/load.js';

const admin = { rank: 10, perms: 127 };
const prefix = schemaPrefix(encodeDeclaration(testDeclaration));

function newDomain(core: RoomCore): Promise<Unit> {
  const domain = {
    kind: 'domain',
    scope: new Uint8Array(32),
    isMeta: false,
    nonce: core.ports.random.bytes(16),
  } as const;
  return act(core, (step) => writeControl(core, step, domain));
}

const idOf = (unit: Unit): string => toHex(unit.entries[0]?.id ?? new Uint8Array());

/** One transaction of this device, whatever comes of it. */
function write(core: RoomCore, domain: string, op: Op, hlc = tick(core)): Promise<Unit[]> {
  const isMeta = core.state.access.domains.get(domain)?.isMeta === true;
  return signData(core, {
    domainHex: domain,
    items: [{ hlc, payload: encodePayload({ schema: isMeta ? metaPrefix() : prefix, ops: [op] }) }],
  });
}

const newId = (core: RoomCore): Bytes => createRecordId(core.ports.random.bytes(12), core.keys.deviceId);
const cardOf = (core: RoomCore, text: string, id = newId(core)): Op => ({
  kind: 'insert',
  collection: 'cards',
  id,
  fields: { text },
});

function nameIt(core: RoomCore, domain: string, name: string): Promise<Unit[]> {
  const meta = [...core.state.access.domains].find(([, { isMeta }]) => isMeta)?.[0] ?? '';
  return write(core, meta, { kind: 'insert', collection: '$domains', id: newId(core), fields: { name, domain } });
}

const cardsOf = (core: RoomCore): unknown[] =>
  [...core.state.records.entries('cards')].map(([, { fields }]) => fields['text']);

const domainNamed = (core: RoomCore, name: string): string =>
  [...core.state.domainNames].find(([, other]) => other === name)?.[0] ?? '';

test('[AUTH-7] what others wrote in a domain stays when its author’s chain falls', async () => {
  const ada = await foundCore();
  const mal = await memberCore(ada, admin);
  const sibling = await forgeControl(mal, { kind: 'fold' });
  const made = await newDomain(mal);
  const named = await nameIt(mal, idOf(made), 'main');
  await give(ada, [made, ...named]);
  await give(ada, await write(ada, idOf(made), cardOf(ada, 'kept')));
  expect(cardsOf(ada)).toEqual(['kept']);
  const [taken] = await give(ada, [sibling]);
  expect(taken).toMatchObject({ outcome: 'branch', mustReload: true });
  await loadRoom(ada);
  expect(ada.state.forks.size).toBe(1);
  expect(cardsOf(ada)).toEqual(['kept']);
});

test('[X3] whoever manages schemas renames no domain of another, and its own only once', async () => {
  const ada = await foundCore();
  const mal = await memberCore(ada, { rank: 50, perms: 67 });
  const main = domainNamed(ada, 'main');
  await give(ada, await write(ada, main, cardOf(ada, 'precious')));
  await give(ada, await nameIt(mal, main, '!'));
  expect([...ada.state.voids.values()]).toEqual(['entry/owner']);
  const again = await nameIt(ada, main, '!');
  await give(ada, again);
  await loadRoom(ada);
  expect(ada.state.domainNames.get(main)).toBe('main');
  expect(cardsOf(ada)).toEqual(['precious']);
});

test('[X3] a name that comes before its domain waits for it', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  const made = await newDomain(ada);
  const named = await nameIt(ada, idOf(made), 'more');
  await give(ada, named);
  const [taken] = await give(bob, named);
  expect(taken).toMatchObject({ outcome: 'held', fault: { code: 'entry/missing-dep' } });
  await give(bob, [made]);
  expect(bob.state.domainNames.get(idOf(made))).toBe('more');
});

test('[F21] one stamp in two domains of one name: the same at all, in whatever order', async () => {
  const ada = await foundCore();
  const [mal, bob] = [await memberCore(ada), await memberCore(ada)];
  const main = domainNamed(ada, 'main');
  const made = await newDomain(ada);
  const named = await nameIt(ada, idOf(made), 'main');
  await give(ada, named);
  for (const core of [mal, bob]) await copyAll(ada, core);
  const [id, hlc] = [newId(mal), tick(mal)];
  const one = await write(mal, main, cardOf(mal, 'one', id), hlc);
  const two = await write(mal, idOf(made), cardOf(mal, 'two', id), hlc);
  await give(ada, [...one, ...two]);
  await give(bob, [...two, ...one]);
  expect([cardsOf(ada), cardsOf(bob)]).toEqual([['two'], ['two']]);
});

test('[AUTH-1] nothing of the founder stands at the place of genesis, whatever its id and whenever it comes', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  let sibling: Unit;
  do sibling = await forgeControl(ada, { kind: 'fold' }, { isFirst: true });
  while (idOf(sibling) > ada.room);
  const [taken] = await give(bob, [sibling]);
  expect(taken).toMatchObject({ outcome: 'rejected', fault: { code: 'entry/wrong-room' }, mustReload: false });
  await loadRoom(bob);
  expect(bob.state.access.devices.size).toBe(2);
  const late = await strangerCore(ada);
  expect((await give(late, [sibling]))[0]).toMatchObject({ outcome: 'held' });
  await give(late, await unitsOf(ada));
  expect([late.state.access.devices.size, late.state.forks.size, late.held.length]).toEqual([2, 0, 0]);
});
