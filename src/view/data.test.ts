import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { isKeeproomError } from './error.js';
import { permissions } from '../core/access/index.js';
import { collection, defineSchema, single } from './schema.js';
import { s } from './fields.js';
import { board, createRig, idOf, infoOf, mine, row, theirs } from './view.kit.js';

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return isKeeproomError(error) ? error.code : String(error);
  }
  return 'nothing thrown';
}

describe('writes', () => {
  test('are visible when the call returns, with defaults, and go out as ops of one domain', () => {
    const { data, sent } = createRig(board);
    const { id } = data.cards.insert({ x: 1, parent: undefined });
    expect(data.cards.get(id)).toEqual({ id, x: 1, text: '', kind: 'box', parent: null, extra: null, votes: 0 });
    data.cards.update(id, { text: 'hi', parent: id });
    data.cards.increment(id, 'votes', 3);
    data.cards.increment(id, 'votes', -1);
    expect(data.cards.get(id)).toMatchObject({ text: 'hi', parent: id, votes: 2 });
    data.cards.update(id, { parent: null });
    expect(data.cards.get(id)?.parent).toBeNull();
    data.cards.delete(id);
    expect(data.cards.get(id)).toBeNull();
    expect(sent.map(({ domain, ops }) => [domain, ops.map(({ op }) => op.kind)])).toEqual([
      ['main', ['insert']],
      ['main', ['update']],
      ['main', ['increment']],
      ['main', ['increment']],
      ['main', ['update']],
      ['main', ['delete']],
    ]);
    expect(sent[0]?.ops[0]?.op).toEqual({ kind: 'insert', collection: 'cards', id, fields: { x: 1 } });
    expect(id.endsWith(mine)).toBe(true);
  });

  test('a single is there before anybody wrote to it', () => {
    const { data, sent } = createRig(board);
    const heard: boolean[] = [];
    data.settings.subscribe(({ locked }) => heard.push(locked));
    data.settings.update({ locked: true });
    expect(data.settings.value).toMatchObject({ locked: true, opened: 0 });
    expect(heard).toEqual([false, true]);
    expect(sent[0]?.ops[0]?.op).toMatchObject({ kind: 'update', collection: 'settings', fields: { locked: true } });
  });

  test('nothing to write is no transaction, and done at once', async () => {
    const { data, sent } = createRig(board);
    const { id } = data.cards.insert({ x: 1 });
    const writes = [
      data.cards.update(id, {}),
      data.cards.update(id, { x: undefined }),
      data.cards.increment(id, 'votes', 0),
    ];
    for (const write of writes) await write.delivered();
    expect(sent).toHaveLength(1);
  });

  test('what was given may change afterwards, what is shown does not', () => {
    const { data } = createRig(board);
    const extra = { list: [1] };
    const { id } = data.cards.insert({ x: 1, extra });
    extra.list.push(2);
    expect(data.cards.get(id)?.extra).toEqual({ list: [1] });
  });

  test('[S14] denied locally throws, and shows nothing', () => {
    const chatter = createRig(board, infoOf(board, { perms: permissions.read | permissions.write, write: ['chat'] }));
    const { data, say } = chatter;
    say({}, [row('a', { x: 1 }), row('b', { body: 'theirs' }, { collection: 'chat' })]);
    expect(codeOf(() => data.cards.insert({ x: 1 }))).toBe('access/forbidden');
    expect(codeOf(() => data.settings.update({ locked: true }))).toBe('access/forbidden');
    expect(codeOf(() => data.chat.insert({ body: 'may' }))).toBe('nothing thrown');
    expect(codeOf(() => data.chat.update(idOf('b', theirs), { body: 'not mine' }))).toBe('access/forbidden');
    expect(codeOf(() => data.chat.delete(idOf('b', theirs)))).toBe('access/forbidden');
    const own = data.chat.insert({ body: 'mine' });
    expect(codeOf(() => data.chat.update(own.id, { body: 'still mine' }))).toBe('nothing thrown');
    expect(data.chat.get(idOf('b', theirs))?.body).toBe('theirs');
    expect(data.cards.count.value).toBe(1);

    const viewer = createRig(board, infoOf(board, { perms: permissions.read }));
    expect(codeOf(() => viewer.data.chat.insert({ body: 'no' }))).toBe('access/forbidden');
    const keeper = createRig(board);
    keeper.say({}, [row('b', { body: 'theirs' }, { collection: 'chat' })]);
    expect(codeOf(() => keeper.data.chat.delete(idOf('b', theirs)))).toBe('nothing thrown');
  });

  test('[S17] JSON that would come back as something else is refused', () => {
    const { data, sent } = createRig(board);
    // eslint-disable-next-line no-sparse-arrays
    for (const extra of [[, 1], { deep: [1, , 2] }, JSON.parse('{"__proto__":{"a":1},"b":2}')]) {
      expect(() => data.cards.insert({ x: 1, extra: extra as never })).toThrow(
        new TypeError(`cards.insert: extra: expected plain data, got ${Array.isArray(extra) ? 'Array' : 'Object'}`),
      );
    }
    expect(sent).toHaveLength(0);
  });

  test('records that are not there, values that do not fit, fields that nobody declared', () => {
    const { data, sent } = createRig(board);
    const { id } = data.cards.insert({ x: 1 });
    const js = data.cards as unknown as {
      insert: (values: unknown) => unknown;
      update: (id: unknown, patch: unknown) => unknown;
      increment: (id: unknown, field: string, by: unknown) => unknown;
      delete: (id: unknown) => unknown;
    };
    expect(codeOf(() => js.update(idOf('zz'), { x: 2 }))).toBe('record/not-found');
    expect(codeOf(() => js.update('no id', { x: 2 }))).toBe('record/not-found');
    expect(codeOf(() => js.delete(idOf('zz')))).toBe('record/not-found');
    expect(() => js.update(7, { x: 2 })).toThrow(new TypeError('cards.update: id: expected a text, got number'));
    expect(() => js.insert('x')).toThrow(new TypeError('cards.insert: expected an object, got string'));
    expect(() => js.insert({ x: 1, extra: new Map() })).toThrow(
      new TypeError('cards.insert: extra: expected plain data, got Map'),
    );
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => js.insert({ x: 1, extra: cycle })).toThrow(TypeError);
    expect(() => js.increment(id, 'votes', 1.5)).toThrow(RangeError);
    expect(() => js.increment(id, 'votes', '1')).toThrow(TypeError);
    for (const values of [
      {},
      { x: '1' },
      { x: 1, zz: 1 },
      { x: null },
      { x: Infinity },
      { x: 1, votes: 3 },
      { x: 1, kind: 'round' },
      { x: 1, text: 'x'.repeat(21) },
    ]) {
      expect(
        codeOf(() => js.insert(values)),
        JSON.stringify(values),
      ).toBe('record/invalid');
    }
    expect(codeOf(() => js.increment(id, 'x', 1))).toBe('record/invalid');
    expect(sent).toHaveLength(1);
    expect(data.cards.count.value).toBe(1);
    let message = '';
    try {
      js.insert({ x: 'a secret' });
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(/cards\.insert: x: expected .*number.*, got string/);
    expect(message).not.toContain('secret');
  });

  test('checks of the app run here, synchronously, and may transform', () => {
    const schema = defineSchema({
      app: 'checked',
      data: {
        people: collection({
          name: s.string().check(z.string().trim().min(1)),
          age: s.number().check(z.number().min(0)).optional(),
        }),
        late: collection({ body: s.string().check(z.string().refine(async () => Promise.resolve(true))) }),
      },
    });
    const { data } = createRig(schema, infoOf(schema));
    const { id } = data.people.insert({ name: ' Ada ' });
    expect(data.people.get(id)).toMatchObject({ name: 'Ada', age: null });
    data.people.update(id, { age: null });
    expect(codeOf(() => data.people.insert({ name: '  ' }))).toBe('record/invalid');
    expect(codeOf(() => data.people.update(id, { age: -1 }))).toBe('record/invalid');
    expect(() => data.late.insert({ body: 'x' })).toThrow(/synchronous/);
  });

  test('a schema that the room does not have yet: only what it has can be written', () => {
    const older = defineSchema({ app: 'board', data: { cards: collection({ x: s.number() }) } });
    const newer = defineSchema({
      app: 'board',
      data: { cards: collection({ x: s.number(), y: s.number().default(7) }), more: collection({ a: s.string() }) },
    });
    const { data, sent, say } = createRig(newer, infoOf(older));
    const { id } = data.cards.insert({ x: 1 });
    expect(data.cards.get(id)).toEqual({ id, x: 1, y: 7 });
    expect(codeOf(() => data.cards.update(id, { y: 1 }))).toBe('schema/not-published');
    expect(codeOf(() => data.more.insert({ a: '' }))).toBe('schema/not-published');
    expect(sent).toHaveLength(1);
    say({ info: infoOf(newer) });
    expect(codeOf(() => data.cards.update(id, { y: 1 }))).toBe('nothing thrown');
  });

  test('unknown fields of a newer schema stay in storage and out of rows', () => {
    const { data, say } = createRig(board);
    say({}, [row('a', { x: 1, later: 'x', kind: 5 })]);
    const id = idOf('a', theirs);
    expect(data.cards.get(id)).toEqual({ id, x: 1, text: '', kind: 'box', parent: null, extra: null, votes: 0 });
  });

  test('meta tells who and when, and how far it got', () => {
    const { data, say } = createRig(board);
    say({}, [row('a', { x: 1 }, { createdAtMs: 5, delivered: false })]);
    expect(data.cards.meta(idOf('a', theirs))).toEqual({
      createdBy: 'they',
      createdAt: new Date(5),
      saved: true,
      delivered: false,
    });
    const { id } = data.cards.insert({ x: 1 });
    expect(data.cards.meta(id)).toMatchObject({ createdBy: 'me', saved: false, delivered: false });
    expect(data.cards.meta(idOf('z'))).toBeNull();
  });

  test('watching one record: the same signal, told of that record only', () => {
    const { data, say } = createRig(board);
    const id = idOf('a', theirs);
    const signal = data.cards.watch(id);
    expect(data.cards.watch(id)).toBe(signal);
    const heard: (number | null)[] = [];
    const stop = signal.subscribe((card) => heard.push(card?.x ?? null));
    say({}, [row('a', { x: 1 })]);
    say({}, [row('b', { x: 9 })]);
    say({}, [row('a', null)]);
    stop();
    say({}, [row('a', { x: 2 })]);
    expect(heard).toEqual([null, 1, null]);
  });
});

