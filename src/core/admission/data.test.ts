import { describe, expect, test } from 'vitest';
import type { Bytes, Result } from '../base/index.js';
import { toHex } from '../base/index.js';
import type { AccessState, ControlPayload, DomainState } from '../access/index.js';
import { maxFutureMs, type Hlc } from '../clock/index.js';
import { entryId, entryKinds, type Entry } from '../entry/index.js';
import { createRecordId, profileRecordId, singleRecordId } from '../identity/index.js';
import { encodePayload, type Op, type Payload } from '../op/index.js';
import type { Declaration } from '../schema/index.js';
import { metaDeclaration, metaPrefix } from '../schema/index.js';
import { admitData, judgeEffect, type DataContext } from './index.js';
import { createLog, firstMs, grantPayload, idOf, invitePayload, limits, roles, zeros32, type Log } from './log.kit.js';

const [ada, bob, cyd, dan] = ['ada', 'bob', 'cyd', 'dan'].map(idOf) as [Bytes, Bytes, Bytes, Bytes];
const kid = idOf('kid');
const appPrefix = new Uint8Array(8).fill(9);
const text = { kind: 'string', maxLength: 10, need: 'required' } as const;
const app: Declaration = {
  app: 'test',
  collections: {
    notes: { domain: 'main', owned: true, single: false, fields: { text, votes: { kind: 'counter' } } },
    cards: { domain: 'main', owned: false, single: false, fields: { text } },
    board: {
      domain: 'main',
      owned: false,
      single: true,
      fields: { title: { kind: 'string', maxLength: null, need: 'optional' } },
    },
  },
  roles: {},
};

const newDomain: ControlPayload = { kind: 'domain', scope: zeros32, isMeta: false, nonce: idOf('one').slice(0, 16) };

interface Room {
  readonly log: Log;
  readonly meta: Bytes;
  readonly main: Bytes;
  readonly other: Bytes;
}

/** Owner, admin, an editor of `main` alone, a viewer; meta and two data domains. */
function room(o: { limits?: typeof limits } = {}): Room {
  const log = createLog('founder', o);
  const domain = (isMeta: boolean): Bytes =>
    log.must(log.founder, { kind: 'domain', scope: zeros32, isMeta, nonce: new Uint8Array(16) }).entry.id;
  const [meta, main, other] = [domain(true), domain(false), domain(false)];
  log.must(log.founder, { kind: 'epoch', scope: zeros32, kid, gen: 1, parents: [], links: [] });
  log.must(log.founder, grantPayload(ada, roles.admin));
  log.must(log.founder, grantPayload(bob, roles.editor, { write: [main] }));
  log.must(log.founder, grantPayload(cyd, roles.viewer));
  return { log, meta, main, other };
}

interface Case {
  readonly author: Bytes;
  readonly domain: Bytes;
  readonly ops?: readonly Op[];
  readonly payload?: Bytes | null;
  readonly schema?: Bytes;
  readonly entry?: Partial<Entry>;
  readonly head?: DataContext['head'];
  readonly name?: string | null;
  readonly known?: ReadonlyMap<string, Hlc>;
  readonly nowMs?: number;
  readonly access?: AccessState;
}

const insert: Op = {
  kind: 'insert',
  collection: 'cards',
  id: createRecordId(new Uint8Array(12), bob),
  fields: { text: 'hi' },
};

function build(r: Room, c: Case): { entry: Entry; context: DataContext } {
  const access = c.access ?? r.log.access();
  const domain: DomainState | undefined = access.domains.get(toHex(c.domain));
  if (domain === undefined) throw new TypeError('expected a domain');
  const schema = c.schema ?? (domain.isMeta ? metaPrefix() : appPrefix);
  const payload: Payload = { schema, ops: c.ops ?? [insert] };
  const cap = access.devices.get(toHex(c.author))?.record.entry.id ?? zeros32;
  const place = { roomId: r.log.roomId, domainId: c.domain, author: c.author, seq: 0, prev: zeros32 };
  const body = {
    kind: entryKinds.data,
    boot: new Uint8Array(8),
    cap,
    kid,
    hlcMs: firstMs + 100,
    hlcCtr: 0,
    deps: [],
    payload: c.payload === undefined ? encodePayload(payload) : c.payload,
    commit: zeros32,
  };
  const entry: Entry = { ...place, ...body, id: entryId(place, body), ...c.entry };
  const name = c.name === undefined ? (domain.isMeta ? 'meta' : 'main') : c.name;
  const context: DataContext = {
    access,
    domain,
    domainName: name,
    head: c.head ?? null,
    hlcOf: (id) => c.known?.get(id) ?? null,
    declaration: (prefix) =>
      prefix === toHex(metaPrefix()) ? metaDeclaration : prefix === toHex(appPrefix) ? app : null,
    roomNowMs: c.nowMs ?? firstMs + 100,
  };
  return { entry, context };
}

