// The quickstart of the public contract, cut to the parts built; api.test.ts lists the cuts.
/* eslint-disable @typescript-eslint/strict-boolean-expressions -- the contract's own words */
import { collection, createClient, defineSchema, isKeeproomError, s, single, takeInvite, type Row } from 'keeproom';
import { livekit } from 'keeproom/livekit';
import type { Room as Call } from 'livekit-client';
import { z } from 'zod';

export const standup = defineSchema({
  app: 'standup',
  roles: { guest: { rank: 40, write: ['chat'] } },
  data: {
    shapes: collection({
      x: s.number(),
      y: s.number(),
      kind: s.oneOf('box', 'note'),
      label: s.string({ maxLength: 200 }).default(''),
      parent: s.ref('shapes').optional(),
      votes: s.counter(),
    }),
    chat: collection({ body: s.string({ maxLength: 4000 }).check(z.string().min(1)) }, { owned: true, domain: 'chat' }),
    notes: collection({ title: s.string() }),
    settings: single({ locked: s.boolean().default(false) }),
  },
});
export type Shape = Row<typeof standup, 'shapes'>;
export const client = createClient({ profile: { name: 'Ada' } });
export async function start(call: Call, board: HTMLElement): Promise<void> {
  const options = { schema: standup, transports: [livekit(call)] },
    from = takeInvite();
  const room = from
    ? await client.joinRoom(from, options).room // a Join: show join.state while somebody lets you in
    : ((await client.openRoom(call.name, options)) ?? (await client.createRoom({ ...options, key: call.name })));
  console.log('share', (await room.invites.create({ role: 'guest' })).link(location.href));
  room.data.shapes
    .where({ kind: 'note', x: { gte: 0 } })
    .orderBy('y')
    .subscribe((notes) => {
      board.textContent = notes.map((n) => n.label).join('\n');
    });
  const note = room.data.shapes.insert({ x: 10, y: 20, kind: 'note' });
  room.transact(() => {
    room.data.shapes.update(note.id, { x: 30 });
    room.data.shapes.increment(note.id, 'votes');
  });
  await note.saved();
  await note.delivered({ to: 'anyone', signal: AbortSignal.timeout(5000) });
  room.data.notes.insert({ title: 'Agenda' });
  room.status.subscribe((now) => {
    document.title =
      now.undelivered === 0 ? 'Everyone has it' : `${now.undelivered} edits only on this device (${now.network})`;
  });
  for (const m of room.members.value) if (m.role === 'guest') console.log(m.profile.name);
  try {
    room.data.chat.insert({ body: '' });
  } catch (e) {
    if (isKeeproomError(e)) console.warn(e.code, e.action);
  }
}
