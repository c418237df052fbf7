import { describe, expect, test } from 'vitest';
import type { Bytes, Result } from '../base/index.js';
import { compareBytes, toHex } from '../base/index.js';
import {
  createLog,
  firstMs,
  grantPayload,
  idOf,
  invitePayload,
  limits,
  roles,
  zeros32,
  type Log,
} from '../admission/log.kit.js';
import type { ControlPayload, ControlRecord, GrantPayload, InvitePayload } from './index.js';
import {
  allPermissions,
  builtinRoles,
  evaluateAccess,
  hasPermission,
  isWithin,
  mayChangeOwned,
  mayWriteDomain,
  metaPermission,
  permissions,
} from './index.js';

const [ada, bob, cyd, dan, eve] = ['ada', 'bob', 'cyd', 'dan', 'eve'].map(idOf) as [Bytes, Bytes, Bytes, Bytes, Bytes];
const { founder } = createLog();

function codeOf(result: Result<unknown>): string | null {
  return result.ok ? null : result.fault.code;
}

/** A room with an admin, an editor and a viewer. */
function peopled(): Log {
  const log = createLog();
  log.must(founder, grantPayload(ada, roles.admin));
  log.must(founder, grantPayload(bob, roles.editor));
  log.must(founder, grantPayload(cyd, roles.viewer));
  return log;
}

function domain(isMeta = false): ControlPayload {
  return { kind: 'domain', scope: zeros32, isMeta, nonce: new Uint8Array(16) };
}

function epoch(name: string, o: { readonly gen?: number; readonly parents?: readonly string[] } = {}): ControlPayload {
  const parents = (o.parents ?? []).map(idOf);
  return {
    kind: 'epoch',
    scope: zeros32,
    kid: idOf(name),
    gen: o.gen ?? 1,
    parents,
    links: parents.map(() => new Uint8Array(48)),
  };
}

function revoke(invite: ControlRecord): ControlPayload {
  return { kind: 'revoke', targetKind: 3, target: invite.entry.id, cascade: false };
}

function via(invite: ControlRecord, use = 0, request = 0): Partial<GrantPayload> {
  return { via: { invite: invite.entry.id, use, requestId: new Uint8Array(16).fill(request) } };
}

const editorInvite = (rest: Partial<InvitePayload> = {}): InvitePayload => invitePayload(roles.editor, rest);
const viewerInvite = (rest: Partial<InvitePayload> = {}): InvitePayload => invitePayload(roles.viewer, rest);

describe('[X2] permissions and roles', () => {
  test('[X2] the tables', () => {
    expect(permissions).toEqual({
      read: 1,
      write: 2,
      invite: 4,
      manageMembers: 8,
      manageRoles: 16,
      manageRecords: 32,
      manageSchema: 64,
    });
    expect(allPermissions).toBe(127);
    expect(builtinRoles).toEqual({
      owner: { rank: 0, perms: 127 },
      admin: { rank: 10, perms: 127 },
      editor: { rank: 20, perms: 7 },
      viewer: { rank: 30, perms: 1 },
    });
  });

  test('[X2] writing a domain takes READ, WRITE, and the domain in the scope', () => {
    const power = (
      perms: number,
      write: string[] | null,
    ): { rank: number; perms: number; write: Set<string> | null } => ({
      rank: 20,
      perms,
      write: write && new Set(write),
    });
    expect(mayWriteDomain(power(3, null), 'd')).toBe(true);
    expect(mayWriteDomain(power(3, ['d']), 'd')).toBe(true);
    expect(mayWriteDomain(power(3, ['e']), 'd')).toBe(false);
    expect(mayWriteDomain(power(3, []), 'd')).toBe(false);
    expect(mayWriteDomain(power(2, null), 'd')).toBe(false);
    expect(mayWriteDomain(power(1, null), 'd')).toBe(false);
    expect(mayChangeOwned(power(3, null), true)).toBe(true);
    expect(mayChangeOwned(power(3, null), false)).toBe(false);
    expect(mayChangeOwned(power(3 | permissions.manageRecords, null), false)).toBe(true);
    expect(hasPermission(5, 4)).toBe(true);
    expect(hasPermission(5, 6)).toBe(false);
    expect(isWithin(power(3, ['d']), power(3, null))).toBe(true);
    expect(isWithin(power(3, null), power(3, ['d']))).toBe(false);
    expect(isWithin(power(3, ['d']), power(3, ['d', 'e']))).toBe(true);
    expect(isWithin(power(7, ['d']), power(3, ['d', 'e']))).toBe(false);
  });

  test('[X3] what an op in meta needs', () => {
    const needed = Object.fromEntries(
      ['$profiles', '$schema', '$domains', '$roles', '$room', '$invites', '$later'].map((name) => [
        name,
        metaPermission(name),
      ]),
    );
    expect(needed).toEqual({
      $profiles: null,
      $schema: 64,
      $domains: 64,
      $roles: 16,
      $room: 32,
      $invites: 4,
      $later: 64,
    });
  });
});

