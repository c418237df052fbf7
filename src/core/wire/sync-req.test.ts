import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareBytes, toHex } from '../base/index.js';
import { sha256 } from '../crypto/index.js';
import type { ClockEntry } from '../reconcile/index.js';
import { firstRound, isInWindow, nextRound } from '../reconcile/index.js';
import type { RequestDomain, SyncReq } from './index.js';
import {
  decodeBeacon,
  decodeSyncDone,
  decodeSyncReq,
  encodeBeacon,
  encodeSyncDone,
  encodeSyncReq,
  fitSyncReq,
  maxExcluded,
  maxHeld,
  maxRequestDomains,
  maxSignedMessageBytes,
} from './index.js';
import { bytes, otherDevice, syncReq } from './samples.kit.js';

function entriesOf(seed: number, count: number, entries = 1): ClockEntry[] {
  return Array.from({ length: count }, (_, i) => {
    const hash = sha256(Uint8Array.of(seed, i >> 8, i & 255));
    return { author: hash.slice(0, 16), count: entries, head: hash.slice(16, 24) };
  }).sort((a, b) => compareBytes(a.author, b.author));
}

function domainOf(seed: number, entries: readonly ClockEntry[]): RequestDomain {
  const window = { after: null, upTo: null };
  return { domainId: sha256(Uint8Array.of(seed)), root: bytes(32, 1), count: 2 ** 48 - 1, entries, window };
}

/** Everything but the clocks as large as it can be. */
const fullest: SyncReq = {
  ...syncReq,
  transfer: 0xffff_0000,
  exclude: Array.from({ length: maxExcluded }, (_, i) => bytes(32, i)),
  held: Array.from({ length: maxHeld }, (_, i) => ({
    domainId: otherDevice,
    author: bytes(32, i),
    seq: 2 ** 48 - 1,
    head: bytes(16, i),
  })),
  domains: Array.from({ length: maxRequestDomains }, (_, i) => domainOf(i, entriesOf(i, 400, 2 ** 48 - 1))),
};

test('[X6] the fullest request fits one frame, and every domain gets a turn in it', () => {
  const fitted = fitSyncReq(fullest);
  const message = encodeSyncReq(fitted);
  console.log(`[X6] fullest SYNC_REQ: ${String(message.length)} of ${String(maxSignedMessageBytes)} B`);
  expect(message.length).toBeLessThanOrEqual(maxSignedMessageBytes);
  for (const { entries, window } of fitted.domains) {
    expect(entries.length).toBeGreaterThan(0);
    expect(window).toEqual({ after: null, upTo: entries.at(-1)?.author });
  }
  const decoded = decodeSyncReq(message);
  expect(decoded.ok && encodeSyncReq(decoded.value)).toEqual(message);
});

test('[X6] small clocks stay whole beside a large one, and the frame is used', () => {
  const large = domainOf(1, entriesOf(1, 2000));
  const small = domainOf(2, entriesOf(2, 50));
  const fitted = fitSyncReq({ ...syncReq, domains: [large, small] });
  expect(fitted.domains[1]).toEqual(small);
  expect(fitted.domains[0]?.entries.length).toBeGreaterThan(280);
  expect(encodeSyncReq(fitted).length).toBeLessThanOrEqual(maxSignedMessageBytes);
  expect(fitSyncReq({ ...syncReq, domains: [small] }).domains).toEqual([small]);
});

test('[SYN-3] 500 authors in two domains are all fetched: each request goes on where the last one ended', () => {
  const clocks = [entriesOf(1, 500), entriesOf(2, 700), entriesOf(3, 20)];
  const held = clocks.map((clock) => clock.map((entry, i) => ({ ...entry, count: 1 + (i % 3 === 0 ? 0 : 1) })));
  const got = clocks.map(() => new Set<string>());
  let round = firstRound;
  let requests = 0;
  for (let isWhole = false; !isWhole; requests++) {
    const domains = held.map((entries, i) => {
      const domain = domainOf(i + 1, entries);
      return { ...domain, window: { after: round.after.get(toHex(domain.domainId)) ?? null, upTo: null } };
    });
    const { domains: asked } = fitSyncReq({ ...syncReq, domains });
    // The source holds two of everybody.
    for (const [i, { entries, window }] of asked.entries())
      for (const { author } of clocks[i] ?? [])
        if (isInWindow(author, window)) {
          const count = entries.find((entry) => toHex(entry.author) === toHex(author))?.count ?? 0;
          if (count < 2) got[i]?.add(toHex(author));
        }
    const windows = asked.map(({ domainId, window }) => ({ domain: toHex(domainId), window }));
    ({ round, isWhole } = nextRound(round, { windows, isLast: true }, 'ada'));
    expect(requests).toBeLessThan(12);
  }
  const lacking = held.map((clock) => clock.filter(({ count }) => count < 2).map(({ author }) => toHex(author)));
  expect(got.map((one) => [...one].sort())).toEqual(lacking.map((one) => one.sort()));
  console.log(`[SYN-3] 1,220 authors of three domains in ${String(requests)} requests`);
});

