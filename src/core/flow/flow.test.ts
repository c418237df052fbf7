import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Bytes } from '../base/index.js';
import type { Fragment, Reassembly } from './index.js';
import {
  createLanes,
  createReassembly,
  createSendWindow,
  fragmentBytes,
  isTransferBase,
  maxFragments,
  maxOpenTransfers,
  maxRetryDelayMs,
  maxTransferBytes,
  retryDelayMs,
  sendWindowBytes,
  splitIntoFragments,
  transferOf,
} from './index.js';

const base = 0x0003_0000;

function packOf(length: number, first = 0): Bytes {
  return Uint8Array.from({ length }, (_, i) => first + i + (i >> 8));
}

function granted(): Reassembly {
  const reassembly = createReassembly();
  reassembly.grant(base);
  return reassembly;
}

function codeOf(reassembly: Reassembly, fragment: Fragment): string | null {
  const result = reassembly.add(fragment);
  return result.ok ? null : result.fault.code;
}

test('[X7] packs of any size come whole out of fragments in any order, with any doubled', () => {
  const lengths = fc.constantFrom(1, 2, fragmentBytes - 1, fragmentBytes, fragmentBytes + 1, 60_000, maxTransferBytes);
  fc.assert(
    fc.property(lengths, fc.array(fc.nat(), { maxLength: 40 }), (length, order) => {
      const pack = packOf(length);
      const fragments = splitIntoFragments(pack, transferOf(base, 7));
      const doubled = order.map((n) => fragments[n % fragments.length]).filter((one) => one !== undefined);
      const reassembly = granted();
      const packs: Bytes[] = [];
      for (const fragment of [...doubled, ...fragments, ...doubled]) {
        const step = reassembly.add(fragment);
        if (!step.ok) return expect.fail(step.fault.detail);
        expect(step.value).toMatchObject({ transfer: base + 7, base });
        if (step.value.pack !== null) packs.push(step.value.pack);
      }
      expect(packs).toHaveLength(1);
      expect(Buffer.compare(packs[0] ?? pack.subarray(0, 0), pack)).toBe(0);
      expect(reassembly.openCount()).toBe(0);
    }),
    { numRuns: 40 },
  );
}, 30_000);

test('[X7] a fragment counts only for a transfer that was granted, and no longer when it ended', () => {
  const [first, second] = splitIntoFragments(packOf(20_000), transferOf(base, 0));
  if (first === undefined || second === undefined) return expect.fail('two fragments');
  const reassembly = createReassembly();
  expect(codeOf(reassembly, first)).toBe('frame/unrequested');
  expect(reassembly.isLate(first.transfer)).toBe(false);
  reassembly.grant(base);
  expect(codeOf(reassembly, { ...first, transfer: base + 0x1_0000 })).toBe('frame/unrequested');
  expect(codeOf(reassembly, { ...first, transfer: base - 1 })).toBe('frame/unrequested');
  expect(codeOf(reassembly, first)).toBe(null);
  reassembly.end(base);
  expect(reassembly.openCount()).toBe(0);
  expect(codeOf(reassembly, second)).toBe('frame/unrequested');
  expect(reassembly.isLate(second.transfer)).toBe(true);
  for (let n = 1; n <= 16; n++) {
    reassembly.grant(base + n * 0x1_0000);
    reassembly.end(base + n * 0x1_0000);
  }
  expect(reassembly.isLate(second.transfer)).toBe(false);
  reassembly.grant(base);
  expect(reassembly.add(second)).toMatchObject({ ok: true, value: { pack: null } });
});

test('[X7] fragments that contradict themselves or each other', () => {
  const [first, second] = splitIntoFragments(packOf(20_000), transferOf(base, 0));
  if (first === undefined || second === undefined) return expect.fail('two fragments');
  const bad: readonly Partial<Fragment>[] = [
    { index: 2 },
    { total: 0, index: 0 },
    { total: maxFragments + 1 },
    { bytes: first.bytes.slice(1) },
    { bytes: packOf(fragmentBytes + 1) },
    { index: 1, bytes: packOf(0) },
    { index: 1, bytes: packOf(fragmentBytes + 1) },
    // Sixteen full fragments would be above 224 KiB.
    { total: maxFragments, index: maxFragments - 1, bytes: packOf(fragmentBytes) },
  ];
  for (const change of bad)
    expect(codeOf(granted(), { ...first, ...change }), JSON.stringify(change)).toBe('frame/malformed');
  const reassembly = granted();
  expect(codeOf(reassembly, first)).toBe(null);
  expect(codeOf(reassembly, { ...second, total: 3, bytes: packOf(fragmentBytes) })).toBe('frame/malformed');
  expect(codeOf(reassembly, { ...first, bytes: packOf(fragmentBytes, 1) })).toBe('frame/malformed');
  expect(reassembly.add(second)).toMatchObject({ ok: true, value: { pack: packOf(20_000) } });
  expect(codeOf(reassembly, { ...first, bytes: packOf(fragmentBytes, 1) })).toBe(null);
});

test('[X7] a copy of what is here brings nothing, whether its pack is finished or not', () => {
  const reassembly = granted();
  const fragments = splitIntoFragments(packOf(20_000), transferOf(base, 0));
  const news = [...fragments.slice(0, 1), ...fragments.slice(0, 1), ...fragments].map((fragment) => {
    const added = reassembly.add(fragment);
    return added.ok && added.value.isNew;
  });
  expect(news).toEqual([true, false, false, true]);
  expect(reassembly.add(fragments[fragments.length - 1] as Fragment)).toMatchObject({
    ok: true,
    value: { isNew: false, pack: null },
  });
});

