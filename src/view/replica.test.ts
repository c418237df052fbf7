import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RecordUpdate } from '../bridge/index.js';
import { fromBase64Url } from '../core/base/index.js';
import { createRecords } from '../core/record/index.js';
import { isKeeproomError, KeeproomError } from './error.js';
import { s } from './fields.js';
import type { Change } from './replica.js';
import { collection, defineSchema } from './schema.js';
import type { Write } from './types.js';
import { board, createRig, idOf, infoOf, row, theirs } from './view.kit.js';

async function outcome(promise: Promise<void>): Promise<string> {
  try {
    await promise;
    return 'done';
  } catch (error) {
    return isKeeproomError(error) ? error.code : String(error);
  }
}

/** Whether a promise is settled by now. */
async function isPending(promise: Promise<void>): Promise<boolean> {
  const pending = Symbol('pending');
  const first = await Promise.race([promise, new Promise((resolve) => setImmediate(() => resolve(pending)))]);
  return first === pending;
}

describe('own writes over the confirmed state', () => {
  test('stay on top of what comes meanwhile, and leave with their confirmation, which nobody sees', () => {
    const { data, say } = createRig(board);
    say({}, [row('a', { x: 1, votes: 10 })]);
    const id = idOf('a', theirs);
    data.cards.update(id, { x: 2 });
    data.cards.increment(id, 'votes', 5);
    const heard: (readonly [number, number])[] = [];
    data.cards.watch(id).subscribe((card) => heard.push([card!.x, card!.votes]));
    say({}, [row('a', { x: 7, votes: 11, text: 'theirs' })]);
    expect(data.cards.get(id)).toMatchObject({ x: 2, votes: 16, text: 'theirs' });
    say({ savedUpTo: 2 }, [row('a', { x: 2, votes: 16, text: 'theirs' })]);
    say({ deliveredUpTo: 2 });
    // Confirmation changes nothing that is shown.
    expect(heard).toEqual([
      [2, 15],
      [2, 16],
    ]);
  });

  test('survive a new engine that knows some of them', () => {
    const { data, say, replica } = createRig(board);
    const kept = data.cards.insert({ x: 1 });
    const lost = data.cards.insert({ x: 2 });
    say({ reset: true, savedUpTo: 1 }, [row('k', { x: 1 }, { id: kept.id })]);
    expect(data.cards.value.map(({ x }) => x).sort()).toEqual([1, 2]);
    expect(replica.unsaved().map(({ n }) => n)).toEqual([2]);
    expect(data.cards.meta(lost.id)?.saved).toBe(false);
  });

  test('the view is what the engine would show with the writes applied in order', () => {
    type Act =
      { do: 'insert' | 'update' | 'delete' | 'increment'; pick: number; x: number } | { do: 'confirm'; count: number };
    const act: fc.Arbitrary<Act> = fc.oneof(
      fc.record({
        do: fc.constantFrom('insert' as const, 'update' as const, 'delete' as const, 'increment' as const),
        pick: fc.nat(5),
        x: fc.integer({ min: 1, max: 9 }),
      }),
      fc.record({ do: fc.constant('confirm' as const), count: fc.integer({ min: 1, max: 4 }) }),
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 25 }), fc.boolean(), (acts, isReset) => {
        const { data, say, sent } = createRig(board);
        // The engine of this test: the core's own fold.
        const records = createRecords();
        let saved = 0;
        const confirm = (count: number): void => {
          const changes = sent.slice(saved, saved + count);
          const rows = changes.flatMap((change) => foldInto(records, change));
          saved += changes.length;
          const latest = new Map(rows.map((one) => [one.id, one]));
          const all = isReset ? [...records.entries('cards')].map(([id]) => rowOf(records, id)) : [...latest.values()];
          say({ savedUpTo: saved, reset: isReset }, all);
        };
        for (const one of acts) {
          if (one.do === 'confirm') confirm(one.count);
          else {
            const card = data.cards.value[one.pick];
            if (one.do === 'insert') data.cards.insert({ x: one.x });
            else if (card !== undefined && one.do === 'update') data.cards.update(card.id, { x: one.x });
            else if (card !== undefined && one.do === 'increment') data.cards.increment(card.id, 'votes', one.x);
            else if (card !== undefined) data.cards.delete(card.id);
          }
          const before = new Map(data.cards.value.map((card) => [card.id, card]));
          const ahead = createRecords();
          for (const change of sent) foldInto(ahead, change);
          const right = [...ahead.entries('cards')].map(([id, { fields }]) => [id, fields['x'], fields['votes'] ?? 0]);
          expect([...before.values()].map((card) => [card.id, card.x, card.votes]).sort()).toEqual(right.sort());
        }
      }),
      { numRuns: 200 },
    );
  });
});