test('[SYN-3] a round that several have served says of none of them that it has nothing more', () => {
  const cut = [{ domain: 'd', window: { after: null, upTo: bytes(16, 1) } }];
  const rest = [{ domain: 'd', window: { after: bytes(16, 1), upTo: null } }];
  const first = nextRound(firstRound, { windows: cut, isLast: true }, 'ada');
  expect(first).toMatchObject({ isWhole: false, round: { by: 'ada' } });
  expect(nextRound(first.round, { windows: rest, isLast: true }, 'ada')).toEqual({ isWhole: true, round: firstRound });
  expect(nextRound(first.round, { windows: rest, isLast: true }, 'bob')).toEqual({ isWhole: false, round: firstRound });
});

test('[X6] going on where the last window ended reaches every author once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1500 }), fc.integer({ min: 1, max: 3 }), (authors, domains) => {
      const clocks = Array.from({ length: domains }, (_, i) => domainOf(i, entriesOf(i, i === 0 ? authors : 400)));
      const seen: string[] = [];
      let after: Uint8Array<ArrayBuffer> | null = null;
      for (let round = 0; ; round++) {
        const [first, ...rest] = clocks;
        if (first === undefined || round > 20) return expect.fail('the window does not move');
        const input: SyncReq = { ...syncReq, domains: [{ ...first, window: { after, upTo: null } }, ...rest] };
        const cut: RequestDomain | undefined = fitSyncReq(input).domains[0];
        for (const { author } of cut?.entries ?? []) seen.push(toHex(author));
        after = cut?.window.upTo ?? null;
        if (after === null) break;
      }
      expect(seen).toEqual(clocks[0]?.entries.map(({ author }) => toHex(author)));
    }),
    { numRuns: 25 },
  );
}, 30_000);

test('[X6] more than a frame holds is cut, never thrown at whoever met a room of many domains', () => {
  const domains = Array.from({ length: 200 }, (_, i) => domainOf(i, entriesOf(i, 1)));
  const held = Array.from({ length: 50 }, (_, i) => ({
    domainId: otherDevice,
    author: bytes(32, i),
    seq: i,
    head: bytes(16, i),
  }));
  const exclude = Array.from({ length: 20 }, (_, i) => bytes(32, i));
  const fitted = fitSyncReq({ ...syncReq, domains, held, exclude });
  expect(fitted.domains).toEqual(domains.slice(0, maxRequestDomains));
  expect(fitted.held).toEqual(held.slice(0, maxHeld));
  expect(fitted.exclude).toEqual(exclude.slice(0, maxExcluded));
  expect(encodeSyncReq(fitted).length).toBeLessThanOrEqual(maxSignedMessageBytes);
  const summaries = domains.map(({ domainId, root, count }) => ({ domainId, root, count }));
  const beacon = encodeBeacon({
    domains: [...summaries, { domainId: new Uint8Array(32), root: bytes(32, 1), count: 1 }],
    serve: true,
    hidden: false,
  });
  expect(beacon.length).toBeLessThanOrEqual(maxSignedMessageBytes);
  const heard = decodeBeacon(beacon);
  expect(heard.ok && heard.value.domains.length).toBe(180);
  expect(heard.ok && heard.value.domains[0]?.domainId).toEqual(new Uint8Array(32));
  const done = { reqId: syncReq.reqId, transfer: 0, packs: 0, entries: 0, complete: true, roots: summaries };
  const ended = decodeSyncDone(encodeSyncDone(done));
  expect(ended.ok && ended.value.roots).toHaveLength(maxRequestDomains);
});

test('[X6] a request that has no form throws at its maker, naming the field', () => {
  const one = domainOf(1, []);
  expect(() => encodeSyncReq({ ...syncReq, want: 0 })).toThrow(/want/);
  expect(() => encodeSyncReq({ ...syncReq, domains: [one, one] })).toThrow(/domains: expected every domain once/);
  expect(() => encodeSyncReq({ ...syncReq, exclude: Array.from({ length: 9 }, () => otherDevice) })).toThrow(/exclude/);
  const held = Array.from({ length: 33 }, () => ({
    domainId: otherDevice,
    author: otherDevice,
    seq: 0,
    head: bytes(16, 0),
  }));
  expect(() => encodeSyncReq({ ...syncReq, held })).toThrow(/held/);
  const tooMany = Array.from({ length: 65 }, (_, i) => domainOf(i, []));
  expect(() => encodeSyncReq({ ...syncReq, domains: tooMany })).toThrow(/domains.length: expected 0 to 64/);
});
