import { describe, expect, test } from 'vitest';
import type { Bytes, Result } from '../base/index.js';
import { compareBytes, toHex } from '../base/index.js';
import type { ControlRecord } from '../access/index.js';
import { encodeControl } from '../access/index.js';
import { maxFutureMs } from '../clock/index.js';
import { encodeValue } from '../codec/index.js';
import { entryKinds, type Entry } from '../entry/index.js';
import { bindOf, judgeCandidate, maxFoldsInRow, prepareControl } from './index.js';
import {
  admit,
  contextOf,
  createLog,
  firstMs,
  grantPayload,
  idOf,
  limits,
  roles,
  withHeader,
  zeros32,
  type Log,
} from './log.kit.js';

const ada = idOf('ada');

function codeOf(result: Result<unknown>): string | null {
  return result.ok ? null : result.fault.code;
}

/** Founder and admin, and a fold of each; what the admin writes next is the entry under test. */
function room(): { log: Log; next: Entry; nowMs: number } {
  const log = createLog();
  log.must(log.founder, grantPayload(ada, roles.admin));
  log.must(ada, { kind: 'fold' });
  log.must(log.founder, { kind: 'fold' });
  const made = log.fork().must(ada, { kind: 'fold' }).entry;
  return { log, next: made, nowMs: made.hlcMs };
}

function outcome(log: Log, entry: Entry, nowMs = entry.hlcMs): string | null {
  return codeOf(admit(entry, { roomId: log.roomId, records: log.records, nowMs }));
}

