/** Drafts as tests look at them: all of them, wherever they lie, and as older versions wrote them. */
import { createWriter, fromHex, toHex, type Bytes } from '../../src/core/base/index.js';
import { encodeValue } from '../../src/core/codec/index.js';
import { sha256 } from '../../src/core/crypto/index.js';
import type { Hlc } from '../../src/core/clock/index.js';
import type { StoreOp } from '../../src/ports/index.js';
import { act, unitsOf } from './core.kit.js';
import { domainsInOrder } from './replica/index.js';
import type { RoomCore } from './room/core.js';
import { openDrafts } from './room/drafts/row.js';
import { hasReadyDrafts, signDrafts } from './room/drafts/sign.js';
import type { Draft } from './room/drafts/types.js';

/** All drafts of a room, domain by domain, in order. */
export async function allDrafts(
  core: RoomCore,
): Promise<(Draft & { readonly domainHex: string; readonly n: number })[]> {
  const all = [];
  for (const [domainHex, { rows }] of [...core.drafts].sort(([a], [b]) => (a < b ? -1 : 1)))
    for (const row of rows) {
      const drafts = await openDrafts(core, row);
      if (drafts?.length !== row.count) throw new TypeError(`a row of drafts that does not open: ${row.key.join('/')}`);
      for (const [i, draft] of drafts.entries()) all.push({ ...draft, domainHex, n: row.n + i });
    }
  return all;
}

/** The row of a draft by itself: the older form. */
export function oldDraftRow(
  core: RoomCore,
  d: { readonly n: number; readonly domainHex: string; readonly hlc: Hlc; readonly payload: Bytes },
): StoreOp {
  const hlc = createWriter(8).u48(d.hlc.ms).u16(d.hlc.ctr).done();
  const bytes = encodeValue([fromHex(d.domainHex), hlc, 'tab', d.n, d.payload]);
  return { do: 'put', table: 'drafts', key: [core.room, d.n], value: core.ports.vault.sealAtRest('draft', bytes) };
}

/** What this device has written, by domain, in order: its entries, and then its drafts. */
export async function historyOf(core: RoomCore): Promise<string[]> {
  const lines: string[] = [];
  for (const domainHex of domainsInOrder(core.state).slice(1)) {
    const units = (await unitsOf(core)).filter(
      (unit) => toHex(unit.domainId) === domainHex && toHex(unit.author) === core.device,
    );
    const entries = units.flatMap((unit) => unit.entries.map(({ payload }) => payload ?? new Uint8Array(0)));
    const drafts = (await allDrafts(core)).filter((draft) => draft.domainHex === domainHex);
    for (const payload of [...entries, ...drafts.map((draft) => draft.payload)])
      lines.push(`${domainHex} ${toHex(sha256(payload))}`);
  }
  return lines;
}

/** Slice by slice until nothing more can be signed; how many units each was. */
export async function signAll(core: RoomCore): Promise<number[]> {
  const slices: number[] = [];
  while (hasReadyDrafts(core)) slices.push((await act(core, (step) => signDrafts(core, step))).units.length);
  return slices;
}