function codeOf(result: Result<unknown>): string | null {
  return result.ok ? null : result.fault.code;
}

function admitted(r: Room, c: Case): string | null {
  const { entry, context } = build(r, c);
  return codeOf(admitData(entry, context));
}

function effect(r: Room, c: Case): string | null {
  const { entry, context } = build(r, c);
  return codeOf(judgeEffect(entry, context));
}

const base = room();
const head = { seq: 4, id: idOf('head'), hlc: { ms: firstMs + 50, ctr: 2 } };
const fifth = { seq: 5, prev: head.id };

describe('[ADM-3] may a data entry join, in this order', () => {
  test('[ADM-3] one of an editor in its domain does', () => {
    expect(admitted(base, { author: bob, domain: base.main })).toBeNull();
    expect(admitted(base, { author: bob, domain: base.main, head, entry: fifth })).toBeNull();
  });

  test('[F19] a data domain has one kind of entry', () => {
    for (const kind of [entryKinds.genesis, entryKinds.grant, 255]) {
      expect(admitted(base, { author: bob, domain: base.main, entry: { kind } })).toBe('entry/unknown-kind');
    }
  });

  test('[ADM-3] place: the next of its chain, on the branch that is held; a first entry has no prev', () => {
    expect(admitted(base, { author: bob, domain: base.main, entry: { seq: 1 } })).toBe('entry/missing-prev');
    expect(admitted(base, { author: bob, domain: base.main, head })).toBe('entry/missing-prev');
    expect(admitted(base, { author: bob, domain: base.main, head, entry: { ...fifth, seq: 6 } })).toBe(
      'entry/missing-prev',
    );
    expect(admitted(base, { author: bob, domain: base.main, head, entry: { ...fifth, prev: idOf('x') } })).toBe(
      'entry/missing-prev',
    );
    expect(admitted(base, { author: bob, domain: base.main, entry: { prev: idOf('x') } })).toBe('entry/malformed');
  });

  test('[ADM-3] dependencies and cap: what is not here is waited for', () => {
    const dep = idOf('dep');
    expect(admitted(base, { author: bob, domain: base.main, entry: { deps: [dep] } })).toBe('entry/missing-dep');
    expect(
      admitted(base, {
        author: bob,
        domain: base.main,
        entry: { deps: [dep] },
        known: new Map([[toHex(dep), head.hlc]]),
      }),
    ).toBeNull();
    expect(admitted(base, { author: bob, domain: base.main, entry: { cap: idOf('later') } })).toBe('entry/missing-cap');
  });

  test('[ADM-4] only the first entry of a chain is refused for its grant, and for ever', () => {
    expect(admitted(base, { author: cyd, domain: base.main })).toBe('entry/no-grant');
    expect(admitted(base, { author: bob, domain: base.other })).toBe('entry/no-grant');
    const adas = base.log.access().devices.get(toHex(ada))?.record.entry.id ?? zeros32;
    expect(admitted(base, { author: bob, domain: base.main, entry: { cap: adas } })).toBe('entry/no-grant');
    expect(admitted(base, { author: cyd, domain: base.main, head, entry: fifth })).toBeNull();
    expect(effect(base, { author: cyd, domain: base.main, head, entry: fifth })).toBe('entry/scope');
    expect(effect(base, { author: bob, domain: base.main, head, entry: { ...fifth, cap: adas } })).toBe('entry/cap');
  });

  test('[F17] the future is held, by the clock of the room', () => {
    const hlcMs = firstMs + maxFutureMs + 1;
    expect(admitted(base, { author: bob, domain: base.main, entry: { hlcMs }, nowMs: firstMs })).toBe(
      'entry/future-clock',
    );
    expect(admitted(base, { author: bob, domain: base.main, entry: { hlcMs }, nowMs: firstMs + 1 })).toBeNull();
  });

  test('[ADM-3] nothing of it depends on content', () => {
    expect(admitted(base, { author: bob, domain: base.main, payload: Uint8Array.of(0xc1) })).toBeNull();
    expect(admitted(base, { author: bob, domain: base.main, payload: null })).toBeNull();
  });
});

