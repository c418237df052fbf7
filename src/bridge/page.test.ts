import { describe, expect, test } from 'vitest';
import { type Bytes, fromHex, toBase64Url } from '../core/base/index.js';
import { decodePayload } from '../core/op/index.js';
import type { Declaration } from '../core/schema/index.js';
import { decodeDeclaration, encodeDeclaration, metaPrefix, schemaPrefix } from '../core/schema/index.js';
import type { FromWorker, RoomInfo } from './messages.js';
import type { FromPage, PageOp } from './page.js';
import { createPageGate } from './page.js';

const declaration: Declaration = {
  app: 'test',
  collections: {
    cards: {
      domain: 'main',
      owned: false,
      single: false,
      fields: { x: { kind: 'number', min: null, max: null, integer: false, need: 'required' } },
    },
  },
  roles: {},
};
const idBytes = Uint8Array.from({ length: 28 }, (_, i) => i);
const insert: PageOp = { kind: 'insert', collection: 'cards', id: toBase64Url(idBytes), fields: { x: 1 } };
const device = 'ab'.repeat(32);

function write(ops: readonly PageOp[], schema: Bytes | null): FromPage {
  return { t: 'write', room: 'r', n: 3, prev: 2, domain: 'd1', schema, ops };
}

describe('from the page', () => {
  test('a write becomes the payload that the engine signs', () => {
    const gate = createPageGate();
    const prefix = schemaPrefix(encodeDeclaration(declaration));
    const passed = gate.fromPage(write([insert, { kind: 'delete', collection: 'cards', id: insert.id }], prefix));
    if (!('pass' in passed) || passed.pass.t !== 'write') throw new Error('not passed');
    expect(passed.pass).toMatchObject({ t: 'write', room: 'r', n: 3, prev: 2, domain: 'd1' });
    expect(decodePayload(passed.pass.payload)).toEqual({
      ok: true,
      value: {
        schema: prefix,
        ops: [
          { ...insert, id: idBytes },
          { kind: 'delete', collection: 'cards', id: idBytes },
        ],
      },
    });
    const inMeta = gate.fromPage(write([insert], null));
    if (!('pass' in inMeta) || inMeta.pass.t !== 'write') throw new Error('not passed');
    expect(decodePayload(inMeta.pass.payload)).toMatchObject({ value: { schema: metaPrefix() } });
  });

  test('what has no encoding is rejected to the page, with what it wanted to write', () => {
    const gate = createPageGate();
    const tooLarge: PageOp = { ...insert, fields: { x: 'x'.repeat(200_000) } };
    for (const [ops, values] of [
      [[tooLarge], tooLarge.fields],
      [[{ ...insert, id: 'no id' }], insert.fields],
      [[{ ...insert, fields: { x: new Date(0) as never } }], { x: new Date(0) }],
      [[], null],
    ] as const) {
      expect(gate.fromPage(write(ops, null))).toMatchObject({
        answer: {
          t: 'view',
          room: 'r',
          update: { savedUpTo: 0, rejected: [{ n: 3, code: 'record/invalid', values }] },
        },
      });
    }
  });

  test('[X11] what was refused here never was for the engine: the write after it names the one before it', () => {
    const gate = createPageGate();
    const next = (n: number, prev: number, ops: readonly PageOp[]): unknown =>
      gate.fromPage({ t: 'write', room: 'r', n, prev, domain: 'd1', schema: null, ops });
    expect(next(3, 2, [])).toHaveProperty('answer');
    expect(next(4, 3, [])).toHaveProperty('answer');
    expect(next(5, 4, [insert])).toMatchObject({ pass: { n: 5, prev: 2 } });
    expect(next(6, 5, [insert])).toMatchObject({ pass: { n: 6, prev: 5 } });
  });

  test('a declaration is encoded; one that is none is answered with what was expected where', () => {
    const gate = createPageGate();
    const call = (args: unknown): FromPage => ({ t: 'call', id: 7, name: 'open', args });
    const passed = gate.fromPage(call({ room: 'r', declaration }));
    if (!('pass' in passed) || passed.pass.t !== 'call') throw new Error('not passed');
    const args = passed.pass.args as { room: string; declaration: Uint8Array<ArrayBuffer> };
    expect(args.room).toBe('r');
    expect(decodeDeclaration(args.declaration)).toEqual({ ok: true, value: declaration });

    const twice = {
      ...declaration,
      roles: { a: { rank: 40, write: 'all', can: [] }, b: { rank: 40, write: 'all', can: [] } },
    };
    for (const wrong of [twice, { ...declaration, app: '' }, { app: 'x' }, null, 7]) {
      const answer = gate.fromPage(call({ room: 'r', declaration: wrong }));
      expect(answer).toMatchObject({ answer: { t: 'reply-error', id: 7 } });
    }
    expect(gate.fromPage(call({ room: 'r', declaration: twice }))).toMatchObject({
      answer: { error: { name: 'RangeError', message: expect.stringMatching(/rank/) as unknown } },
    });
    expect(gate.fromPage({ t: 'resume' })).toEqual({ pass: { t: 'resume' } });
  });
});

