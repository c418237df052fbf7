import type { ErrorCode, FromPage, ToPage } from '../bridge/index.js';
import { copyBytes } from '../core/base/index.js';
import type { OpenTransport, Transport } from '../transport/index.js';
import { guard, KeeproomError } from '../view/index.js';

/** What the engine asks of a lent network. */
export type LendingMessage = Extract<ToPage, { readonly t: 'link-open' | 'link-close' | 'link-send' }>;

/**
 * The networks this page can lend to its engine: one of each kind per room is offered, and opened only while the engine
 * wants it, so that of several tabs one lends (format.md X11). Further ones of a kind stand by.
 */
export interface Lending {
  /** Adds a network for a room; the returned function takes it away. */
  readonly attach: (room: string, transport: Transport) => () => void;
  readonly receive: (message: LendingMessage) => void;
  /** Another engine: what is open was opened for the one before. */
  readonly renew: () => void;
}

/** The networks of one kind for one room. Only the first is offered. */
interface Slot {
  readonly transports: Transport[];
  session: OpenTransport | null;
}

/** See {@link Lending}. `send` drops what no engine is there for. `report`: a network has said what is wrong with it. */
export function createLending(
  send: (message: FromPage) => void,
  report: (room: string, error: KeeproomError) => void,
): Lending {
  const slots = new Map<string, Slot>();
  const close = (slot: Slot): void => {
    const { session } = slot;
    slot.session = null;
    if (session !== null) guard(() => session.close());
  };
  const offer = (link: string, slot: Slot): void => {
    const [transport] = slot.transports;
    if (transport !== undefined) send({ t: 'link-offer', link, room: roomOf(link), type: transport.type });
  };

  const open = (link: string, slot: Slot): void => {
    const [transport] = slot.transports;
    if (transport === undefined || slot.session !== null) return;
    const down = (stalled: boolean): void => send({ t: 'link-down', link, stalled, error: null });
    const fail = (cause: unknown): void => {
      const error = toError(cause);
      const isStalled = error.code === 'transport/stalled';
      // Of a stalled network the engine tells every tab that shows the room.
      if (!isStalled) report(roomOf(link), error);
      down(isStalled);
    };
    let current: OpenTransport | null = null;
    const isCurrent = (): boolean => current !== null && slot.session === current;
    try {
      const session = transport.open({
        frame: (bytes, from) => isCurrent() && send({ t: 'link-frame', link, bytes: copyBytes(bytes), from }),
        peer: (address, change) => isCurrent() && send({ t: 'link-peer', link, address, change }),
        state: (state) => {
          if (!isCurrent()) return;
          if (state !== 'up') down(state === 'stalled');
          else send({ t: 'link-up', link, self: session.self, maxFrameBytes: session.maxFrameBytes });
        },
        error: (error) => isCurrent() && fail(error),
      });
      slot.session = current = session;
    } catch (error) {
      fail(error);
    }
  };

  return {
    attach: (room, transport) => {
      const link = `${room}/${transport.type}`;
      const slot = slots.get(link) ?? { transports: [], session: null };
      slots.set(link, slot);
      slot.transports.push(transport);
      if (slot.transports.length === 1) offer(link, slot);
      return () => {
        // Of one that is there twice (a join and its room) the first goes on.
        const at = slot.transports.lastIndexOf(transport);
        slot.transports.splice(at, 1);
        if (at > 0) return;
        close(slot);
        send({ t: 'link-withdraw', link });
        if (slot.transports.length === 0) slots.delete(link);
        else offer(link, slot);
      };
    },
    receive: (message) => {
      const slot = slots.get(message.link);
      if (message.t === 'link-send') {
        const { link, seq } = message;
        void sendFrame(slot?.session ?? null, message).then((ok) => send({ t: 'link-sent', link, seq, ok }));
      } else if (slot !== undefined) {
        if (message.t === 'link-open') open(message.link, slot);
        else close(slot);
      }
    },
    renew: () => {
      for (const [link, slot] of slots) {
        close(slot);
        // Perhaps it is the engine that already has the offer, and thinks it open.
        send({ t: 'link-withdraw', link });
        offer(link, slot);
      }
    },
  };
}

function roomOf(link: string): string {
  return link.slice(0, link.indexOf('/'));
}

async function sendFrame(
  session: OpenTransport | null,
  { bytes, to }: LendingMessage & { readonly t: 'link-send' },
): Promise<boolean> {
  try {
    await session?.send(bytes, to, { lossy: false });
    return session !== null;
  } catch {
    return false;
  }
}

/** Code and words of a transport's own error; those of others stay here, they may hold anything. */
function toError(cause: unknown): KeeproomError {
  return isTransportError(cause)
    ? new KeeproomError(cause.code, cause.message, { cause })
    : new KeeproomError('transport/unavailable', 'a transport failed', { cause });
}

/** By its name: a transport of another bundle has an error class of its own. */
function isTransportError(error: unknown): error is Error & { readonly code: TransportCode } {
  return error instanceof Error && error.name === 'TransportError';
}

type TransportCode = Extract<ErrorCode, `transport/${string}`>;
