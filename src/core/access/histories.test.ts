import { describe, expect, test } from 'vitest';
import type { Bytes } from '../base/index.js';
import { compareBytes, toHex } from '../base/index.js';
import {
  admit,
  closure,
  createLog,
  firstMs,
  grantPayload,
  idOf,
  invitePayload,
  zeros32,
  type Log,
} from '../admission/log.kit.js';
import { createSeededNumbers } from '../codec/mutate.kit.js';
import type { AccessState, ControlPayload, ControlRecord, Grant } from './index.js';
import { evaluateAccess, isInPast, isWithin } from './index.js';
import { referenceVoids } from './reference.kit.js';

/** Everything an evaluation says, in a form that does not depend on the order of maps. */
function shown(access: AccessState): unknown {
  const sorted = <T>(map: ReadonlyMap<string | number, T>, show: (value: T) => unknown): unknown[] =>
    [...map].map(([key, value]) => [String(key), show(value)] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    limits: access.limits,
    grants: sorted(access.grants, (grant) => [grant.member, grant.rank, grant.perms]),
    voids: sorted(access.voids, (code) => code),
    devices: sorted(access.devices, (grant) => grant.id),
    domains: sorted(access.domains, (domain) => domain.isMeta),
    epochs: sorted(access.epochs, ({ gen, record, recipients }) => [gen, record.id, [...recipients].sort()]),
    invites: sorted(access.invites, ({ author, revoked, uses }) => [
      author.id,
      revoked,
      sorted(uses, (grant) => grant.id),
    ]),
  };
}

/** The log in another order that respects causality. */
function reordered(log: readonly ControlRecord[], next: () => number): ControlRecord[] {
  const left = [...log];
  const out: ControlRecord[] = [];
  while (left.length > 0) {
    const ready = left.filter((record) => !left.some((other) => isInPast(record.past, other)));
    const pick = ready[Math.floor(next() * ready.length)];
    if (pick === undefined) throw new TypeError('a cycle');
    left.splice(left.indexOf(pick), 1);
    out.push(pick);
  }
  return out;
}

/** What holds of every set of admitted entries, whatever hostile members tried. */
function expectLawful(log: readonly ControlRecord[], founder: Bytes): void {
  const access = evaluateAccess(log);
  expect(new Set(access.voids.keys())).toEqual(referenceVoids(log));
  expect(access.devices.get(toHex(founder))?.rank).toBe(0);
  const slots = new Map<string, string>();
  for (const grant of access.grants.values()) {
    if (grant.record.payload.kind === 'genesis') continue;
    const granter = access.grants.get(toHex(grant.record.entry.cap));
    expect(granter !== undefined && granter.rank < grant.rank && isWithin(grant, granter)).toBe(true);
    expect(granter?.subject).toBe(grant.record.author);
    if (access.voids.has(grant.id)) continue;
    expect(access.voids.has(granter?.id ?? '')).toBe(false);
    if (grant.via === null) continue;
    const slot = `${grant.via.invite}/${String(grant.via.use)}`;
    expect(slots.get(slot) ?? grant.subject, 'one person per use').toBe(grant.subject);
    slots.set(slot, grant.subject);
    expect(grant.via.use).toBeLessThan(access.invites.get(grant.via.invite)?.payload.maxUses ?? 0);
  }
  const giverRank = ({ via, record }: Grant): number =>
    (via === null ? access.grants.get(record.cap) : access.invites.get(via.invite)?.author)?.rank ?? 0;
  for (const acting of access.devices.values())
    for (const other of access.grants.values())
      if (other.subject === acting.subject && !access.voids.has(other.id) && giverRank(other) < giverRank(acting))
        expect(isWithin(other, acting) && acting.rank <= other.rank, 'no junior lowers').toBe(true);
  for (const [id, code] of access.voids) {
    if (code !== 'control/invite-revoked') continue;
    const grant = access.grants.get(id);
    const byWhom = log.filter(
      (one) => one.payload.kind === 'revoke' && toHex(one.payload.target) === grant?.via?.invite,
    );
    const ranks = byWhom.map((one) => access.grants.get(toHex(one.entry.cap))?.rank ?? 99);
    expect(Math.min(...ranks), 'a revocation is by somebody senior').toBeLessThan(grant?.rank ?? 0);
  }
}

