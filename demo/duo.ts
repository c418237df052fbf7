import type { CallMaker } from './call.js';
import type { Device } from './device.js';
import { button, h } from './dom.js';
import { createJump } from './jump.js';
import { schema, type DemoRoom } from './schema.js';
import { createSeat, type Lobby, type Seat } from './seat.js';
import { createWire } from './wire.js';
import { createWireView } from './wire-view.js';

/** Ada and Bob as two devices on one page, and the wire between them. */
export function createDuo(makeCall: CallMaker | null): HTMLElement {
  const wire = createWire('demo');
  const deviceOf = (namespace: string, name: string, color: string): Device => {
    const call = makeCall?.(namespace);
    return {
      namespace,
      profile: { name, color },
      transports: [wire.transport],
      isWireCut: wire.isCut,
      call: call === undefined ? null : { ...call, isJoined: false },
    };
  };
  const transports = [wire.transport];
  const ada = createSeat(deviceOf('ada', 'Ada', '#6a48d7'), {
    open: async (client) =>
      (await client.openRoom('demo', { schema, transports })) ??
      welcome(await client.createRoom({ key: 'demo', title: 'Friday plans', schema, transports })),
    lobby: () => h('p'),
  });
  const bob = createSeat(deviceOf('bob', 'Bob', '#0b7a75'), {
    open: async (client) => client.openRoom((await firstRoom(ada)).id, { schema, transports }),
    lobby: createInvitation(ada, transports),
  });
  return h(
    'main',
    { className: 'page' },
    createTop([ada, bob]),
    h('div', { className: 'duo' }, ada.node, createWireView(wire, createJump(ada, bob)), bob.node),
  );
}

function createTop(seats: readonly Seat[]): HTMLElement {
  const sure = h('dialog', { className: 'sure', ariaLabel: 'Start over' });
  const erase = button(
    'Erase both',
    () => {
      void Promise.allSettled(seats.map((seat) => seat.erase())).then(() => location.reload());
    },
    'danger',
  );
  const copies = h('p');
  sure.append(
    h('p', {}, 'This deletes the room, its history and all keys from both devices.'),
    copies,
    h(
      'div',
      { className: 'row' },
      button('Keep everything', () => sure.close()),
      erase,
    ),
  );
  return h(
    'header',
    { className: 'top' },
    h('h1', {}, 'keeproom'),
    h(
      'p',
      {},
      'Two devices, one room, no server between them. Cut the wire, write on both sides, mend it: nothing is lost.',
    ),
    h(
      'div',
      { className: 'row' },
      button('Reload page', () => location.reload()),
      button('Start over', () => {
        copies.textContent = isHeldElsewhere(seats)
          ? 'People who joined on a page of their own keep theirs.'
          : 'Nobody else has a copy.';
        sure.showModal();
      }),
    ),
    sure,
  );
}

/** Whether the room may have a member that is no device of this page. */
function isHeldElsewhere(seats: readonly Seat[]): boolean {
  const rooms = seats.map(({ room }) => room.value).filter((room) => room !== null);
  const mine = new Set(rooms.map(({ me }) => me.value.id));
  // Without a room of its own to ask, a device says nothing about the others.
  return rooms.length === 0 || rooms.some(({ members }) => members.value.some(({ id }) => !mine.has(id)));
}

/** What Bob sees before he is in: the one step that is missing. */
function createInvitation(ada: Seat, transports: Device['transports']): Lobby {
  return ({ client, notices, enter }) => {
    const invite = button(
      'Invite Bob',
      () => {
        invite.disabled = true;
        const { value: room } = ada.room;
        if (room === null) return;
        room.invites
          .create({ role: 'editor', maxUses: 1 })
          .then(({ code }) => enter(client.joinRoom(code, { schema, transports })))
          .catch((error: unknown) => {
            invite.disabled = false;
            notices.fail(error);
          });
      },
      'primary big',
    );
    return h(
      'div',
      { className: 'lobby' },
      h('h3', {}, 'Bob is not in the room yet'),
      h(
        'p',
        {},
        'Nothing Ada writes can be read here: this device has no key. Her invite carries a secret; with it, Bob’s device proves itself to hers and receives the keys.',
      ),
      invite,
    );
  };
}

function firstRoom({ room }: Seat): Promise<DemoRoom> {
  return new Promise((resolve) => {
    room.subscribe((opened) => {
      if (opened !== null) resolve(opened);
    });
  });
}

/** Puts something on the board of a new room, in one transaction: a peer sees all of it or nothing. */
function welcome(room: DemoRoom): DemoRoom {
  const { cards, messages } = room.data;
  room.transact(() => {
    // Clear of each other on a phone, which is two cards wide, and on a low board, which is two high.
    cards.insert({ text: 'Drag me by the bar, or with the arrow keys.', x: 0.02, y: 0.04 });
    cards.insert({ text: 'Cut the wire, write on both sides, mend it.', x: 0.98, y: 0.04 });
    cards.insert({ text: 'Reload the page. Everything is still here.', x: 0.5, y: 0.96 });
  });
  messages.insert({ body: 'Hi Bob! Everything here is on our own devices only.' });
  return room;
}
