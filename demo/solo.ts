import { broadcastChannel, takeInvite } from 'keeproom';
import type { CallMaker } from './call.js';
import { createCell } from './cell.js';
import type { Device } from './device.js';
import { h } from './dom.js';
import { schema } from './schema.js';
import { createSeat, type Seat } from './seat.js';

/** One person's page: behind an invite link, or its own address once they have joined. Null when this is neither. */
export function createSolo(makeCall: CallMaker | null): HTMLElement | null {
  const code = findInvite();
  const query = new URLSearchParams(location.search);
  const [namespace, roomId] = [query.get('as'), query.get('room')];
  const callName = query.get('call') ?? '';
  const place = h('div', { className: 'solo' });

  if (code !== null) {
    const deviceOf = (name: string, color: string): Device =>
      createDevice(`person-${crypto.randomUUID().slice(0, 8)}`, { name, color, callName, makeCall });
    place.append(
      createDoor((name, color) => place.replaceChildren(createJoiningSeat(code, deviceOf(name, color), callName).node)),
    );
  } else if (namespace !== null && roomId !== null) {
    const device = createDevice(namespace, { name: 'You', color: '#8a6d1f', callName, makeCall });
    place.append(createKnownSeat(roomId, device).node);
  } else return null;
  return h('main', { className: 'page' }, createTop(), place);
}

const inviteKey = 'keeproom-demo/invite';
const invitedHere = 'invited';

/**
 * The invite this page was opened by. It leaves the address bar at once; until somebody has joined by it, this tab keeps
 * it, so that a reload leads back to the door. The history entry is marked: other pages of the tab are not the door.
 */
function findInvite(): string | null {
  const code = takeInvite();
  if (code !== null) {
    sessionStorage.setItem(inviteKey, code);
    history.replaceState(invitedHere, '');
  }
  return history.state === invitedHere ? sessionStorage.getItem(inviteKey) : null;
}

interface Person {
  readonly name: string;
  readonly color: string;
  /** The LiveKit room the invite came with; empty where there was none. */
  readonly callName: string;
  readonly makeCall: CallMaker | null;
}

function createDevice(namespace: string, { name, color, callName, makeCall }: Person): Device {
  const made = makeCall?.(namespace);
  const call = made === undefined ? null : { ...made, isJoined: callName !== '' };
  const transports = [broadcastChannel('demo')];
  if (call?.isJoined === true) transports.push(call.transport(callName));
  return { namespace, profile: { name, color }, transports, isWireCut: createCell(false), call };
}

/** The seat of somebody who comes by an invite. The address leads back to it once they are in. */
function createJoiningSeat(code: string, device: Device, callName: string): Seat {
  const { transports, namespace } = device;
  let roomId: string | null = null;
  const seat = createSeat(device, {
    open: async (client) =>
      roomId === null ? client.joinRoom(code, { schema, transports }) : client.openRoom(roomId, { schema, transports }),
    lobby: () => h('p'),
  });
  seat.room.subscribe((room) => {
    if (room === null) return;
    roomId = room.id;
    const address = new URLSearchParams({ as: namespace, room: roomId });
    if (callName !== '') address.set('call', callName);
    history.replaceState(null, '', `?${String(address)}`);
    sessionStorage.removeItem(inviteKey);
  });
  return seat;
}

/** The seat of somebody who has joined before. */
function createKnownSeat(roomId: string, device: Device): Seat {
  const { transports } = device;
  return createSeat(device, {
    open: (client) => client.openRoom(roomId, { schema, transports }),
    lobby: () =>
      h(
        'div',
        { className: 'lobby' },
        h('h3', {}, 'This browser has no such room'),
        h('p', {}, 'It was erased here, or the address belongs to another browser. A new invite brings you back in.'),
        h('a', { href: location.pathname }, 'Start with a room of your own'),
      ),
  });
}

const colors = ['#b3452c', '#1f6fb2', '#8a6d1f', '#a2347f', '#3c7a2a'];

function createDoor(enter: (name: string, color: string) => void): HTMLElement {
  const name = h('input', {
    id: 'join-name',
    className: 'grow',
    maxLength: 64,
    required: true,
    autocomplete: 'given-name',
    autofocus: true,
  });
  const form = h(
    'form',
    { className: 'door' },
    h('h2', {}, 'You are invited'),
    h('p', {}, 'The room will live on this device, encrypted. Somebody who is in it must be reachable while you join.'),
    h('label', { htmlFor: 'join-name' }, 'Join as'),
    h('div', { className: 'row' }, name, h('button', { type: 'submit', className: 'primary' }, 'Join')),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const color = colors[Math.floor(Math.random() * colors.length)] ?? '#1f6fb2';
    if (name.value.trim() !== '') enter(name.value.trim(), color);
  });
  return form;
}

function createTop(): HTMLElement {
  return h(
    'header',
    { className: 'top' },
    h('h1', {}, 'keeproom'),
    h(
      'p',
      {},
      'A room that lives on the devices of the people in it. Go offline, write on, come back: nothing is lost.',
    ),
  );
}