describe('[AUTH-1] genesis', () => {
  test('[AUTH-1] is the founder’s grant: rank 0, everything, a member of its own id', () => {
    const access = createLog().access();
    const grant = access.devices.get(toHex(founder));
    expect(grant).toMatchObject({ rank: 0, perms: 127, write: null, depth: 0, member: grant?.id });
    expect(access.limits).toEqual(limits);
  });

  test('[AUTH-1] comes first and once', () => {
    const log = peopled();
    const [first] = log.records;
    if (first === undefined) throw new TypeError('expected genesis');
    expect(codeOf(log.write(founder, first.payload))).toBe('entry/wrong-room');
    expect(codeOf(log.write(ada, first.payload))).toBe('entry/wrong-room');
  });
});

describe('[AUTH-2] the cap', () => {
  test('[AUTH-2] is a grant of the author that has effect in its past', () => {
    const log = peopled();
    const adas = log.access().devices.get(toHex(ada))?.record.entry.id ?? zeros32;
    expect(codeOf(log.write(bob, { kind: 'fold' }, { cap: adas }))).toBe('control/cap');
    const fold = log.must(ada, { kind: 'fold' });
    expect(codeOf(log.write(ada, { kind: 'fold' }, { cap: fold.entry.id }))).toBe('control/cap');
    expect(codeOf(log.write(eve, { kind: 'fold' }))).toBe('control/cap');
    expect(codeOf(log.write(ada, { kind: 'fold' }, { cap: idOf('nothing') }))).toBe('entry/missing-dep');
    const genesis = log.records[0]?.entry.id ?? zeros32;
    expect(codeOf(log.write(ada, { kind: 'fold' }, { cap: genesis }))).toBe('control/cap');
  });

  test('[AUTH-2] one that was void already gives nothing', () => {
    const log = peopled();
    const invite = log.must(bob, viewerInvite({ perms: 5 }));
    const before = [...log.records];
    log.must(founder, revoke(invite));
    const granted = log.must(bob, grantPayload(eve, { rank: 30, perms: 5 }, via(invite)), { seen: before });
    expect(log.access().voids.get(granted.id)).toBe('control/invite-revoked');
    expect(codeOf(log.write(eve, { kind: 'fold' }, { cap: granted.entry.id }))).toBe('control/cap');
    expect(log.write(eve, { kind: 'fold' }, { cap: granted.entry.id, seen: [...before, granted] }).ok).toBe(true);
  });

  test('[AUTH-2] control has no epoch', () => {
    const log = peopled();
    const written = log.write(ada, { kind: 'fold' }, { change: (entry) => ({ ...entry, kid: idOf('kid') }) });
    expect(codeOf(written)).toBe('control/malformed');
  });
});