describe('[ADM-5] has it an effect', () => {
  test('[ADM-5] it has, and the payload is what it says', () => {
    const { entry, context } = build(base, { author: bob, domain: base.main });
    expect(judgeEffect(entry, context)).toEqual({ ok: true, value: { schema: appPrefix, ops: [insert] } });
  });

  test('[ADM-5] not under a grant that has none; with the grant it comes back', () => {
    const r = room();
    const invite = r.log.must(r.log.founder, invitePayload(roles.editor));
    const before = [...r.log.records];
    const via = { invite: invite.entry.id, use: 0, requestId: new Uint8Array(16) };
    r.log.must(ada, grantPayload(dan, roles.editor, { via }));
    const id = createRecordId(new Uint8Array(12), dan);
    const { entry, context } = build(r, { author: dan, domain: r.main, ops: [{ ...insert, id }] });
    expect(judgeEffect(entry, context).ok).toBe(true);
    r.log.must(
      r.log.founder,
      { kind: 'revoke', targetKind: 3, target: invite.entry.id, cascade: false },
      { seen: before },
    );
    expect(codeOf(judgeEffect(entry, { ...context, access: r.log.access() }))).toBe('entry/grant-void');
    expect(codeOf(admitData(entry, { ...context, access: r.log.access() }))).toBeNull();
  });

  test('[F13] one under an epoch that control does not name waits for it', () => {
    const entry = { kid: idOf('another') };
    expect(admitted(base, { author: bob, domain: base.main, entry })).toBe('entry/missing-key');
    expect(admitted(base, { author: bob, domain: base.main, head, entry: { ...fifth, ...entry } })).toBe(
      'entry/missing-key',
    );
  });

  test('[F17] not with a time that is not after its past', () => {
    const { ms, ctr } = head.hlc;
    const at = (hlcMs: number, hlcCtr: number): string | null =>
      effect(base, { author: bob, domain: base.main, head, entry: { ...fifth, hlcMs, hlcCtr } });
    expect(at(ms, ctr)).toBe('entry/clock');
    expect(at(ms - 1, 9)).toBe('entry/clock');
    expect(at(ms, ctr + 1)).toBeNull();
    const dep = idOf('dep');
    const known = new Map([[toHex(dep), { ms: firstMs + 100, ctr: 0 }]]);
    expect(effect(base, { author: bob, domain: base.main, known, entry: { deps: [dep] } })).toBe('entry/clock');
    expect(effect(base, { author: bob, domain: base.main, known, entry: { deps: [dep], hlcCtr: 1 } })).toBeNull();
  });

  test('[ADM-9] not above the sizes that genesis says', () => {
    const small = room({ limits: { ...limits, maxPayload: 52, maxDeps: 1 } });
    expect(effect(small, { author: bob, domain: small.main })).toBe('entry/size');
    const ops: Op[] = [{ kind: 'delete', collection: 'cards', id: insert.id }];
    expect(effect(small, { author: bob, domain: small.main, ops })).toBeNull();
    const deps = [idOf('a'), idOf('b')];
    const known = new Map(deps.map((dep) => [toHex(dep), head.hlc]));
    expect(effect(small, { author: bob, domain: small.main, ops, known, entry: { deps } })).toBe('entry/size');
  });

  test('[ADM-5] not without a payload, or with one that is malformed', () => {
    expect(effect(base, { author: bob, domain: base.main, payload: null })).toBe('entry/payload');
    expect(effect(base, { author: bob, domain: base.main, payload: Uint8Array.of(0xc1) })).toBe('entry/payload');
  });

  test('[F23] an unknown schema version, or a domain without a name, is waited for', () => {
    expect(effect(base, { author: bob, domain: base.main, schema: new Uint8Array(8) })).toBe('entry/missing-schema');
    expect(effect(base, { author: bob, domain: base.main, name: null })).toBe('entry/missing-schema');
    expect(effect(base, { author: bob, domain: base.main, name: 'another' })).toBe('entry/schema');
  });

  test('[F20] one op that is not allowed takes its whole transaction with it', () => {
    const bad: Op = { ...insert, fields: { text: 'longer than it may be' } };
    expect(effect(base, { author: bob, domain: base.main, ops: [insert, bad] })).toBe('entry/schema');
    const others: Op = { ...insert, id: createRecordId(new Uint8Array(12), ada) };
    expect(effect(base, { author: bob, domain: base.main, ops: [insert, others] })).toBe('entry/creator');
    expect(
      effect(base, { author: bob, domain: base.main, ops: [insert, { kind: 'opaque', code: 99, rest: [1] }] }),
    ).toBeNull();
  });
});

