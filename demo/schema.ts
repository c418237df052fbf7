import { collection, defineSchema, s, single, type Room, type Row } from 'keeproom';

/** What a room of this demo holds. Every peer checks every write against it. */
export const schema = defineSchema({
  app: 'keeproom-demo',
  // Chat is a domain of its own, so that a guest may talk without being able to touch the board.
  roles: { guest: { rank: 40, write: ['chat'] } },
  data: {
    cards: collection({
      text: s.string({ maxLength: 140 }).default(''),
      // Where on the board, from 0 to 1 of the room there is: boards differ in size.
      x: s.number({ min: 0, max: 1 }),
      y: s.number({ min: 0, max: 1 }),
      votes: s.counter(),
    }),
    messages: collection({ body: s.string({ maxLength: 500 }) }, { owned: true, domain: 'chat' }),
    // The LiveKit room that carries this room's frames, once somebody has chosen one.
    call: single({ name: s.string({ maxLength: 64 }).default('') }),
  },
});

export type DemoSchema = typeof schema;
export type DemoRoom = Room<DemoSchema>;
export type Card = Row<DemoSchema, 'cards'>;
export type Message = Row<DemoSchema, 'messages'>;