test('[X7] four unfinished packs at a time; finishing one makes room, a pack of one fragment needs none', () => {
  const reassembly = granted();
  const packs = Array.from({ length: 6 }, (_, i) => splitIntoFragments(packOf(20_000), transferOf(base, i)));
  const at = (pack: number, index: number): Fragment => {
    const fragment = packs[pack]?.[index];
    if (fragment === undefined) throw new TypeError('no fragment');
    return fragment;
  };
  for (let i = 0; i < maxOpenTransfers; i++) expect(codeOf(reassembly, at(i, 0))).toBe(null);
  expect(codeOf(reassembly, at(4, 0))).toBe('frame/oversized');
  const [single] = splitIntoFragments(packOf(10), transferOf(base, 9));
  expect(single !== undefined && codeOf(reassembly, single)).toBe(null);
  expect(codeOf(reassembly, at(2, 1))).toBe(null);
  expect(codeOf(reassembly, at(4, 0))).toBe(null);
  expect(reassembly.openCount()).toBe(maxOpenTransfers);
});

test('[X7] what cannot be cut or numbered throws at its maker', () => {
  expect(() => splitIntoFragments(packOf(0), 0)).toThrow(/pack.length: expected 1 to/);
  expect(() => splitIntoFragments(new Uint8Array(maxTransferBytes + 1), 0)).toThrow(/pack/);
  expect(() => transferOf(5, 0)).toThrow(/base/);
  expect(() => transferOf(base, 65_536)).toThrow(/packIndex/);
  expect(() => createReassembly().grant(1)).toThrow(/base/);
  expect([0, 0x1_0000, 0xffff_0000].map(isTransferBase)).toEqual([true, true, true]);
  expect([-65_536, 1, 2 ** 32, 0.5, Number.NaN].map(isTransferBase)).toEqual([false, false, false, false, false]);
});

const kib = 1024;
const domain = 'd0';
const author = 'a0';

test('[X7] the window holds what is under way, and frees it once', () => {
  const window = createSendWindow();
  const send = (transfer: number, kibs: number, lastSeq: number): void => {
    expect(window.canSend(kibs * kib)).toBe(true);
    window.sent({ transfer, bytes: kibs * kib, domain, author, lastSeq });
  };
  send(1, 192, 10);
  expect(window.canSend(65 * kib)).toBe(false);
  send(2, 64, 20);
  expect(window.inFlightBytes()).toBe(sendWindowBytes);
  window.received(1);
  window.received(1);
  expect(window.inFlightBytes()).toBe(64 * kib);
  window.acked({ domain, author, seq: 19 });
  window.acked({ domain: 'd1', author, seq: 99 });
  window.acked({ domain, author: 'a1', seq: 99 });
  expect(window.inFlightBytes()).toBe(64 * kib);
  window.acked({ domain, author, seq: 20 });
  expect(window.inFlightBytes()).toBe(0);
});

test('[X7] nothing is too large for an empty window, and a new session empties it', () => {
  const window = createSendWindow(100);
  expect(window.canSend(1000)).toBe(true);
  window.sent({ transfer: 1, bytes: 1000, domain, author, lastSeq: 1 });
  expect(window.canSend(1)).toBe(false);
  window.sent({ transfer: 1, bytes: 1000, domain, author, lastSeq: 1 });
  expect(window.inFlightBytes()).toBe(1000);
  window.reset();
  expect(window.inFlightBytes()).toBe(0);
  expect(window.canSend(1000)).toBe(true);
});

test('[X7] lanes: urgent first, in order within a lane, against a plain model', () => {
  const lane = fc.constantFrom('ctl' as const, 'live' as const, 'bulk' as const);
  const commands = fc.array(fc.oneof(lane, fc.constant('next' as const)), { maxLength: 400 });
  fc.assert(
    fc.property(commands, (steps) => {
      const lanes = createLanes<number>();
      const model = { ctl: [] as number[], live: [] as number[], bulk: [] as number[] };
      for (const [i, step] of steps.entries()) {
        if (step === 'next') {
          expect(lanes.next()).toBe(model.ctl.shift() ?? model.live.shift() ?? model.bulk.shift() ?? null);
        } else {
          lanes.push(step, i);
          model[step].push(i);
        }
        expect(lanes.size()).toBe(model.ctl.length + model.live.length + model.bulk.length);
        expect(lanes.size('live')).toBe(model.live.length);
      }
    }),
    { numRuns: 100 },
  );
});

test('[X7] lanes: long queues keep their order, and what is obsolete can be dropped', () => {
  const lanes = createLanes<number>();
  for (let i = 0; i < 5000; i++) lanes.push('bulk', i);
  for (let i = 0; i < 2500; i++) expect(lanes.next()).toBe(i);
  lanes.drop((item) => item % 2 === 0);
  expect(lanes.size('bulk')).toBe(1250);
  for (let i = 2501; i < 5000; i += 2) expect(lanes.next()).toBe(i);
  expect(lanes.next()).toBe(null);
});

test('[X7] retry: doubled, at most 64 s, moved by at most a quarter', () => {
  expect([0, 1, 2, 5, 6, 7, 60].map((n) => retryDelayMs(n, 0.5))).toEqual([
    1000, 2000, 4000, 32_000, 64_000, 64_000, 64_000,
  ]);
  expect(retryDelayMs(0, 0)).toBe(750);
  expect(retryDelayMs(0, 0.999_999)).toBe(1250);
  expect(retryDelayMs(99, 0.999_999)).toBeLessThanOrEqual(1.25 * maxRetryDelayMs);
});