describe('defineSchema', () => {
  test('[S17] refuses what is no schema, naming the place', () => {
    const define = defineSchema as (definition: unknown) => unknown;
    expect(() => define(undefined)).toThrow(new TypeError('defineSchema: expected an object, got undefined'));
    expect(() => define({ app: 'a', data: { x: 1 } })).toThrow(new TypeError('data.x: expected an object, got number'));
    expect(() => define({ app: 'a', data: { x: collection({ y: z.string() as never }) } })).toThrow(
      new TypeError('data.x.y: expected a field made by s, got Object'),
    );
    expect(() => define({ app: 'a', data: { x: collection({ id: s.string() }) } })).toThrow(/data\.x\.id/);
    expect(() => define({ app: 'a', data: {}, roles: { king: 3 } })).toThrow(/roles\.king/);
    expect(() => define({ app: 'a' })).toThrow(new TypeError('data: expected an object, got undefined'));
    expect(() => define({ app: 5, data: {} })).toThrow(new TypeError('app: expected a text, got number'));
    expect(() => define({ app: 'a', data: { x: collection(null as never) } })).toThrow(
      new TypeError('data.x: expected an object, got Null'),
    );
    expect(single({ a: s.counter() }, { domain: 'd' })).toMatchObject({ single: true, domain: 'd', owned: false });
  });
});
