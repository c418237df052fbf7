import type { FromEngine, ToEngine } from '../../src/bridge/index.js';
import type { Link, LinkEvents } from '../../src/ports/index.js';
import type { RoomNet } from './room/net.js';

/** Frames handed to a tab and not yet taken by its transport; beyond, the room waits. */
const maxUnsent = 64;

/** A tab's offer to lend a network. */
interface Offer {
  readonly tab: string;
  readonly send: (message: FromEngine) => void;
  readonly link: string;
  readonly room: string;
  readonly type: string;
}

interface Lent {
  readonly offer: Offer;
  events: LinkEvents | null;
  seq: number;
  readonly unsent: Map<number, { resolve: () => void; reject: (error: Error) => void }>;
  stalled: boolean;
}

/** Which tab lends which network to which room (X11): one per room and type; the others stand by. */
export interface LinkDesk {
  readonly take: (
    tab: { readonly id: string; readonly send: (message: FromEngine) => void },
    message: Extract<ToEngine, { readonly link: string }>,
  ) => void;
  readonly tabGone: (tab: string) => void;
  readonly roomOpened: (room: string, net: RoomNet) => void;
  readonly roomClosed: (room: string) => void;
}

export function createLinkDesk(): LinkDesk {
  const offers: Offer[] = [];
  const lent = new Map<string, Lent>();
  const nets = new Map<string, RoomNet>();
  const groupOf = (offer: Pick<Offer, 'room' | 'type'>): string => `${offer.room}/${offer.type}`;

  const choose = (room: string): void => {
    const net = nets.get(room);
    if (net === undefined) return;
    for (const offer of offers) {
      if (offer.room !== room || lent.has(groupOf(offer))) continue;
      lent.set(groupOf(offer), { offer, events: null, seq: 0, unsent: new Map(), stalled: false });
      offer.send({ t: 'link-open', link: offer.link });
    }
    tell(room);
  };
  const tell = (room: string): void => {
    const mine = [...lent.values()].filter((one) => one.offer.room === room);
    nets.get(room)?.setOffered({ count: mine.length, stalled: mine.some((one) => one.stalled) });
  };
  const lentBy = (tab: string, link: string): Lent | undefined =>
    [...lent.values()].find((one) => one.offer.tab === tab && one.offer.link === link);
  const down = (one: Lent): void => {
    one.events = null;
    nets.get(one.offer.room)?.detach(groupOf(one.offer));
    drop(one);
  };
  const drop = (one: Lent): void => {
    for (const waiting of one.unsent.values()) waiting.reject(new Error('the network is down'));
    one.unsent.clear();
  };
  const withdraw = (isGone: (offer: Offer) => boolean): void => {
    const rooms = new Set<string>();
    for (const offer of offers.filter(isGone)) {
      offers.splice(offers.indexOf(offer), 1);
      const one = lent.get(groupOf(offer));
      if (one?.offer !== offer) continue;
      down(one);
      lent.delete(groupOf(offer));
      rooms.add(offer.room);
    }
    for (const room of rooms) choose(room);
  };
  return {
    take: (tab, message) => {
      if (message.t === 'link-offer') {
        offers.push({ tab: tab.id, send: tab.send, link: message.link, room: message.room, type: message.type });
        choose(message.room);
        return;
      }
      if (message.t === 'link-withdraw') {
        withdraw((offer) => offer.tab === tab.id && offer.link === message.link);
        return;
      }
      const one = lentBy(tab.id, message.link);
      if (one !== undefined)
        onLent(one, message, { net: nets.get(one.offer.room), group: groupOf(one.offer), down, tell });
    },
    tabGone: (tab) => {
      withdraw((offer) => offer.tab === tab);
    },
    roomOpened: (room, net) => {
      nets.set(room, net);
      choose(room);
    },
    roomClosed: (room) => {
      nets.delete(room);
      for (const [group, one] of lent) {
        if (one.offer.room !== room) continue;
        one.offer.send({ t: 'link-close', link: one.offer.link });
        drop(one);
        lent.delete(group);
      }
    },
  };
}

interface LentContext {
  readonly net: RoomNet | undefined;
  readonly group: string;
  readonly down: (one: Lent) => void;
  readonly tell: (room: string) => void;
}

function onLent(
  one: Lent,
  message: Exclude<Extract<ToEngine, { readonly link: string }>, { t: 'link-offer' | 'link-withdraw' }>,
  c: LentContext,
): void {
  switch (message.t) {
    case 'link-up': {
      c.down(one);
      one.stalled = false;
      if (c.net === undefined) return;
      one.events = c.net.attach(c.group, linkOf(one, message));
      return c.tell(one.offer.room);
    }
    case 'link-down':
      one.stalled = message.stalled;
      c.down(one);
      return c.tell(one.offer.room);
    case 'link-peer':
      return one.events?.peer(message.address, message.change);
    case 'link-frame':
      return one.events?.frame(message.bytes, message.from);
    case 'link-sent': {
      const waiting = one.unsent.get(message.seq);
      one.unsent.delete(message.seq);
      if (message.ok) return waiting?.resolve();
      return waiting?.reject(new Error('the transport refused a frame'));
    }
  }
}

/** A link over a tab: a frame is sent when the tab's transport has taken it. */
function linkOf(one: Lent, up: { readonly self: string; readonly maxFrameBytes: number }): Link {
  return {
    type: one.offer.type,
    self: up.self,
    maxFrameBytes: up.maxFrameBytes,
    send: (bytes, to) =>
      new Promise((resolve, reject) => {
        if (one.unsent.size >= maxUnsent) {
          reject(new Error('the tab takes no more frames'));
          return;
        }
        const seq = one.seq++;
        one.unsent.set(seq, { resolve, reject });
        one.offer.send({ t: 'link-send', link: one.offer.link, seq, bytes, to });
      }),
  };
}