describe('[AUTH-3] nobody gives more than they have', () => {
  test.each([
    ['an equal rank', ada, { rank: 10, perms: 1 }, null],
    ['a senior rank', ada, { rank: 9, perms: 1 }, null],
    ['rank 0 by the founder', founder, { rank: 0, perms: 1 }, null],
    ['a permission it lacks', dan, { rank: 40, perms: 32 }, null],
    ['every domain, having one', dan, { rank: 40, perms: 1 }, null],
    ['another domain', dan, { rank: 40, perms: 1 }, 1],
  ] as const)('[AUTH-3] %s', (_, author, power, domainAt) => {
    const log = peopled();
    const first = log.must(founder, domain()).entry.id;
    const second = log.must(founder, domain()).entry.id;
    log.must(founder, grantPayload(dan, { rank: 15, perms: 15 }, { write: [first] }));
    const write = domainAt === null ? null : [first, second].sort(compareBytes);
    expect(codeOf(log.write(author, grantPayload(eve, power, { write })))).toBe('control/escalation');
    expect(codeOf(log.write(author, invitePayload(power, { write })))).toBe('control/escalation');
    expect(log.write(dan, grantPayload(eve, { rank: 16, perms: 15 }, { write: [first] })).ok).toBe(true);
  });
});

describe('[AUTH-4] a grant without an invite', () => {
  test('[AUTH-4] takes manageMembers', () => {
    const log = peopled();
    expect(codeOf(log.write(bob, grantPayload(eve, roles.viewer)))).toBe('control/forbidden');
    expect(codeOf(log.write(cyd, grantPayload(eve, { rank: 40, perms: 1 })))).toBe('control/forbidden');
    expect(log.write(ada, grantPayload(eve, roles.viewer)).ok).toBe(true);
  });
});

describe('[AUTH-5] a grant by an invite', () => {
  const case_ = (
    log: Log,
    invite: ControlRecord,
    o: { author?: Bytes; power?: { rank: number; perms: number }; rest?: Partial<GrantPayload>; hlcMs?: number } = {},
  ): string | null =>
    codeOf(
      log.write(
        o.author ?? ada,
        grantPayload(eve, o.power ?? roles.editor, { ...via(invite), ...o.rest }),
        o.hlcMs === undefined ? {} : { hlcMs: o.hlcMs },
      ),
    );

  test('[AUTH-5] gives exactly what the invite offers', () => {
    const log = peopled();
    const only = log.must(founder, domain()).entry.id;
    const invite = log.must(ada, editorInvite({ write: [only] }));
    const rest = { write: [only] };
    expect(case_(log, invite, { power: { rank: 21, perms: 7 }, rest })).toBe('control/escalation');
    expect(case_(log, invite, { power: { rank: 20, perms: 3 }, rest })).toBe('control/escalation');
    expect(case_(log, invite, { rest: { write: null } })).toBe('control/escalation');
    expect(case_(log, invite, { rest: { write: [] } })).toBe('control/escalation');
    expect(case_(log, invite, { rest })).toBeNull();
  });

  test('[AUTH-5] needs an invite, a use that it has and that nobody else took, and a time not after its end', () => {
    const log = peopled();
    const invite = log.must(ada, editorInvite({ maxUses: 2, expiryMs: firstMs + 1000 }));
    const fold = log.must(ada, { kind: 'fold' });
    expect(case_(log, fold)).toBe('control/bad-invite');
    expect(case_(log, invite, { rest: via(invite, 2) })).toBe('control/bad-invite');
    expect(case_(log, invite, { hlcMs: firstMs + 1001 })).toBe('control/bad-invite');
    expect(case_(log, invite, { hlcMs: firstMs + 1000 })).toBeNull();
    expect(codeOf(log.write(ada, grantPayload(dan, roles.editor, via(invite)), { hlcMs: firstMs + 1000 }))).toBe(
      'control/clock',
    );
    const late = peopled();
    const other = late.must(ada, editorInvite());
    late.must(ada, grantPayload(eve, roles.editor, via(other)));
    expect(codeOf(late.write(ada, grantPayload(dan, roles.editor, via(other))))).toBe('control/bad-invite');
    expect(late.write(ada, grantPayload(eve, roles.editor, via(other))).ok).toBe(true);
    expect(late.write(ada, grantPayload(dan, roles.editor, via(other, 1))).ok).toBe(true);
  });

  test('[F11] after the invite was revoked, or its author lost its grant, nobody comes in by it', () => {
    const log = peopled();
    const invite = log.must(ada, editorInvite());
    log.must(founder, revoke(invite));
    expect(case_(log, invite)).toBe('control/bad-invite');
    const other = peopled();
    const first = other.must(bob, invitePayload({ rank: 25, perms: 5 }));
    const before = [...other.records];
    other.must(bob, grantPayload(dan, { rank: 25, perms: 5 }, via(first)));
    const second = other.must(dan, viewerInvite());
    other.must(founder, revoke(first), { seen: before });
    expect(other.access().devices.has(toHex(dan))).toBe(false);
    expect(codeOf(other.write(ada, grantPayload(eve, roles.viewer, via(second))))).toBe('control/bad-invite');
  });

  test('[AUTH-5] is written by the invite’s author, one it names, or with its flag by whoever may invite', () => {
    const log = peopled();
    const mine = log.must(ada, viewerInvite({ anyAdmitter: false }));
    expect(codeOf(log.write(bob, grantPayload(eve, roles.viewer, via(mine))))).toBe('control/forbidden');
    expect(codeOf(log.write(founder, grantPayload(eve, roles.viewer, via(mine))))).toBe('control/forbidden');
    const named = log.must(ada, viewerInvite({ anyAdmitter: false, admitters: [bob] }));
    const any = log.must(ada, viewerInvite());
    expect(log.write(bob, grantPayload(eve, roles.viewer, via(named))).ok).toBe(true);
    expect(log.write(bob, grantPayload(dan, roles.viewer, via(any))).ok).toBe(true);
    log.must(founder, grantPayload(dan, { rank: 25, perms: 3 }));
    expect(codeOf(log.write(dan, grantPayload(idOf('fay'), roles.viewer, via(any, 1))))).toBe('control/forbidden');
    expect(log.write(ada, grantPayload(idOf('fay'), roles.viewer, via(mine))).ok).toBe(true);
  });

  test('[AUTH-5] an admitter gives no more than it has itself', () => {
    const log = peopled();
    const invite = log.must(ada, editorInvite());
    expect(codeOf(log.write(bob, grantPayload(eve, roles.editor, via(invite))))).toBe('control/escalation');
  });
});