describe('to the page', () => {
  const info: RoomInfo = {
    device,
    me: 'm',
    members: [{ id: 'm', rank: 0, perms: 127, write: null, devices: [device], online: true, invitedBy: null }],
    invites: [],
    domains: {},
    declarations: [encodeDeclaration(declaration), new Uint8Array([1])],
    network: 'alone',
    progress: 1,
    stalled: false,
    undelivered: 0,
    lastSyncedAtMs: null,
    blocked: null,
  };
  const view = (o: { info?: RoomInfo | null; code?: string }): FromWorker => ({
    t: 'view',
    room: 'r',
    update: {
      reset: false,
      records: null,
      savedUpTo: 0,
      deliveredUpTo: 0,
      info: o.info ?? null,
      rejected: o.code === undefined ? [] : [{ n: 1, code: o.code, collection: 'cards', id: '', values: null }],
    },
  });

  test('published schemas come decoded, with the prefix that names them; others are left out', () => {
    const gate = createPageGate();
    const first = gate.toPage(view({ info }));
    if (first.t !== 'view' || first.update.info === null) throw new Error('no info');
    const prefix = schemaPrefix(encodeDeclaration(declaration));
    expect(first.update.info.schemas).toEqual([{ prefix, declaration }]);
    const again = gate.toPage(view({ info: structuredClone(info) }));
    if (again.t !== 'view') throw new Error('no view');
    expect(again.update.info?.schemas[0]).toBe(first.update.info.schemas[0]);
    const creator = toBase64Url(fromHex(device.slice(0, 32))!);
    expect(first.update.info.device).toBe(creator);
    expect(first.update.info.members[0]?.devices).toEqual([creator]);
    expect(first.update.info.blocked).toBe(null);
    for (const blocked of ['device/cloned', 'device/forked']) {
      const told = gate.toPage(view({ info: { ...info, blocked } }));
      expect(told).toMatchObject({ update: { info: { blocked: 'device/blocked' } } });
    }
  });

  test('faults of the core become the few codes an app can act on', () => {
    const gate = createPageGate();
    const codes = [
      'entry/forbidden',
      'entry/owner',
      'entry/schema',
      'entry/missing-schema',
      'storage/fenced',
      'access/forbidden',
    ];
    const seen = codes.map((code) => {
      const message = gate.toPage(view({ code }));
      return message.t === 'view' ? message.update.rejected[0]?.code : null;
    });
    expect(seen).toEqual([
      'access/forbidden',
      'access/forbidden',
      'record/invalid',
      'schema/not-published',
      'storage/broken',
      'access/forbidden',
    ]);
  });

  test('errors keep class and code, and bring their advice', () => {
    const gate = createPageGate();
    const of = (name: 'KeeproomError' | 'RangeError' | 'AbortError', code: string): unknown =>
      gate.toPage({ t: 'reply-error', id: 1, error: { name, code, message: `${code}: words` } });
    expect(of('KeeproomError', 'invite/used')).toEqual({
      t: 'reply-error',
      id: 1,
      error: {
        name: 'KeeproomError',
        code: 'invite/used',
        message: 'words',
        action: 'Ask for a new invite.',
        retryable: false,
      },
    });
    expect(of('RangeError', '')).toMatchObject({ error: { name: 'RangeError' } });
    expect(of('AbortError', '')).toMatchObject({ error: { name: 'KeeproomError', code: 'aborted', retryable: true } });
    const engine = gate.toPage({
      t: 'engine',
      state: 'waiting',
      generation: 1,
      leader: false,
      error: { name: 'KeeproomError', code: 'storage/blocked', message: 'x' },
    });
    expect(engine).toMatchObject({ state: 'waiting', error: { code: 'storage/blocked', retryable: true } });
    expect(gate.toPage({ t: 'alive' })).toEqual({ t: 'alive' });
  });
});