const people = ['founder', 'ada', 'bob', 'cyd', 'dan', 'eve'].map(idOf);

interface Chance {
  readonly below: (max: number) => number;
  readonly pick: <T>(from: readonly T[]) => T | undefined;
  readonly some: <T>(from: readonly T[]) => T[];
}

function chanceOf(next: () => number): Chance {
  const below = (max: number): number => Math.floor(next() * max);
  return { below, pick: (from) => from[below(from.length)], some: (from) => from.filter(() => next() < 0.5) };
}

const ranks = [0, 5, 10, 15, 20, 30];
const bits = [127, 15, 7, 5, 3, 1, 0];

function ofKind(log: Log, kind: ControlPayload['kind']): ControlRecord[] {
  return log.records.filter((record) => record.payload.kind === kind);
}

/** Anything anybody might try. */
function attempt(log: Log, chance: Chance): ControlPayload {
  const power =
    chance.below(2) === 0 ? { rank: 30, perms: 1 } : { rank: chance.pick(ranks) ?? 0, perms: chance.pick(bits) ?? 0 };
  const domains = ofKind(log, 'domain').map((record) => record.entry.id);
  const write = chance.below(3) === 0 ? [...chance.some(domains)].sort(compareBytes) : null;
  const subject = chance.pick(people) ?? zeros32;
  const kids = ['k1', 'k2', 'k3', 'k4'].map(idOf);
  switch (chance.below(13)) {
    case 0:
    case 1:
      return grantPayload(subject, power, { write });
    case 2: {
      const admitters = chance.some(people);
      return invitePayload(power, {
        write,
        anyAdmitter: chance.below(2) === 0,
        admitters,
        maxUses: 1 + chance.below(2),
      });
    }
    case 3:
    case 4:
    case 5:
    case 6:
    case 7: {
      const invite = chance.pick(ofKind(log, 'invite'));
      if (invite?.payload.kind !== 'invite') return { kind: 'fold' };
      const offered = chance.below(5) === 0 ? power : invite.payload;
      const via = { invite: invite.entry.id, use: chance.below(5) % 3, requestId: new Uint8Array(16) };
      return grantPayload(subject, offered, { write: invite.payload.write, via });
    }
    case 8:
      return {
        kind: 'revoke',
        targetKind: 3,
        target: chance.pick(ofKind(log, 'invite'))?.entry.id ?? zeros32,
        cascade: false,
      };
    case 9: {
      if (chance.below(2) === 0)
        return { kind: 'epoch', scope: zeros32, kid: chance.pick(kids) ?? zeros32, gen: 1, parents: [], links: [] };
      const parents = chance.some(kids);
      const gens = ofKind(log, 'epoch').map(({ payload }) => (payload.kind === 'epoch' ? payload.gen : 0));
      const gen = chance.pick([1, 1 + Math.max(0, ...gens), 2]) ?? 1;
      return {
        kind: 'epoch',
        scope: zeros32,
        kid: chance.pick(kids) ?? zeros32,
        gen,
        parents,
        links: parents.map(() => new Uint8Array(48)),
      };
    }
    case 10: {
      const recipients = [...chance.some(people)]
        .sort(compareBytes)
        .map((device) => ({ device, sealed: new Uint8Array(48) }));
      return { kind: 'wrap', kid: chance.pick(kids) ?? zeros32, epk: zeros32, recipients };
    }
    default:
      return { kind: 'domain', scope: zeros32, isMeta: chance.below(2) === 0, nonce: new Uint8Array(16) };
  }
}