describe('[AUTH-6] one use, one person', () => {
  /** The invite, and two grants for its one use that did not know of each other. */
  function rivals(a: Bytes, b: Bytes): { log: Log; grants: [ControlRecord, ControlRecord] } {
    const log = peopled();
    const invite = log.must(founder, viewerInvite({ maxUses: 1 }));
    const before = [...log.records];
    const first = log.must(a, grantPayload(dan, roles.viewer, via(invite)), { seen: before });
    const second = log.must(b, grantPayload(eve, roles.viewer, via(invite)), { seen: before });
    return { log, grants: [first, second] };
  }

  test('[AUTH-6] of two admitters the senior’s stands, whoever wrote first and whatever the ids', () => {
    for (const [a, b] of [
      [ada, bob],
      [bob, ada],
    ] as const) {
      const { log, grants } = rivals(a, b);
      const [adas, bobs] = a === ada ? grants : [grants[1], grants[0]];
      expect(log.access().voids.get(bobs.id)).toBe('control/invite-slot');
      expect(log.access().voids.has(adas.id)).toBe(false);
    }
  });

  test('[AUTH-6] of equals the lower id', () => {
    const log = peopled();
    log.must(founder, grantPayload(idOf('bea'), roles.editor));
    const invite = log.must(founder, viewerInvite({ maxUses: 1 }));
    const before = [...log.records];
    const grants = [bob, idOf('bea')].map((author, i) =>
      log.must(author, grantPayload(i === 0 ? dan : eve, roles.viewer, via(invite)), { seen: before }),
    );
    const [low, high] = grants.map((record) => record.id).sort();
    expect(log.access().voids.has(low ?? '')).toBe(false);
    expect(log.access().voids.get(high ?? '')).toBe('control/invite-slot');
    expect([...(log.access().invites.get(invite.id)?.uses.values() ?? [])].map((grant) => grant.id)).toEqual([low]);
  });

  test('[AUTH-6] the same person twice is no rival of itself', () => {
    const log = peopled();
    const invite = log.must(founder, viewerInvite({ maxUses: 1 }));
    const before = [...log.records];
    for (const author of [ada, bob]) log.must(author, grantPayload(eve, roles.viewer, via(invite)), { seen: before });
    expect(log.access().voids.size).toBe(0);
  });
});

