/** Rules of docs/protocol.md about chains, at the one way into an engine's state. */
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/core/base/index.js';
import { toHex } from '../../src/core/base/index.js';
import type { ControlRecord } from '../../src/core/access/index.js';
import { createLog, grantPayload, idOf, roles, withHeader, zeros32 } from '../../src/core/admission/log.kit.js';
import type { Entry } from '../../src/core/entry/index.js';
import {
  admitUnit,
  createReplicaState,
  headOf,
  type ReplicaState,
  type Unit,
} from '../../worker/engine/replica/index.js';

const nowMs = Number.MAX_SAFE_INTEGER;

function unitOf(...entries: readonly Entry[]): Unit {
  const [first] = entries;
  if (first === undefined) throw new TypeError('expected an entry');
  return {
    domainId: first.domainId,
    author: first.author,
    fromSeq: first.seq,
    prevId: first.prev,
    entries,
    endSig: new Uint8Array(64),
  };
}

function replica(roomId: Bytes, records: readonly ControlRecord[]): ReplicaState {
  const state = createReplicaState(roomId);
  for (const { entry } of records)
    expect(admitUnit(state, unitOf(entry), { roomNowMs: nowMs }).outcome).toBe('admitted');
  return state;
}

/** A room in which the founder has written a third entry, and another third entry beside it. */
function forked(): { state: ReplicaState; second: Entry; third: Entry; rival: Entry; founder: Bytes } {
  const log = createLog();
  log.must(log.founder, grantPayload(idOf('ada'), roles.admin));
  const before = log.fork();
  const third = log.must(log.founder, { kind: 'fold' }).entry;
  const rival = withHeader(third, { hlcCtr: 7 });
  const second = before.records.at(-1)?.entry;
  if (second === undefined) throw new TypeError('expected an entry');
  return { state: replica(log.roomId, log.records), second, third, rival, founder: log.founder };
}

describe('[F6] forks', () => {
  test('[F6] a second entry at one place is told as a branch, and judging it changes nothing yet', () => {
    const { state, third, rival, founder } = forked();
    const before = { entries: state.control.entryCount, log: state.log.length, devices: state.access.devices.size };
    expect(admitUnit(state, unitOf(rival), { roomNowMs: nowMs }).outcome).toBe('branch');
    expect({ entries: state.control.entryCount, log: state.log.length, devices: state.access.devices.size }).toEqual(
      before,
    );
    expect(headOf(state.control, toHex(founder))?.id).toEqual(third.id);
    expect(admitUnit(state, unitOf(third), { roomNowMs: nowMs })).toEqual({ outcome: 'known' });
  });

  test('[F6] what continues the second branch does not get in behind it', () => {
    const { state, rival } = forked();
    const after = withHeader(rival, { seq: rival.seq + 1, prev: rival.id, hlcCtr: 9 });
    expect(admitUnit(state, unitOf(after), { roomNowMs: nowMs })).toMatchObject({
      outcome: 'held',
      fault: { code: 'entry/missing-prev' },
    });
    expect(admitUnit(state, unitOf(rival, after), { roomNowMs: nowMs }).outcome).toBe('branch');
  });

  test('[F6] the second branch is told from the first, whichever came first', () => {
    const { second, third, rival } = forked();
    const log = createLog();
    log.must(log.founder, grantPayload(idOf('ada'), roles.admin));
    expect(log.records.at(-1)?.entry.id).toEqual(second.id);
    for (const [first, later] of [
      [third, rival],
      [rival, third],
    ] as const) {
      const state = replica(log.roomId, log.records);
      expect(admitUnit(state, unitOf(first), { roomNowMs: nowMs }).outcome).toBe('admitted');
      expect(admitUnit(state, unitOf(later), { roomNowMs: nowMs }).outcome).toBe('branch');
    }
  });
});

test('[CTL-2] a control entry is a unit of its own', () => {
  const log = createLog();
  const a = log.must(log.founder, { kind: 'fold' }).entry;
  const b = log.must(log.founder, { kind: 'fold' }).entry;
  const state = replica(log.roomId, log.records.slice(0, 1));
  expect(admitUnit(state, unitOf(a, b), { roomNowMs: nowMs }).outcome).toBe('rejected');
  expect(state.control.entryCount).toBe(1);
  for (const entry of [a, b]) expect(admitUnit(state, unitOf(entry), { roomNowMs: nowMs }).outcome).toBe('admitted');
});

test('[ADM-2] entries of a domain that control does not name are waited for', () => {
  const log = createLog();
  const state = replica(log.roomId, log.records);
  const [genesis] = log.records;
  if (genesis === undefined) throw new TypeError('expected genesis');
  const entry = withHeader(genesis.entry, {
    kind: 0,
    domainId: idOf('domain'),
    roomId: log.roomId,
    cap: log.roomId,
    prev: zeros32,
  });
  expect(admitUnit(state, unitOf(entry), { roomNowMs: nowMs })).toMatchObject({
    outcome: 'held',
    fault: { code: 'entry/missing-dep' },
  });
});