/** An admin, an editor who may invite, and an invite that everybody who may invite answers. */
function peopledLog(): Log {
  const log = createLog();
  log.must(log.founder, invitePayload({ rank: 25, perms: 5 }));
  log.must(log.founder, grantPayload(idOf('ada'), { rank: 10, perms: 127 }));
  log.must(log.founder, grantPayload(idOf('bob'), { rank: 20, perms: 7 }));
  return log;
}

describe('[AUTH-12] authority is a function of the set', () => {
  test('[AUTH-12] 100 histories with invites, revocations, slots and escalation: the same in every order, as the reference says, and lawful', () => {
    const counts = { tried: 0, admitted: 0, voids: 0 };
    const codes = new Map<string, number>();
    for (let seed = 1; seed <= 100; seed++) {
      const next = createSeededNumbers(seed);
      const chance = chanceOf(next);
      const log = peopledLog();
      const start = log.records.length;
      for (let step = 0; step < 30; step++) {
        const members = [...log.access().devices.values()].map((grant) => grant.subjectId);
        const author = chance.pick(next() < 0.9 ? members : people) ?? log.founder;
        const base = log.records.slice(0, start);
        const seen = chance.pick([log.records, base, base, [...base, ...chance.some(log.records)]]) ?? base;
        const cap = next() < 0.1 ? chance.pick(log.records)?.entry.id : undefined;
        const written = log.write(author, attempt(log, chance), cap === undefined ? { seen } : { seen, cap });
        counts.tried++;
        if (written.ok) counts.admitted++;
        else codes.set(written.fault.code, (codes.get(written.fault.code) ?? 0) + 1);
      }
      const access = evaluateAccess(log.records);
      counts.voids += access.voids.size;
      expectLawful(log.records, log.founder);
      for (let order = 0; order < 2; order++) {
        expect(shown(evaluateAccess(reordered(log.records, next))), `seed ${String(seed)}`).toEqual(shown(access));
      }
    }
    console.log(`[S04] authority: ${JSON.stringify(counts)}, refused ${JSON.stringify(Object.fromEntries(codes))}`);
    expect(counts.admitted).toBeGreaterThan(600);
    expect(counts.voids).toBeGreaterThan(50);
    for (const code of [
      'control/cap',
      'control/escalation',
      'control/forbidden',
      'control/bad-invite',
      'control/bad-parent',
    ]) {
      expect(codes.get(code), code).toBeGreaterThan(10);
    }
  }, 180_000);

  test('[AUTH-12] an entry is judged by its own past alone: what else a peer holds changes nothing', () => {
    let admitted = 0;
    for (let seed = 1001; seed <= 1040; seed++) {
      const next = createSeededNumbers(seed);
      const chance = chanceOf(next);
      const log = peopledLog();
      const base = [...log.records];
      for (let step = 0; step < 20; step++) {
        const author = chance.pick(people.slice(0, 4)) ?? log.founder;
        const payload = attempt(log, chance);
        const seen = [...base, ...chance.some(log.records)];
        const before = [...log.records];
        const made: ControlRecord['entry'][] = [];
        const change = (entry: ControlRecord['entry']): ControlRecord['entry'] => (made.push(entry), entry);
        const there = log.write(author, payload, { seen, change });
        const [entry] = made;
        if (entry === undefined) throw new TypeError('nothing was made');
        const own = before.filter((record) => record.author === toHex(author));
        const past = closure(before, [...seen, ...own]);
        const here = admit(entry, { roomId: log.roomId, records: past, nowMs: firstMs * 2 });
        // A cap outside of what was seen is not there to be judged by: that peer waits.
        if (!here.ok && here.fault.code === 'entry/missing-dep') continue;
        expect(here.ok ? 'admitted' : here.fault.code, `seed ${String(seed)} step ${String(step)}`).toBe(
          there.ok ? 'admitted' : there.fault.code,
        );
        if (!here.ok || !there.ok) continue;
        admitted++;
        expect([...here.value.past].sort()).toEqual([...there.value.past].sort());
      }
    }
    expect(admitted).toBeGreaterThan(100);
  }, 180_000);
});

