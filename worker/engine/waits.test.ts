import { expect, test, vi } from 'vitest';
import { domainNamed, forgeData, insertOf, payloadOf, textsOf } from './content.kit.js';
import { copyAll, foundCore, give, memberCore } from './core.kit.js';
import { loadRoom } from './room/load.js';
import type { Bytes } from '../../src/core/base/index.js';
import type { Unit } from './replica/index.js';

const looks = vi.hoisted(() => ({ count: 0 }));

vi.mock(import('./replica/admit.js'), async (original) => {
  const real = await original();
  return {
    ...real,
    admitUnit: (...args) => {
      looks.count++;
      return real.admitUnit(...args);
    },
  };
});

test('[ADM-3] what waits is looked at again when what it waits for has come, not whenever something has', async () => {
  const ada = await foundCore();
  const [bob, eve] = [await memberCore(ada), await memberCore(ada)];
  await copyAll(ada, bob);
  const main = domainNamed(ada, 'main');
  const talk: Unit[] = [];
  let deps: Bytes[] = [];
  for (let n = 0; n < 200; n++) {
    const author = n % 2 === 0 ? bob : eve;
    const payload = payloadOf(insertOf(author, 'cards', { text: String(n) }));
    const unit = await forgeData(author, main, { entries: [{ payload, ms: Date.now() - 10_000 + n, deps }] });
    for (const core of [bob, eve]) await give(core, [unit]);
    deps = unit.entries.map(({ id }) => id);
    talk.push(unit);
  }
  looks.count = 0;
  await give(ada, [...talk].reverse());
  expect([textsOf(ada, 'cards').length, ada.held]).toEqual([200, []]);
  expect(looks.count).toBeLessThan(4 * talk.length);
  looks.count = 0;
  await loadRoom(ada);
  expect([textsOf(ada, 'cards').length, ada.held]).toEqual([200, []]);
  expect(looks.count).toBeLessThan(4 * talk.length);
}, 60_000);