describe('[AUTH-7] what loses its effect', () => {
  test('[AUTH-7] a grant that its invite’s revocation had not seen; one that it had stays', () => {
    const log = peopled();
    const invite = log.must(founder, viewerInvite());
    const seen = log.must(bob, grantPayload(dan, roles.viewer, via(invite)));
    const before = [...log.records];
    const unseen = log.must(bob, grantPayload(eve, roles.viewer, via(invite, 1)));
    log.must(founder, revoke(invite), { seen: before });
    const access = log.access();
    expect(access.voids.get(unseen.id)).toBe('control/invite-revoked');
    expect(access.voids.has(seen.id)).toBe(false);
    expect(access.invites.get(invite.id)).toMatchObject({ revoked: true });
    expect([access.devices.has(toHex(dan)), access.devices.has(toHex(eve))]).toEqual([true, false]);
  });

  test('[AUTH-7] what rests on it goes too: grants it gave, and those by its invites, however deep', () => {
    const log = peopled();
    const invite = log.must(founder, invitePayload({ rank: 25, perms: 5 }));
    const before = [...log.records];
    const first = log.must(bob, grantPayload(dan, { rank: 25, perms: 5 }, via(invite)));
    const dans = log.must(dan, viewerInvite({ maxUses: 9 }));
    const own = log.must(dan, grantPayload(eve, roles.viewer, via(dans)));
    const others = log.must(bob, grantPayload(idOf('fay'), roles.viewer, via(dans, 1)));
    log.must(founder, revoke(invite), { seen: before });
    const { voids } = log.access();
    expect([voids.get(first.id), voids.get(own.id), voids.get(others.id)]).toEqual([
      'control/invite-revoked',
      'entry/grant-void',
      'entry/grant-void',
    ]);
  });

  test('[AUTH-7] a revocation by somebody who has lost its own grant revokes nothing', () => {
    const log = peopled();
    const outer = log.must(founder, invitePayload({ rank: 15, perms: 15 }));
    const before = [...log.records];
    log.must(ada, grantPayload(dan, { rank: 15, perms: 15 }, via(outer)));
    const inner = log.must(bob, viewerInvite());
    const beforeRevoke = [...log.records];
    log.must(dan, revoke(inner));
    const late = log.must(bob, grantPayload(eve, roles.viewer, via(inner)), { seen: beforeRevoke });
    expect(log.access().voids.get(late.id)).toBe('control/invite-revoked');
    log.must(founder, revoke(outer), { seen: before });
    expect(log.access().voids.has(late.id)).toBe(false);
    expect(log.access().invites.get(inner.id)?.revoked).toBe(false);
  });

  test('[AUTH-7] fifty deep goes at once, in bounded time', () => {
    const log = createLog();
    log.must(founder, grantPayload(idOf('p1'), { rank: 1, perms: 5 }));
    const invite = log.must(founder, invitePayload({ rank: 2, perms: 5 }, { maxUses: 1 }));
    const before = [...log.records];
    log.must(idOf('p1'), grantPayload(idOf('p2'), { rank: 2, perms: 5 }, via(invite)));
    for (let i = 2; i < 52; i++) {
      const next = log.must(idOf(`p${String(i)}`), invitePayload({ rank: i + 1, perms: 5 }, { maxUses: 1 }));
      log.must(idOf(`p${String(i)}`), grantPayload(idOf(`p${String(i + 1)}`), { rank: i + 1, perms: 5 }, via(next)));
    }
    expect(log.access().voids.size).toBe(0);
    log.must(founder, revoke(invite), { seen: before });
    const started = performance.now();
    const { voids, devices } = evaluateAccess(log.records);
    expect(performance.now() - started).toBeLessThan(500);
    expect([voids.size, devices.size]).toEqual([51, 2]);
  });

  test('[AUTH-7] domains and epochs stay: what was written in them stays readable', () => {
    const log = peopled();
    const invite = log.must(founder, invitePayload({ rank: 15, perms: 127 }));
    const before = [...log.records];
    log.must(ada, grantPayload(dan, { rank: 15, perms: 127 }, via(invite)));
    const made = log.must(dan, domain());
    log.must(dan, epoch('k1'));
    log.must(founder, revoke(invite), { seen: before });
    expect(log.access().devices.has(toHex(dan))).toBe(false);
    expect([log.access().domains.has(made.id), log.access().epochs.size]).toEqual([true, 1]);
  });

  test('[AUTH-7] a domain stays when its author’s chain falls with it', () => {
    const log = peopled();
    const made = log.must(ada, domain());
    const access = evaluateAccess(log.records, new Set([made.id]));
    expect(access.domains.get(made.id)).toEqual({ id: made.entry.id, author: toHex(ada), isMeta: false });
  });
});

