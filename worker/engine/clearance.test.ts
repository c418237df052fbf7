import { expect, test } from 'vitest';
import { fromHex, type Bytes } from '../../src/core/base/index.js';
import type { ResumeHead } from '../../src/core/wire/index.js';
import { controlId, type Unit } from './replica/index.js';
import { domainNamed, forgeData, insertOf, payloadOf } from './content.kit.js';
import { createClearance } from './room/net/clearance.js';
import { writeControl } from './room/author.js';
import { StoreError } from '../../src/ports/index.js';
import { ingestUnit } from './room/ingest.js';
import { loadRoom } from './room/load.js';
import { act, forgeControl, foundCore, give, grantFor, memberCore, strangerCore } from './core.kit.js';

test('[F10] a cleared start that is shown a tail it lacks signs nothing until it has fetched it', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  const [adaId, bobId] = [ada.keys.deviceId, bob.keys.deviceId];
  const clearance = createClearance(bob, { start: 'again', changed: () => undefined });
  expect(clearance.isCleared()).toBe(false);
  expect(await clearance.answered(adaId, [])).toBe('clear');
  expect(clearance.isCleared()).toBe(true);

  bob.row = { ...bob.row, boots: [Buffer.from(bob.boot).toString('hex')] };
  const tail = await forgeControl(bob, { kind: 'fold' });
  const last = tail.entries[0];
  const head = { domainId: controlId, seq: 0, entryId: last?.id ?? bobId, sig: tail.endSig, boot: bob.boot };
  expect(await clearance.answered(adaId, [{ ...head, sig: new Uint8Array(64) }])).toBe('clear');
  expect(clearance.isCleared()).toBe(true);
  expect(await clearance.answered(adaId, [head])).toBe('behind');
  expect(clearance.isCleared()).toBe(false);
  expect(await clearance.answered(adaId, [])).toBe('clear');
  expect(clearance.isCleared()).toBe(false);

  await give(bob, [tail]);
  await act(bob, (step) => {
    clearance.ownEntries(step, [bob.boot]);
  });
  expect(clearance.isCleared()).toBe(true);
  clearance.stop();
});

test('[F10] of a tail that several tell of in parts all has to be here, whoever was the last to tell', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  const adaId = ada.keys.deviceId;
  bob.row = { ...bob.row, boots: [Buffer.from(bob.boot).toString('hex')] };
  const [tail, other] = [await forgeControl(bob, { kind: 'fold' }), domainNamed(bob, 'main')];
  const main = fromHex(other) ?? adaId;
  const inMain = await forgeData(bob, other, {
    entries: [{ payload: payloadOf(insertOf(bob, 'cards', { text: 'x' })), ms: 5 }],
  });
  const headOf = ({ entries, endSig }: Unit, domainId: Bytes): ResumeHead => {
    return { domainId, seq: 0, entryId: entries[0]?.id ?? adaId, sig: endSig, boot: bob.boot };
  };
  const clearance = createClearance(bob, { start: 'again', changed: () => undefined });
  expect(await clearance.answered(adaId, [headOf(inMain, main), headOf(tail, controlId)])).toBe('behind');
  expect(await clearance.answered(adaId, [headOf(tail, controlId)])).toBe('behind');
  await give(bob, [tail]);
  const look = (): Promise<unknown> =>
    act(bob, (step) => {
      clearance.ownEntries(step, [bob.boot]);
    });
  await look();
  expect(clearance.isCleared()).toBe(false);
  await give(bob, [inMain]);
  await look();
  expect(clearance.isCleared()).toBe(true);
  clearance.stop();
}, 60_000);

test('[F10] a lost tail is here once it is stored: what was in memory when a commit failed clears nothing', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  const adaId = ada.keys.deviceId;
  bob.row = { ...bob.row, boots: [Buffer.from(bob.boot).toString('hex')] };
  const tail = await forgeControl(bob, { kind: 'fold' });
  const entryId = tail.entries[0]?.id ?? adaId;
  const head = { domainId: controlId, seq: 0, entryId, sig: tail.endSig, boot: bob.boot };
  const told = createClearance(bob, { start: 'again', changed: () => undefined });
  const untold = createClearance(bob, { start: 'again', changed: () => undefined });
  expect(await told.answered(adaId, [head])).toBe('behind');
  const take = (end: () => void): Promise<unknown> =>
    act(bob, async (step) => {
      await ingestUnit(bob, step, { unit: tail, bytes: 500 });
      told.ownEntries(step, [bob.boot]);
      await untold.answered(adaId, [head]);
      end();
    });
  const fail = (): never => {
    throw new StoreError('full', 'no place');
  };
  await expect(take(fail)).rejects.toThrow('no place');
  await loadRoom(bob);
  expect([told.isCleared(), untold.isCleared()]).toEqual([false, false]);
  await take(() => undefined);
  expect([told.isCleared(), untold.isCleared()]).toEqual([true, true]);
  for (const clearance of [told, untold]) clearance.stop();
});

test('[F10] the commit of a grant is strict: who lost it would take itself to be alone, and sign its places again', async () => {
  const ada = await foundCore();
  const grant = await grantFor(ada, await strangerCore(ada));
  const commits: unknown[] = [];
  const { store } = ada.ports;
  const { commit } = store;
  Object.assign(store, {
    commit: (...[ops, o]: Parameters<typeof commit>) => {
      commits.push(o?.strict);
      return commit(ops, o);
    },
  });
  await act(ada, (step) => writeControl(ada, step, { kind: 'fold' }));
  await act(ada, (step) => writeControl(ada, step, grant));
  expect(commits).toEqual([false, true]);
});