describe('[ADM-7] records that have an owner', () => {
  const note = (by: Bytes): Bytes => createRecordId(new Uint8Array(12), by);
  const changes = (id: Bytes): Op[] => [
    { kind: 'update', collection: 'notes', id, fields: { text: 'x' } },
    { kind: 'delete', collection: 'notes', id },
    { kind: 'increment', collection: 'notes', id, field: 'votes', by: 1 },
  ];

  test('[ADM-7] are changed by their owner, and by whoever manages records', () => {
    for (const op of changes(note(bob))) {
      expect(effect(base, { author: bob, domain: base.main, ops: [op] })).toBeNull();
      expect(effect(base, { author: ada, domain: base.main, ops: [op] })).toBeNull();
    }
    for (const op of changes(note(ada)))
      expect(effect(base, { author: bob, domain: base.main, ops: [op] })).toBe('entry/owner');
    for (const op of changes(note(idOf('nobody'))))
      expect(effect(base, { author: bob, domain: base.main, ops: [op] })).toBe('entry/owner');
  });

  test('[ADM-7] in a collection without owners anybody who writes there changes anything', () => {
    const op: Op = { kind: 'update', collection: 'cards', id: note(ada), fields: { text: 'x' } };
    expect(effect(base, { author: bob, domain: base.main, ops: [op] })).toBeNull();
  });

  test('[ADM-7] a device that is granted a second time keeps what it made, whatever the ids of its grants', () => {
    const r = room();
    const { entry, context } = build(r, { author: bob, domain: r.main, ops: changes(note(bob)) });
    for (let i = 0; i < 6; i++) {
      const again = r.log.must(r.log.founder, grantPayload(bob, roles.editor));
      const access = r.log.access();
      expect(codeOf(judgeEffect(entry, { ...context, access }))).toBeNull();
      expect(codeOf(judgeEffect({ ...entry, cap: again.entry.id }, { ...context, access }))).toBeNull();
    }
  });
});