describe('[AUTH-8] revoking an invite', () => {
  test('[AUTH-8] is for its author’s member and for seniors', () => {
    const log = peopled();
    const adas = log.must(ada, viewerInvite());
    const bobs = log.must(bob, viewerInvite());
    expect(codeOf(log.write(bob, revoke(adas)))).toBe('control/forbidden');
    expect(codeOf(log.write(cyd, revoke(bobs)))).toBe('control/forbidden');
    expect(log.write(bob, revoke(bobs)).ok).toBe(true);
    expect(log.write(founder, revoke(adas)).ok).toBe(true);
    log.must(founder, grantPayload(dan, roles.admin));
    const dans = log.must(dan, viewerInvite());
    expect(codeOf(log.write(ada, revoke(dans)))).toBe('control/forbidden');
    const [genesis] = log.records;
    if (genesis === undefined) throw new TypeError('expected genesis');
    expect(codeOf(log.write(founder, revoke(genesis)))).toBe('control/bad-invite');
  });
});

describe('[AUTH-9] making an invite', () => {
  test('[AUTH-9] takes INVITE', () => {
    const log = peopled();
    expect(codeOf(log.write(cyd, invitePayload({ rank: 40, perms: 1 })))).toBe('control/forbidden');
    expect(log.write(bob, viewerInvite()).ok).toBe(true);
  });
});

describe('[AUTH-10] domains', () => {
  test('[AUTH-10] take manageSchema; meta is the owner’s, and one', () => {
    const log = peopled();
    expect(codeOf(log.write(bob, domain()))).toBe('control/forbidden');
    expect(codeOf(log.write(ada, domain(true)))).toBe('control/forbidden');
    log.must(founder, domain(true));
    expect(codeOf(log.write(founder, domain(true)))).toBe('control/forbidden');
    expect(log.write(ada, domain()).ok).toBe(true);
    expect([...log.access().domains.values()].map(({ isMeta }) => isMeta)).toEqual([true, false]);
  });

  test('[AUTH-10] are as many as genesis says', () => {
    const log = createLog('founder', { limits: { ...limits, maxDomains: 2 } });
    log.must(founder, domain(true));
    log.must(founder, domain());
    expect(codeOf(log.write(founder, domain()))).toBe('control/forbidden');
  });
});

