import { describe, expect, test } from 'vitest';
import type { InviteInfo } from '../bridge/index.js';
import { permissions } from '../core/access/index.js';
import { isKeeproomError } from '../view/index.js';
import { board, infoOf } from '../view/view.kit.js';
import { createClient } from './client.js';
import type { FakeWorker } from './fake-worker.kit.js';
import { createFakeWorker, over, settled, view, wake } from './fake-worker.kit.js';
import type { Room } from './types.js';

const made: InviteInfo = { id: 'i1', code: 'secret', rank: 40, expiresAtMs: 5, usesLeft: 3 };
const foreign: InviteInfo = { id: 'i2', code: null, rank: 20, expiresAtMs: 6, usesLeft: 1 };

async function open(): Promise<{ worker: FakeWorker; room: Room<typeof board> }> {
  const worker = createFakeWorker((message, self) => {
    if (message.t === 'start') wake(self);
    if (message.t !== 'call' || message.name !== 'open') return;
    view(self, 'r1', { reset: true, info: infoOf(board, { invites: [made, foreign] }) }, []);
    self.say({ t: 'reply', id: message.id, value: { room: 'r1' } });
  });
  return { worker, room: (await createClient(over(worker)).openRoom('r1', { schema: board }))! };
}

describe('invites', () => {
  test('are listed with their roles; only who made one has its link', async () => {
    const { worker, room } = await open();
    const before = room.invites.value;
    expect(before).toMatchObject([
      { id: 'i1', code: 'secret', role: 'guest', expiresAt: new Date(5), usesLeft: 3 },
      { id: 'i2', code: '', role: 'editor' },
    ]);
    expect(before[0]?.link('https://a.example/')).toBe('https://a.example/#keeproom=secret');
    expect(() => before[1]?.link('https://a.example/')).toThrow(/invite\/invalid/);
    view(worker, 'r1', { info: infoOf(board, { invites: [made, foreign], undelivered: 1 }) });
    expect(room.invites.value).toBe(before);
    view(worker, 'r1', { info: infoOf(board, { invites: [made] }) });
    expect(room.invites.value[0]).toBe(before[0]);
  });

  test('a role is what a grant of it says', async () => {
    const { worker, room } = await open();
    const { read, write, invite } = permissions;
    for (const [role, data] of [
      ['guest', { rank: 40, perms: read | write, write: ['chat'] }],
      ['editor', { rank: 20, perms: read | write | invite, write: null }],
      ['viewer', { rank: 30, perms: read, write: null }],
    ] as const) {
      const creating = room.invites.create({ role });
      const call = worker.of('call').at(-1)!;
      expect(call).toMatchObject({
        name: 'createInvite',
        args: { room: 'r1', role: data, maxUses: 65_535, expiresInMs: 604_800_000 },
      });
      worker.say({ t: 'reply', id: call.id, value: made });
      expect((await creating).code).toBe('secret');
    }
    const strict = room.invites.create({ role: 'viewer', maxUses: 1, expiresInMs: 60_000 });
    const call = worker.of('call').at(-1)!;
    expect(call.args).toMatchObject({ maxUses: 1, expiresInMs: 60_000 });
    const error = {
      name: 'KeeproomError',
      code: 'access/forbidden',
      message: 'x',
      action: 'a',
      retryable: false,
    } as const;
    worker.say({ t: 'reply-error', id: call.id, error });
    await expect(strict).rejects.toThrow(/access\/forbidden/);
  });

  test('wrong wishes are refused here', async () => {
    const { room } = await open();
    const create = room.invites.create as (o: unknown) => Promise<unknown>;
    await expect(create({ role: 'king' })).rejects.toThrow(
      new TypeError('role: expected the name of a role, got string'),
    );
    await expect(create({ role: 'guest', maxUses: 0 })).rejects.toThrow(RangeError);
    await expect(create({ role: 'guest', maxUses: '1' })).rejects.toThrow(
      new TypeError('maxUses: expected a number, got string'),
    );
    await expect(create({ role: 'guest', expiresInMs: -1 })).rejects.toThrow(RangeError);
    await expect(create(null)).rejects.toThrow(TypeError);
  });

  test('revoking: saved when the engine has done it, delivered when others have it', async () => {
    const { worker, room } = await open();
    const write = room.invites.revoke('i1');
    let isSaved = false;
    let isDelivered = false;
    const saved = write.saved().then(() => (isSaved = true));
    const delivered = write.delivered().then(() => (isDelivered = true));
    const call = worker.of('call').at(-1)!;
    expect(call).toMatchObject({ name: 'revokeInvite', args: { room: 'r1', invite: 'i1' } });
    view(worker, 'r1', { info: infoOf(board, { invites: [foreign], undelivered: 1 }) });
    await settled();
    expect([isSaved, isDelivered]).toEqual([false, false]);
    worker.say({ t: 'reply', id: call.id, value: null });
    await saved;
    await settled();
    expect(isDelivered).toBe(false);
    view(worker, 'r1', { info: infoOf(board, { invites: [foreign], undelivered: 0 }) });
    await delivered;
    expect(() => room.invites.revoke('nobody')).toThrow(/invite\/invalid/);
    expect(() => room.invites.revoke(7 as never)).toThrow(TypeError);
  });

  test('revoking what one may not reaches the app, whoever listens', async () => {
    const { worker, room } = await open();
    const errors: string[] = [];
    room.on('error', (error) => errors.push(error.code));
    const write = room.invites.revoke('i2');
    const error = {
      name: 'KeeproomError',
      code: 'access/forbidden',
      message: 'x',
      action: 'a',
      retryable: false,
    } as const;
    worker.say({ t: 'reply-error', id: worker.of('call').at(-1)!.id, error });
    await settled();
    expect(errors).toEqual(['access/forbidden']);
    const failed: unknown = await write.saved().catch((reason: unknown) => reason);
    expect(isKeeproomError(failed) && failed.code).toBe('access/forbidden');
  });
});