/** Everything three people might do at once with one invite, a second one, and each other. */
const menu: readonly (readonly [author: string, payload: (log: Log) => ControlPayload | null])[] = [
  ['founder', (log) => revoke(log, 'founder')],
  ['founder', (log) => admitBy(log, 'founder', ['eve', 0])],
  ['ada', (log) => revoke(log, 'founder')],
  ['ada', (log) => admitBy(log, 'founder', ['cyd', 0])],
  ['ada', (log) => admitBy(log, 'founder', ['dan', 1])],
  ['ada', (log) => revoke(log, 'cyd')],
  ['bob', (log) => admitBy(log, 'founder', ['dan', 0])],
  ['bob', (log) => admitBy(log, 'cyd', ['eve', 0])],
  ['bob', (log) => revoke(log, 'founder')],
  ['cyd', () => invitePayload({ rank: 40, perms: 1 }, { maxUses: 1 })],
  ['cyd', (log) => admitBy(log, 'founder', ['dan', 0])],
];

function inviteOf(log: Log, author: string): ControlRecord | undefined {
  return ofKind(log, 'invite').find((record) => record.author === toHex(idOf(author)));
}

function revoke(log: Log, author: string): ControlPayload | null {
  const invite = inviteOf(log, author);
  return invite === undefined ? null : { kind: 'revoke', targetKind: 3, target: invite.entry.id, cascade: false };
}

function admitBy(log: Log, author: string, [subject, use]: readonly [string, number]): ControlPayload | null {
  const invite = inviteOf(log, author);
  if (invite?.payload.kind !== 'invite') return null;
  return grantPayload(idOf(subject), invite.payload, {
    via: { invite: invite.entry.id, use, requestId: new Uint8Array(16) },
  });
}

test('[AUTH-7] small scope, exhaustively: every four acts on one invite in every causal relation', () => {
  const base = createLog();
  base.must(base.founder, invitePayload({ rank: 30, perms: 5 }));
  base.must(base.founder, grantPayload(idOf('ada'), { rank: 10, perms: 127 }));
  base.must(base.founder, grantPayload(idOf('bob'), { rank: 20, perms: 7 }));
  const start = base.records.length;
  const counts = { sets: 0, voids: 0 };
  const seenSets = new Set<string>();
  const go = (log: Log, depth: number): void => {
    const added = log.records.slice(start);
    for (const [name, build] of menu) {
      const payload = build(log);
      if (payload === null) continue;
      const views = new Set<string>();
      for (let mask = 0; mask < 2 ** added.length; mask++) {
        const chosen = closure(log.records, [
          ...log.records.slice(0, start),
          ...added.filter((_, i) => (mask & (1 << i)) !== 0),
        ]);
        const view = chosen.map((record) => record.id).join();
        if (views.has(view)) continue;
        views.add(view);
        const next = log.fork();
        if (!next.write(idOf(name), payload, { seen: chosen, hlcMs: firstMs + 10 + added.length }).ok) continue;
        const set = next.records
          .map((record) => record.id)
          .sort()
          .join();
        if (seenSets.has(set)) continue;
        seenSets.add(set);
        counts.sets++;
        counts.voids += next.access().voids.size;
        expectLawful(next.records, next.founder);
        const backwards = createSeededNumbers(counts.sets);
        expect(shown(evaluateAccess(reordered(next.records, backwards)))).toEqual(shown(next.access()));
        if (depth > 1) go(next, depth - 1);
      }
    }
  };
  go(base, 4);
  console.log(`[S04] authority, exhaustive: ${JSON.stringify(counts)}`);
  expect(counts.sets).toBeGreaterThan(1_000);
  expect(counts.voids).toBeGreaterThan(100);
}, 180_000);
