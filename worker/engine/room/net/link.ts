import { fail, fromHex, isZero, ok, toHex, type Bytes, type Result } from '../../../../src/core/base/index.js';
import { kidsNewestFirst } from '../../../../src/core/epoch/index.js';
import {
  createLanes,
  createReassembly,
  createSendWindow,
  type Lane,
  type Reassembly,
  type SendWindow,
} from '../../../../src/core/flow/index.js';
import {
  createLinkSessions,
  newestCommonTag,
  type LinkSessions,
  type Peer,
} from '../../../../src/core/session/index.js';
import {
  encodeHello,
  envelopeHeader,
  frameSignedBytes,
  helloSignedBytes,
  isSignedType,
  joinSigned,
  maxHelloKidTags,
  roomTagOf,
  sealEnvelope,
} from '../../../../src/core/wire/index.js';
import type { Link } from '../../../../src/ports/index.js';
import { bump, isNamedByTag, sendEpoch, type RoomCore } from '../core.js';

/** One network of a room while it is up: who is on it, and the one queue everything to it goes through. */
export interface NetLink {
  readonly link: Link;
  /** Own session on this start of the link, 16 bytes. */
  readonly session: Bytes;
  readonly sessions: LinkSessions;
  /** `sum` is what is said to be held here (SYN-5). */
  readonly sendHello: (to: readonly string[] | 'all', echo: Bytes, sum: Bytes | null) => void;
  /** A sealed frame; signed when its type says so. To one peer under the newest key both know, to all under the send rule's. */
  readonly send: (o: {
    readonly type: number;
    readonly body: Bytes;
    readonly to: Peer | 'all';
    readonly lane: Lane;
  }) => void;
  /** A finished frame that needs no seal. */
  readonly sendClear: (frame: Bytes, to: readonly string[] | 'all', lane: Lane) => void;
  /** Resolves when everything queued so far in a lane has been taken by the transport. */
  readonly flushed: () => Promise<void>;
  readonly reassemblyOf: (address: string) => Reassembly;
  readonly windowOf: (address: string) => SendWindow;
  readonly forget: (address: string) => void;
  readonly close: () => void;
}

interface Outgoing {
  readonly to: readonly string[] | 'all';
  /** Null when it can no longer be built (no key, peer gone): it is dropped. */
  readonly build: () => Promise<Bytes | null>;
}

/** A fresh session on a link that is up. `down` is told when the transport refuses a frame. */
export function createNetLink(core: RoomCore, link: Link, o: { readonly down: () => void }): NetLink {
  const { random } = core.ports;
  const [session, stream] = [random.bytes(16), random.bytes(8)];
  const roomTag = roomTagOf(core.roomId);
  const sessions = createLinkSessions({ device: core.keys.deviceId, session, roomTag });
  const lanes = createLanes<Outgoing>();
  const reassemblies = new Map<string, Reassembly>();
  const windows = new Map<string, SendWindow>();
  let ctr = 0;
  let helloMs = 0;
  let pumping: Promise<void> | null = null;
  let closed = false;

  const pump = async (): Promise<void> => {
    for (let item = lanes.next(); item !== null && !closed; item = lanes.next()) {
      // A vault that refuses costs this frame, not the queue.
      const frame = await item.build().catch(() => null);
      if (frame === null) continue;
      bump(core, 'framesOut');
      bump(core, 'bytesOut', frame.length);
      try {
        await link.send(frame, item.to);
      } catch {
        closed = true;
        o.down();
      }
    }
    pumping = null;
  };
  const push = (lane: Lane, item: Outgoing): void => {
    if (closed) return;
    lanes.push(lane, item);
    pumping ??= Promise.resolve().then(pump);
  };
  const buildHello = async (echo: Bytes, sum: Bytes | null): Promise<Bytes> => {
    helloMs = Math.max(helloMs + 1, core.ports.time.now());
    const kidTags = myTags(core).slice(0, maxHelloKidTags);
    const unsigned = encodeHello({
      roomTag,
      device: core.keys.deviceId,
      session,
      echo,
      boot: core.boot,
      stream,
      hlcMs: helloMs,
      kidTags,
      caps: isZero(echo) ? { v: 1 } : { v: 1, c: ctr },
      sum,
    });
    const message = helloSignedBytes({ roomId: core.roomId, transportType: link.type, address: link.self, unsigned });
    return joinSigned(unsigned, await core.ports.vault.sign(core.keys, message));
  };
  const buildSealed = async (type: number, message: Bytes, to: Peer | 'all'): Promise<Bytes | null> => {
    const kid = to === 'all' ? (sendEpoch(core)?.kid ?? null) : kidFor(core, to);
    const prk = kid && core.state.prks.get(toHex(kid));
    if (!kid || !prk) return null;
    const header = envelopeHeader({ type, kid, stream, ctr: ctr++ });
    const signed = isSignedType(type)
      ? joinSigned(
          message,
          await core.ports.vault.sign(core.keys, frameSignedBytes({ roomId: core.roomId, header, message })),
        )
      : message;
    return sealEnvelope(
      { roomId: core.roomId, kid, prk, sender: core.keys.deviceId },
      { header, body: signed, random32: random.bytes(32) },
    );
  };
  return {
    link,
    session,
    sessions,
    sendHello: (to, echo, sum) => {
      push('ctl', { to, build: () => buildHello(echo, sum) });
    },
    send: ({ type, body, to, lane }) => {
      push(lane, { to: to === 'all' ? 'all' : [to.address], build: () => buildSealed(type, body, to) });
    },
    sendClear: (frame, to, lane) => {
      push(lane, { to, build: () => Promise.resolve(frame) });
    },
    flushed: async () => {
      while (pumping !== null) await pumping;
    },
    reassemblyOf: (address) => getOrMake(reassemblies, address, createReassembly),
    windowOf: (address) => getOrMake(windows, address, createSendWindow),
    forget: (address) => {
      reassemblies.delete(address);
      windows.delete(address);
    },
    close: () => {
      closed = true;
      lanes.drop(() => true);
    },
  };
}

function getOrMake<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

/** Tags of the keys this device can read, newest first; a joiner has one that control does not name for it yet. */
function myTags(core: RoomCore): Bytes[] {
  return heldKids(core).map((kid) => kid.slice(0, 8));
}

function heldKids(core: RoomCore): readonly Bytes[] {
  const named = kidsNewestFirst(core.state.access, (kid) => isNamedByTag(core, kid));
  if (named.length > 0) return named;
  return [...core.joinKids];
}

/**
 * The newest key that both HELLOs name (X5). A HELLO names the newest only: with who was away for longer, or on either side
 * of a network that was split, there may be none. Then the oldest, which every history since has links to. Null: none.
 */
export function kidFor(core: RoomCore, peer: Peer): Bytes | null {
  const kids = heldKids(core);
  const tag = newestCommonTag(
    kids.map((kid) => kid.slice(0, 8)),
    peer,
  );
  return kids.find((kid) => tag !== null && toHex(kid.slice(0, 8)) === toHex(tag)) ?? kids.at(-1) ?? null;
}

/** The held kid an envelope's tag means. Ambiguous or unknown is an unknown key: nothing is tried (format.md §2). */
export function kidOfTag(core: RoomCore, tag: Bytes): Result<Bytes> {
  const hex = toHex(tag);
  const matches = [...core.epochKeys.keys()].filter((kid) => kid.startsWith(hex));
  const [match] = matches;
  if (match === undefined || matches.length > 1) return fail('frame/unknown-key', hex);
  const kid = fromHex(match);
  return kid === null ? fail('frame/unknown-key', hex) : ok(kid);
}