/** Applies a change as the engine does; answers the rows that it would send. */
function foldInto(records: ReturnType<typeof createRecords>, { n, ops }: Change): RecordUpdate[] {
  const plain = ops.map(({ op }) => ({ ...op, id: fromBase64Url(op.id)! }));
  const changed = new Map<string, Set<string>>();
  records.apply({ author: '0'.repeat(64), hlc: { ms: 1000 + n, ctr: 0 }, ops: plain }, changed);
  return [...changed.values()].flatMap((ids) => [...ids]).map((id) => rowOf(records, id));
}

function rowOf(records: ReturnType<typeof createRecords>, id: string): RecordUpdate {
  const record = records.get('cards', id);
  return {
    collection: 'cards',
    id,
    fields: record?.fields ?? null,
    createdAtMs: record?.createdAtMs ?? 0,
    delivered: false,
  };
}

describe('transactions', () => {
  test('are one change, one notification, all or nothing', () => {
    const { data, writer, sent } = createRig(board);
    const heard: number[] = [];
    data.cards.count.subscribe((count) => heard.push(count));
    const write = writer.transact(() => {
      const { id } = data.cards.insert({ x: 1 });
      data.cards.update(id, { x: 2 });
      expect(data.cards.get(id)?.x).toBe(2);
      data.cards.insert({ x: 3 });
      return id;
    });
    expect(data.cards.get(write.result)?.x).toBe(2);
    expect(heard).toEqual([0, 2]);
    expect(sent.map(({ ops }) => ops.length)).toEqual([3]);

    expect(() =>
      writer.transact(() => {
        data.cards.insert({ x: 4 });
        data.cards.update(write.result, { x: 9 });
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(data.cards.get(write.result)?.x).toBe(2);
    expect(heard).toEqual([0, 2]);
    expect(sent).toHaveLength(1);
  });

  test('stay inside one domain, and say which two they would touch', () => {
    const { data, writer, sent } = createRig(board);
    const crossing = (): unknown =>
      writer.transact(() => {
        data.cards.insert({ x: 1 });
        data.chat.insert({ body: 'x' });
      });
    expect(crossing).toThrow(/transact\/crosses-domains.*"main".*"chat"/);
    expect(data.cards.count.value).toBe(0);
    expect(sent).toHaveLength(0);
  });

  test('a failed op inside can be caught; one inside another belongs to it', () => {
    const { data, writer, sent } = createRig(board);
    writer.transact(() => {
      data.cards.insert({ x: 1 });
      expect(() => data.cards.update(idOf('zz'), { x: 1 })).toThrow(KeeproomError);
      writer.transact(() => data.cards.insert({ x: 2 }));
    });
    expect(sent.map(({ ops }) => ops.length)).toEqual([2]);
  });

  test('[X11] one inside another that fails takes its ops along, whoever catches what it threw', async () => {
    const { data, writer, sent, say } = createRig(board);
    const heard: number[][] = [];
    data.cards.subscribe((cards) => heard.push(cards.map(({ x }) => x)));
    const fail = (x: number): void => {
      expect(() =>
        writer.transact(() => {
          data.cards.insert({ x });
          throw new Error('no');
        }),
      ).toThrow('no');
    };
    const write = writer.transact(() => {
      fail(1);
      data.cards.insert({ x: 2 });
      fail(3);
      // What went had named another domain.
      expect(() => data.chat.insert({ body: 'x' })).toThrow(/crosses-domains/);
    });
    expect(heard).toEqual([[], [2]]);
    expect(sent.map(({ n, ops }) => [n, ops.length])).toEqual([[1, 1]]);
    expect(writer.transact(() => fail(4)).result).toBe(undefined);
    expect(sent).toHaveLength(1);
    say({ savedUpTo: 1 });
    expect(await outcome(write.saved())).toBe('done');
    expect(data.cards.count.value).toBe(0);
  });

  test('take a synchronous function only', () => {
    const { data, writer, sent } = createRig(board);
    const late = async (): Promise<void> => {
      data.cards.insert({ x: 1 });
      await Promise.resolve();
    };
    expect(() => writer.transact(late)).toThrow(
      new TypeError('transact: expected a synchronous function, got Promise'),
    );
    expect(() => writer.transact(7 as never)).toThrow(new TypeError('transact: expected a function, got number'));
    expect(data.cards.count.value).toBe(0);
    expect(sent).toHaveLength(0);
  });

  test('writes fit one published schema together, or are refused', () => {
    const { data, writer, sent } = createRig(board, infoOf(board, { domains: { main: '01' } }));
    expect(() => data.chat.insert({ body: 'x' })).toThrow(/schema\/not-published/);
    writer.transact(() => data.cards.insert({ x: 1 }));
    expect(sent[0]?.schemas[0]?.prefix).toEqual(new Uint8Array(8));
  });

  test('[F23] what the room has no schema for can be caught, and the rest goes out under the schema it fits', () => {
    const cards = collection({ x: s.number() });
    const older = defineSchema({ app: 'board', data: { cards } });
    const newer = defineSchema({ app: 'board', data: { cards, tags: collection({ name: s.string() }) } });
    const { data, writer, sent } = createRig(newer, infoOf(older));
    writer.transact(() => {
      data.cards.insert({ x: 1 });
      expect(() => data.tags.insert({ name: 'new' })).toThrow(/schema\/not-published/);
      data.cards.insert({ x: 2 });
    });
    expect(sent.map(({ ops, schemas }) => [ops.length, schemas.length])).toEqual([[2, 1]]);
  });
});

describe('saved and delivered', () => {
  test('resolve when the engine says so, for each write of the tab on its own', async () => {
    const { data, say } = createRig(board);
    const writes: Write[] = [data.cards.insert({ x: 1 }), data.cards.insert({ x: 2 })];
    const saved = writes.map((write) => write.saved());
    const delivered = writes.map((write) => write.delivered());
    say({ savedUpTo: 1 });
    await saved[0];
    expect(await isPending(saved[1]!)).toBe(true);
    say({ savedUpTo: 2, deliveredUpTo: 1 });
    await Promise.all([saved[1], delivered[0]]);
    expect(await isPending(delivered[1]!)).toBe(true);
    say({ deliveredUpTo: 2 });
    await delivered[1];
    await writes[0]!.delivered();
  });

  test('a refused write leaves the view; its waits fail, earlier and later ones', async () => {
    const { data, say, replica } = createRig(board);
    say({}, [row('a', { x: 1 })]);
    const id = idOf('a', theirs);
    const write = data.cards.update(id, { x: 2 });
    const waits = [write.saved(), write.delivered()];
    const rejected = [{ n: 1, code: 'access/forbidden' as const, collection: 'cards', id, values: { x: 2 } }];
    say({ savedUpTo: 1, rejected });
    expect(data.cards.get(id)?.x).toBe(1);
    expect(replica.unsaved()).toEqual([]);
    for (const wait of [...waits, write.saved(), write.delivered()])
      expect(await outcome(wait)).toBe('access/forbidden');
  });

  test('a write that loses its effect after it was saved fails what still waits', async () => {
    const { data, say } = createRig(board);
    const write = data.cards.insert({ x: 1 });
    say({ savedUpTo: 1 }, [row('b', { x: 1 }, { id: write.id })]);
    const delivered = write.delivered();
    const rejected = [{ n: 1, code: 'access/forbidden' as const, collection: 'cards', id: write.id, values: null }];
    say({ rejected }, [row('b', null, { id: write.id })]);
    expect(await outcome(delivered)).toBe('access/forbidden');
    expect(data.cards.get(write.id)).toBeNull();
  });

  test('waits end with their signal, with the handle, and with trouble of storage; the write goes on', async () => {
    const { data, say, replica, scope } = createRig(board);
    const write = data.cards.insert({ x: 1 });
    const ended = AbortSignal.abort(new Error('why'));
    expect(await outcome(write.saved({ signal: ended }))).toBe('aborted');
    const giveUp = new AbortController();
    const waiting = write.saved({ signal: giveUp.signal });
    giveUp.abort();
    expect(await outcome(waiting)).toBe('aborted');
    const full = write.saved();
    replica.failWaits(new KeeproomError('storage/full', 'x'));
    expect(await outcome(full)).toBe('storage/full');
    expect(data.cards.get(write.id)?.x).toBe(1);
    const again = write.saved();
    say({ savedUpTo: 1 }, [row('a', { x: 1 }, { id: write.id })]);
    expect(await outcome(again)).toBe('done');
    const delivered = write.delivered();
    scope.close();
    expect(await outcome(delivered)).toBe('room/closed');
    expect(await outcome(write.delivered())).toBe('room/closed');
    expect(() => data.cards.insert({ x: 2 })).toThrow(/room\/closed/);
    expect(data.cards.get(write.id)?.x).toBe(1);
    await expect(write.saved({ signal: 5 as never })).rejects.toThrow(TypeError);
    await expect(write.saved(null as never)).rejects.toThrow(new TypeError('options: expected an object, got Null'));
  });

  test('a write inside a transaction that failed fails its waits', async () => {
    const { data, writer } = createRig(board);
    let write: Write | null = null;
    expect(() =>
      writer.transact(() => {
        write = data.cards.insert({ x: 1 });
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(await outcome(write!.saved())).toBe('aborted');
  });
});

test('[S17] a subscription whose first run throws has not begun; what its first run writes is told', () => {
  const { data } = createRig(board);
  let runs = 0;
  const fail = (): void => {
    runs++;
    throw new Error('no');
  };
  expect(() => data.cards.subscribe(fail)).toThrow('no');
  data.cards.insert({ x: 1 });
  expect(runs).toBe(1);
  const heard: number[] = [];
  data.cards.count.subscribe((count) => {
    heard.push(count);
    if (count === 1) data.cards.insert({ x: 2 });
  });
  expect(heard).toEqual([1, 2]);
});

test('subscriptions end with the handle', () => {
  const { data, scope, say } = createRig(board);
  const heard: number[] = [];
  data.cards.count.subscribe((count) => heard.push(count));
  scope.close();
  say({}, [row('a', { x: 1 })]);
  expect(heard).toEqual([0]);
});
