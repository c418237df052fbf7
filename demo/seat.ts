import { createClient, type Client, type Join, type Profile, type Signal } from 'keeproom';
import { createCell } from './cell.js';
import type { Device } from './device.js';
import { button, h, iconButton } from './dom.js';
import { createJoinView } from './joining.js';
import { createNotices, type Notices } from './notices.js';
import { createPane, type Pane } from './pane.js';
import type { DemoRoom, DemoSchema } from './schema.js';
import { initialOf } from './status.js';

/** What is shown of a device that is in no room yet. */
export type Lobby = (way: {
  readonly client: Client;
  readonly notices: Notices;
  /** Shows a join under way, and the room once it is there. */
  readonly enter: (join: Join<DemoSchema>) => void;
}) => HTMLElement;

export interface Seat {
  /** Whose device it is. */
  readonly name: string;
  /** Can be given the focus, so that one can be led here. */
  readonly node: HTMLElement;
  readonly room: Signal<DemoRoom | null>;
  /** Deletes all that this device has. */
  readonly erase: () => Promise<void>;
}

export interface SeatOptions {
  /** The room of this device, or a join that leads to it; null: it is in none, and `lobby` is shown. */
  readonly open: (client: Client) => Promise<DemoRoom | Join<DemoSchema> | null>;
  readonly lobby: Lobby;
}

/** The place of one device on the page, from its opening to its room. Reloading it starts a new worker on the same disk. */
export function createSeat(device: Device, o: SeatOptions): Seat {
  const room = createCell<DemoRoom | null>(null);
  const notices = createNotices();
  const head = createHead(device, () => void restart());
  const body = h('div', { className: 'pane-body' });
  let client = newClient(device);
  let pane: Pane | null = null;

  const show = (opened: DemoRoom): void => {
    pane = createPane(opened, { device, notices });
    body.replaceChildren(pane.node);
    head.follow(opened);
    room.set(opened);
  };
  const enter = (join: Join<DemoSchema>): void => {
    body.replaceChildren(createJoinView(join, () => void restart()));
    // A join that fails says so in its own view.
    join.room.then(show, () => undefined);
  };
  const start = async (): Promise<void> => {
    body.replaceChildren(h('p', { className: 'hint' }, 'Opening…'));
    try {
      const found = await o.open(client);
      if (found === null) body.replaceChildren(o.lobby({ client, notices, enter }));
      else if ('cancel' in found) enter(found);
      else show(found);
    } catch (error) {
      notices.fail(error);
      const again = button('Try again', () => void restart(), 'primary');
      body.replaceChildren(h('div', { className: 'lobby' }, h('p', {}, 'This device did not open.'), again));
    }
  };
  const stop = async (): Promise<void> => {
    room.set(null);
    pane?.end();
    pane = null;
    notices.node.replaceChildren();
    await client.close();
  };
  const restart = async (): Promise<void> => {
    await stop().catch(notices.fail);
    client = newClient(device);
    await start();
  };

  void start();
  return {
    name: device.profile.name,
    node: h(
      'section',
      { className: 'pane', ariaLabel: `${device.profile.name}’s device`, tabIndex: -1 },
      head.node,
      notices.node,
      body,
    ),
    room,
    erase: async () => {
      room.set(null);
      pane?.end();
      await client.erase();
    },
  };
}

function newClient({ namespace, profile }: Device): Client {
  return createClient({ namespace, profile });
}

function createHead({ profile }: Device, reload: () => void): { node: HTMLElement; follow: (room: DemoRoom) => void } {
  const face = h('span', { className: 'avatar', ariaHidden: 'true' });
  const name = h('h2');
  const again = iconButton('reload', '', reload);
  const node = h(
    'header',
    { className: 'pane-head' },
    face,
    h('div', { className: 'pane-title' }, name, h('p', { className: 'hint' }, 'Own keys, own database')),
    again,
  );
  const show = ({ name: text, color }: Profile): void => {
    name.textContent = text;
    face.textContent = initialOf(text);
    node.style.setProperty('--who', color ?? '');
    again.ariaLabel = again.title = `Reload ${text}’s device: close it and open it again from its disk`;
  };
  show(profile);
  return {
    node,
    follow: (room) => {
      room.me.subscribe(({ profile: mine }) => show(mine.name === '' ? profile : mine));
    },
  };
}