describe('[ADM-8] meta', () => {
  const meta = (author: Bytes, op: Op): string | null => effect(base, { author, domain: base.meta, ops: [op] });
  const own = (author: Bytes): Bytes => createRecordId(new Uint8Array(12).fill(1), author);
  const founder = base.log.founder;
  const profile = (of: Bytes): Op => ({
    kind: 'insert',
    collection: '$profiles',
    id: profileRecordId(of),
    fields: { name: 'Ada' },
  });

  test('[X3] everybody who reads has a chain there, and writes its own profile and no other', () => {
    expect(admitted(base, { author: cyd, domain: base.meta, ops: [profile(cyd)] })).toBeNull();
    expect(meta(cyd, profile(cyd))).toBeNull();
    expect(meta(cyd, profile(bob))).toBe('entry/owner');
    expect(meta(founder, profile(bob))).toBe('entry/owner');
    const id = profileRecordId(bob);
    for (const op of [
      { kind: 'update', collection: '$profiles', id, fields: { name: 'x' } },
      { kind: 'delete', collection: '$profiles', id },
    ] as Op[]) {
      expect(meta(ada, op)).toBe('entry/owner');
      expect(meta(bob, op)).toBeNull();
    }
    expect(meta(cyd, { kind: 'insert', collection: '$profiles', id: own(cyd), fields: { name: 'x' } })).toBe(
      'entry/owner',
    );
  });

  test('[X3] a grant without READ has no chain there', () => {
    const r = room();
    r.log.must(r.log.founder, grantPayload(dan, { rank: 40, perms: 0 }));
    expect(admitted(r, { author: dan, domain: r.meta, ops: [profile(dan)] })).toBe('entry/no-grant');
  });

  test('[X3] each collection takes its permission', () => {
    const r = room();
    const perms = { $schema: 64, $domains: 64, $roles: 16, $invites: 4 } as const;
    const fields = {
      $schema: { declaration: 'x' },
      $domains: { name: 'main', domain: '' },
      $roles: { name: 'guest', rank: 40, perms: 1 },
      $invites: { invite: 'x', inviteId: 'x', psk: 'x' },
    };
    for (const collection of Object.keys(perms) as (keyof typeof perms)[]) {
      const [has, lacks] = ['has', 'lacks'].map((word) => idOf(word + collection)) as [Bytes, Bytes];
      r.log.must(r.log.founder, grantPayload(has, { rank: 40, perms: 1 | perms[collection] }));
      r.log.must(r.log.founder, grantPayload(lacks, { rank: 40, perms: 127 & ~perms[collection] }));
      if (collection === '$domains') fields.$domains.domain = r.log.must(has, newDomain).id;
      const op = (author: Bytes): Op => ({ kind: 'insert', collection, id: own(author), fields: fields[collection] });
      expect(effect(r, { author: has, domain: r.meta, ops: [op(has)] }), collection).toBeNull();
      expect(effect(r, { author: lacks, domain: r.meta, ops: [op(lacks)] }), collection).toBe('entry/forbidden');
      expect(effect(r, { author: has, domain: r.meta, ops: [op(lacks)] }), collection).toBe('entry/creator');
    }
    const title: Op = { kind: 'update', collection: '$room', id: singleRecordId(), fields: { title: 'x' } };
    expect(meta(ada, title)).toBeNull();
    expect(meta(bob, title)).toBe('entry/forbidden');
  });

  test('[X3] a domain is named by its author alone, once control names it here', () => {
    const r = room();
    const named = r.log.write(ada, newDomain);
    if (!named.ok) throw new TypeError(named.fault.code);
    const name = (author: Bytes, domain: string, access?: AccessState): string | null => {
      const op: Op = { kind: 'insert', collection: '$domains', id: own(author), fields: { name: '!', domain } };
      return effect(r, { author, domain: r.meta, ops: [op], ...(access && { access }) });
    };
    expect(name(ada, named.value.id)).toBeNull();
    expect(name(founder, named.value.id)).toBe('entry/owner');
    expect(name(ada, toHex(r.main))).toBe('entry/owner');
    expect(name(founder, toHex(r.main))).toBeNull();
    expect(name(ada, named.value.id, base.log.access())).toBe('entry/missing-dep');
    expect(name(bob, toHex(idOf('nothing')))).toBe('entry/forbidden');
    expect(name(ada, 'x')).toBe('entry/schema');
  });

  test('[X3] what others admit by is changed by its maker alone', () => {
    for (const op of [
      { kind: 'update', collection: '$invites', id: own(ada), fields: { psk: 'x' } },
      { kind: 'delete', collection: '$invites', id: own(ada) },
    ] as Op[]) {
      expect(meta(bob, op)).toBe('entry/owner');
      expect(meta(founder, op)).toBe('entry/owner');
      expect(meta(ada, op)).toBeNull();
    }
  });

  test('[ADM-8] schema versions and domain names only grow', () => {
    for (const collection of ['$schema', '$domains']) {
      const id = own(ada);
      const fields = collection === '$schema' ? { declaration: 'x' } : { name: 'x' };
      for (const op of [
        { kind: 'delete', collection, id },
        { kind: 'update', collection, id, fields },
      ] as Op[])
        expect(meta(ada, op)).toBe('entry/forbidden');
    }
    expect(meta(ada, { kind: 'delete', collection: '$roles', id: own(ada) })).toBeNull();
    expect(meta(ada, { kind: 'opaque', code: 77, rest: [] })).toBeNull();
  });

  test('[ADM-8] our own schema is for meta alone, whatever a data domain is called', () => {
    const forged: Op = {
      kind: 'update',
      collection: '$profiles',
      id: profileRecordId(ada),
      fields: { name: 'not Ada' },
    };
    expect(effect(base, { author: bob, domain: base.main, schema: metaPrefix(), ops: [forged] })).toBe('entry/schema');
    expect(effect(base, { author: bob, domain: base.main, schema: metaPrefix(), ops: [forged], name: 'meta' })).toBe(
      'entry/schema',
    );
    expect(effect(base, { author: ada, domain: base.meta, schema: appPrefix, ops: [insert] })).toBe('entry/schema');
  });
});