describe('[ADM-2] control, in this order', () => {
  test('[ADM-2] what an honest author writes is admitted, with the past that it names', () => {
    const { log, next } = room();
    const read = admit(next, { roomId: log.roomId, records: log.records, nowMs: next.hlcMs });
    if (!read.ok) throw new TypeError(read.fault.code);
    expect(Object.fromEntries(read.value.past)).toEqual({ [toHex(log.founder)]: 3, [toHex(ada)]: 1 });
  });

  test('[ADM-2] place: the next of its chain, on the branch that is held', () => {
    const { log, next } = room();
    expect(outcome(log, withHeader(next, { seq: 0, prev: zeros32 }))).toBe('entry/missing-prev');
    expect(outcome(log, withHeader(next, { seq: 2 }))).toBe('entry/missing-prev');
    expect(outcome(log, withHeader(next, { prev: idOf('another') }))).toBe('entry/missing-prev');
  });

  test('[ENT-2] a first entry that names one before it is refused for ever', () => {
    const { log } = room();
    const first = log.fork().must(idOf('ada'), { kind: 'fold' }).entry;
    expect(outcome(log, withHeader({ ...first, author: idOf('bob'), seq: 0 }, { prev: idOf('another') }))).toBe(
      'entry/malformed',
    );
  });

  test('[ADM-2] dependencies, cap among them: what is not here is waited for', () => {
    const { log, next } = room();
    expect(outcome(log, withHeader(next, { deps: [...next.deps, idOf('later')].sort(compareBytes) }))).toBe(
      'entry/missing-dep',
    );
    expect(outcome(log, withHeader(next, { cap: idOf('later') }))).toBe('entry/missing-dep');
    expect(outcome(log, { ...next, payload: null })).toBe('entry/missing-key');
  });

  test('[CTL-3] kinds of later versions are held, a known one that is malformed is refused for ever', () => {
    const { log, next } = room();
    for (const kind of [entryKinds.adopt, entryKinds.group, entryKinds.redact, entryKinds.ruleset, 10, 200]) {
      expect(outcome(log, withHeader(next, { kind }))).toBe('entry/unknown-kind');
    }
    expect(outcome(log, withHeader(next, { kind: entryKinds.data }))).toBe('entry/unknown-kind');
    const member = encodeValue([0, idOf('ada'), true, []]);
    expect(outcome(log, withHeader({ ...next, payload: member }, { kind: entryKinds.revoke }))).toBe(
      'entry/unknown-kind',
    );
    expect(outcome(log, { ...next, payload: encodeValue([1]) })).toBe('control/malformed');
    expect(outcome(log, { ...next, payload: Uint8Array.of(0xc1) })).toBe('control/malformed');
  });

  test('[F17] in control a time that is not after its past is refused for ever; the future is only held', () => {
    const { log, next } = room();
    const latest = Math.max(...log.records.map((record) => record.entry.hlcMs));
    expect(outcome(log, withHeader(next, { hlcMs: latest }))).toBe('control/clock');
    expect(outcome(log, withHeader(next, { hlcMs: latest, hlcCtr: 1 }))).toBeNull();
    const late = withHeader(next, { hlcMs: firstMs + maxFutureMs + 1 });
    expect(outcome(log, late, firstMs)).toBe('entry/future-clock');
    expect(outcome(log, late, firstMs + 1)).toBeNull();
    expect(outcome(log, withHeader(next, { hlcMs: 2 ** 48 - 1 }), firstMs)).toBe('entry/future-clock');
  });

  test('[F17] the clock decides nothing else: an admitted entry is the same at any time after', () => {
    const { log, next } = room();
    const at = (nowMs: number): Result<ControlRecord> =>
      admit(next, { roomId: log.roomId, records: log.records, nowMs });
    expect(at(next.hlcMs - maxFutureMs)).toEqual(at(next.hlcMs * 2));
  });

  test('[ADM-9] sizes are those that genesis says', () => {
    const small = createLog('founder', { limits: { ...limits, maxControl: 250, maxDeps: 1 } });
    expect(codeOf(small.write(small.founder, grantPayload(ada, roles.admin)))).toBeNull();
    const wraps = [{ kid: zeros32, epk: zeros32, sealed: new Uint8Array(48) }];
    expect(codeOf(small.write(small.founder, grantPayload(idOf('bob'), roles.admin, { wraps })))).toBe(
      'control/malformed',
    );
    small.must(small.founder, grantPayload(idOf('bob'), roles.admin));
    for (const author of [ada, idOf('bob')]) small.must(author, { kind: 'fold' }, { seen: small.records.slice(0, 3) });
    expect(codeOf(small.write(small.founder, { kind: 'fold' }))).toBe('control/malformed');
    expect(codeOf(small.write(small.founder, { kind: 'fold' }, { seen: small.records.slice(0, 4) }))).toBeNull();
  });

  test('[F13] who may write nothing but folds comes to an end: so many in a row and no more', () => {
    const log = createLog();
    const eve = idOf('eve');
    log.must(log.founder, grantPayload(eve, roles.viewer));
    for (let i = 0; i < maxFoldsInRow; i++) log.must(eve, { kind: 'fold' });
    expect(codeOf(log.write(eve, { kind: 'fold' }))).toBe('control/forbidden');
    log.must(log.founder, { kind: 'fold' });
    expect(codeOf(log.write(eve, { kind: 'fold' }))).toBe('control/forbidden');
    const ada = idOf('ada');
    log.must(log.founder, grantPayload(ada, roles.admin));
    for (let i = 0; i < maxFoldsInRow; i++) log.must(ada, { kind: 'fold' });
    log.must(ada, grantPayload(idOf('bob'), roles.viewer));
    log.must(ada, { kind: 'fold' });
  });

  test('[VER-2] a room under other rules than ours is held whole', () => {
    const log = createLog();
    const [genesis] = log.records;
    if (genesis?.payload.kind !== 'genesis') throw new TypeError('expected genesis');
    const payload = encodeControl({ ...genesis.payload, ruleset: 2 });
    const other = withHeader({ ...genesis.entry, payload }, {});
    expect(codeOf(admit(other, { roomId: other.id, records: [], nowMs: firstMs }))).toBe('entry/unknown-version');
  });

  test('[ADM-2] another genesis is of another room', () => {
    const log = createLog();
    const [genesis] = createLog('somebody else').records;
    if (genesis === undefined) throw new TypeError('expected genesis');
    expect(codeOf(admit(genesis.entry, { roomId: log.roomId, records: [], nowMs: firstMs }))).toBe('entry/wrong-room');
  });
});

test('[F11] the signatures over X25519 keys that have to be checked, and by whom', () => {
  const log = createLog();
  const [genesis] = log.records;
  if (genesis?.payload.kind !== 'genesis') throw new TypeError('expected genesis');
  const { payload } = genesis;
  const expected = { device: log.founder, context: payload.nonce, x25519: payload.x25519, bind: payload.bind };
  expect(bindOf(payload, log.roomId, log.founder)).toEqual(expected);
  const grant = grantPayload(ada, roles.admin, { x25519: idOf('x'), bind: new Uint8Array(64).fill(1) });
  expect(bindOf(grant, log.roomId, log.founder)).toEqual({
    device: ada,
    context: log.roomId,
    x25519: idOf('x'),
    bind: grant.bind,
  });
  expect(bindOf({ kind: 'fold' }, log.roomId, log.founder)).toBeNull();
});

test('[ADM-2] admission leaves what it is given alone', () => {
  const { log, next } = room();
  const records = [...log.records];
  const context = contextOf(records, { roomId: log.roomId, author: ada, nowMs: next.hlcMs });
  const before = { ids: records.map((record) => record.id), devices: context.access.devices.size };
  const payload: Bytes | null = next.payload && next.payload.slice();
  const prepared = prepareControl(next, context);
  if (prepared.ok) judgeCandidate(prepared.value, context);
  expect({ ids: records.map((record) => record.id), devices: context.access.devices.size }).toEqual(before);
  expect(next.payload).toEqual(payload);
});