describe('[F12] epochs', () => {
  test('[F12] whoever writes may mint one; its generation is one above its parents', () => {
    const log = peopled();
    expect(codeOf(log.write(cyd, epoch('k1')))).toBe('control/forbidden');
    expect(codeOf(log.write(bob, epoch('k1', { gen: 2 })))).toBe('control/bad-parent');
    log.must(bob, epoch('k1'));
    expect(codeOf(log.write(bob, epoch('k1')))).toBe('control/bad-parent');
    expect(codeOf(log.write(bob, epoch('k2', { gen: 1, parents: ['k1'] })))).toBe('control/bad-parent');
    expect(codeOf(log.write(bob, epoch('k2', { gen: 2, parents: ['k9'] })))).toBe('control/bad-parent');
    log.must(bob, epoch('k2', { gen: 2, parents: ['k1'] }));
    log.must(ada, epoch('k3', { gen: 3, parents: ['k1', 'k2'] }));
    expect([...log.access().epochs.values()].map(({ gen }) => gen)).toEqual([1, 2, 3]);
  });

  test('[F12] wraps, in wrap entries and in grants, name recipients of an epoch that is there', () => {
    const log = peopled();
    const wrap = (...devices: Bytes[]): ControlPayload => ({
      kind: 'wrap',
      kid: idOf('k1'),
      epk: zeros32,
      recipients: devices.sort(compareBytes).map((device) => ({ device, sealed: new Uint8Array(48) })),
    });
    expect(codeOf(log.write(bob, wrap(founder)))).toBe('control/bad-parent');
    log.must(founder, epoch('k1'));
    log.must(bob, wrap(founder, ada));
    log.must(
      ada,
      grantPayload(eve, roles.viewer, { wraps: [{ kid: idOf('k1'), epk: zeros32, sealed: new Uint8Array(48) }] }),
    );
    const recipients = [...(log.access().epochs.get(toHex(idOf('k1')))?.recipients ?? [])].sort();
    expect(recipients).toEqual([founder, ada, eve].map(toHex).sort());
  });

  test('[F12] nobody makes a stranger a reader: wraps take WRITE, a known epoch, and devices with effect', () => {
    const log = peopled();
    log.must(founder, epoch('k1'));
    const to = (...devices: Bytes[]): ControlPayload => ({
      kind: 'wrap',
      kid: idOf('k1'),
      epk: zeros32,
      recipients: devices.map((device) => ({ device, sealed: new Uint8Array(48) })),
    });
    const before = [...log.records];
    expect(codeOf(log.write(cyd, to(ada)))).toBe('control/forbidden');
    expect(codeOf(log.write(bob, to(eve)))).toBe('control/bad-wrap');
    const granted = log.must(ada, grantPayload(eve, roles.viewer));
    expect(codeOf(log.write(bob, to(eve), { seen: before }))).toBe('control/bad-wrap');
    expect(codeOf(log.write(bob, to(eve), { seen: [granted] }))).toBeNull();
    const wraps = [{ kid: idOf('k9'), epk: zeros32, sealed: new Uint8Array(48) }];
    expect(codeOf(log.write(ada, grantPayload(idOf('fay'), roles.viewer, { wraps })))).toBe('control/bad-wrap');
    expect([...(log.access().epochs.get(toHex(idOf('k1')))?.recipients ?? [])]).toEqual([toHex(eve)]);
  });

  test('[F12] one key named by two entries is one epoch: the senior’s, in whatever order they came', () => {
    const log = peopled();
    log.must(founder, epoch('k0'));
    const before = [...log.records];
    const good = log.must(ada, epoch('k1', { gen: 2, parents: ['k0'] }), { seen: before });
    log.must(bob, epoch('k1'), { seen: before });
    for (const records of [log.records, [...log.records].reverse()]) {
      expect(evaluateAccess(records).epochs.get(toHex(idOf('k1')))).toMatchObject({ gen: 2, record: { id: good.id } });
    }
    const beside = peopled();
    beside.must(founder, grantPayload(idOf('bea'), roles.editor));
    const start = [...beside.records];
    const ids = [bob, idOf('bea')].map((author) => beside.must(author, epoch('k1'), { seen: start }).id).sort();
    expect(beside.access().epochs.get(toHex(idOf('k1')))?.record.id).toBe(ids[0]);
  });
});

