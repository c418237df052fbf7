import { expect, test } from 'vitest';
import { maxLiveBodyBytes } from '../../src/core/wire/index.js';
import { domainNamed, insertOf, payloadOf } from './content.kit.js';
import { act, foundCore } from './core.kit.js';
import { signData, tick } from './room/author.js';
import { unitColumns } from './room/units.js';

test('[X7] what is written at once goes out in units that fit a LIVE frame each: nobody waits for a beacon', async () => {
  const core = await foundCore();
  const main = domainNamed(core, 'main');
  for (const length of [1, 40, 900]) {
    const items = Array.from({ length: 700 }, (_, i) => ({
      payload: payloadOf(
        insertOf(core, 'cards', { text: String.fromCodePoint(0x61 + (i % 26), 0x1f600).repeat(length) }),
      ),
      hlc: tick(core),
    }));
    const units = await act(core, () => signData(core, { domainHex: main, items }));
    const sizes = units.map((unit) => unitColumns(unit).length);
    console.log(`[X7] 700 writes in ${String(units.length)} units of at most ${String(Math.max(...sizes))} bytes`);
    expect(units.reduce((sum, { entries }) => sum + entries.length, 0)).toBe(700);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(maxLiveBodyBytes);
  }
});
