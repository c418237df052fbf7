// The negative cases of the public contract, cut to the parts built; api.test.ts lists the cuts and checks each error.
/* eslint-disable @typescript-eslint/no-unused-expressions, @typescript-eslint/no-floating-promises -- compiled, never run */
import type { Room } from 'keeproom';
import { s } from 'keeproom';
import { z } from 'zod';
import type { standup } from './quickstart.js';
/** The contract of a Svelte store: a signal is one. */
interface Readable<T> {
  readonly subscribe: (run: (value: T) => void, invalidate?: () => void) => () => void;
}
export function negative(room: Room<typeof standup>): void {
  // @ts-expect-error missing required x
  room.data.shapes.insert({ y: 1, kind: 'box' });
  // @ts-expect-error not in the enum
  room.data.shapes.insert({ x: 1, y: 1, kind: 'circle' });
  // @ts-expect-error unknown collection
  room.data.shapez;
  // @ts-expect-error unknown field
  room.data.shapes.update('id', { z: 1 });
  // @ts-expect-error counters are not set
  room.data.shapes.update('id', { votes: 3 });
  // @ts-expect-error counters begin at 0
  room.data.shapes.insert({ x: 1, y: 1, kind: 'box', votes: 3 });
  // @ts-expect-error increment only on counters
  room.data.shapes.increment('id', 'x');
  // @ts-expect-error null only on optional fields
  room.data.shapes.update('id', { x: null });
  room.data.shapes.update('id', { parent: null });
  // @ts-expect-error rows are read-only
  room.data.shapes.value[0]!.x = 1;
  // @ts-expect-error async change
  room.transact(async () => {
    room.data.settings.update({ locked: true });
  });
  // @ts-expect-error unknown role
  room.invites.create({ role: 'king' });
  room.invites.create({ role: 'guest' });
  // @ts-expect-error a chat id is no shape id
  room.data.shapes.update('id', { parent: room.data.chat.value[0]!.id });
  // @ts-expect-error unknown order field
  room.data.shapes.orderBy('zz');
  // @ts-expect-error wrong validator
  s.string().check(z.number());
  // @ts-expect-error single has no insert
  room.data.settings.insert({ locked: true });
}
declare const r: Room<typeof standup>;
declare function any(r: Room): void;
any(r);
export const a: Readable<readonly { readonly label: string }[]> = r.data.shapes;