describe('[AUTH-13] devices', () => {
  const acting = (log: Log, device: Bytes): unknown => {
    const grant = log.access().devices.get(toHex(device));
    return grant && [grant.rank, grant.perms];
  };

  test('[AUTH-13] a device acts under the grant of the most senior giver, of equals under the strongest, then the lowest id', () => {
    const log = peopled();
    log.must(founder, grantPayload(cyd, roles.editor));
    expect(acting(log, cyd)).toEqual([20, 7]);
    log.must(ada, grantPayload(cyd, { rank: 11, perms: 5 }));
    expect(acting(log, cyd)).toEqual([20, 7]);
    const [low, high] = [21, 30].map((rank) => log.must(founder, grantPayload(dan, { rank, perms: 3 })));
    expect(log.access().devices.get(toHex(dan))?.id).toBe(low?.id);
    expect(low?.id).not.toBe(high?.id);
    const twice = [1, 2].map(() => log.must(founder, grantPayload(eve, roles.viewer)).id).sort();
    expect(log.access().devices.get(toHex(eve))?.id).toBe(twice[0]);
    log.must(ada, grantPayload(eve, { rank: 40, perms: 1 }));
    expect(log.access().devices.get(toHex(eve))?.id).toBe(twice[0]);
  });

  test('[AUTH-13] a junior who grants more raises it', () => {
    const log = peopled();
    log.must(ada, grantPayload(cyd, roles.editor));
    expect(acting(log, cyd)).toEqual([20, 7]);
  });

  test.each([
    ['nothing', { rank: 21, perms: 0 }],
    ['something else', { rank: 21, perms: 5 }],
    ['more at a lower standing', { rank: 50, perms: 7 }],
  ] as const)('[AUTH-13] whoever may invite takes nothing from a device by granting it %s', (_, power) => {
    for (const isSeen of [true, false]) {
      const log = peopled();
      const only = log.must(founder, domain()).entry.id;
      const open = log.must(founder, invitePayload({ rank: 40, perms: 3 }));
      const before = [...log.records];
      log.must(bob, grantPayload(eve, { rank: 40, perms: 3 }, via(open)));
      const seen = isSeen ? {} : { seen: before };
      const bait = log.must(bob, invitePayload(power, { write: [only] }), seen);
      log.must(bob, grantPayload(eve, power, { ...via(bait), write: [only] }), seen);
      expect(acting(log, eve)).toEqual([40, 3]);
      expect(log.access().voids.size).toBe(0);
    }
  });

  test('[AUTH-13] nor from whom another editor has let in', () => {
    const log = peopled();
    log.must(founder, grantPayload(dan, roles.editor));
    const open = log.must(bob, invitePayload({ rank: 40, perms: 3 }));
    log.must(bob, grantPayload(eve, { rank: 40, perms: 3 }, via(open)));
    for (const perms of [0, 1, 5]) {
      const bait = log.must(dan, invitePayload({ rank: 21, perms }));
      log.must(dan, grantPayload(eve, { rank: 21, perms }, via(bait)));
      expect(acting(log, eve)).toEqual([40, 3]);
    }
  });
});

describe('[AUTH-14] what ruleset 1 has not', () => {
  test('[AUTH-14] linked devices, depth and groups are refused for ever under it', () => {
    const log = peopled();
    const genesis = log.records[0]?.entry.id ?? zeros32;
    expect(codeOf(log.write(founder, grantPayload(eve, roles.editor, { member: genesis })))).toBe('control/forbidden');
    expect(codeOf(log.write(founder, grantPayload(eve, roles.editor, { depth: 1 })))).toBe('control/forbidden');
    expect(codeOf(log.write(founder, grantPayload(eve, roles.editor, { scope: genesis })))).toBe('control/forbidden');
    expect(codeOf(log.write(founder, viewerInvite({ scope: genesis })))).toBe('control/forbidden');
    expect(codeOf(log.write(founder, { ...epoch('k1'), scope: genesis } as ControlPayload))).toBe('control/forbidden');
  });
});
