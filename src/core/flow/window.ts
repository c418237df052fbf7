/** Unacknowledged bytes towards one peer (livekit.md V13): more adds delay to other traffic, not speed. */
export const sendWindowBytes: number = 256 * 1024;

/** A pack on its way. */
export interface SentPack {
  readonly transfer: number;
  readonly bytes: number;
  /** Lower-case hex, as is `author`. */
  readonly domain: string;
  readonly author: string;
  /** Newest entry in it. */
  readonly lastSeq: number;
}

/**
 * How much may be under way to one peer. Room comes back by the number of a pack that arrived, whatever became of it
 * (a parked pack may wait for one that is still to be sent), or by an acknowledgement of its entries.
 */
export interface SendWindow {
  /** Always true when nothing is under way, so that nothing is too large to be sent. */
  readonly canSend: (bytes: number) => boolean;
  readonly sent: (pack: SentPack) => void;
  /** The peer has taken this pack off the wire. Gives whether it was under way. */
  readonly received: (transfer: number) => boolean;
  /** The peer holds this chain up to `seq`. */
  readonly acked: (head: { readonly domain: string; readonly author: string; readonly seq: number }) => void;
  readonly inFlightBytes: () => number;
  /** The transfer ended or the peer has a new session: nothing is under way any more. */
  readonly reset: () => void;
}

/** An empty window. */
export function createSendWindow(limitBytes: number = sendWindowBytes): SendWindow {
  const packs = new Map<number, SentPack>();
  let inFlight = 0;
  const release = (pack: SentPack | undefined): boolean => {
    if (pack === undefined || !packs.delete(pack.transfer)) return false;
    inFlight -= pack.bytes;
    return true;
  };
  return {
    canSend: (bytes) => packs.size === 0 || inFlight + bytes <= limitBytes,
    sent: (pack) => {
      release(packs.get(pack.transfer));
      packs.set(pack.transfer, pack);
      inFlight += pack.bytes;
    },
    received: (transfer) => release(packs.get(transfer)),
    acked: ({ domain, author, seq }) => {
      for (const pack of packs.values()) {
        if (pack.domain === domain && pack.author === author && pack.lastSeq <= seq) release(pack);
      }
    },
    inFlightBytes: () => inFlight,
    reset: () => {
      packs.clear();
      inFlight = 0;
    },
  };
}
