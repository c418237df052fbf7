import { broadcastChannel, type Transport } from 'keeproom';
import { createCell, createSwitch, type Cell } from './cell.js';

/** A network between the devices of this page that can be cut. */
export interface Wire {
  readonly transport: Transport;
  /** Kept over a reload, and the same in every tab. */
  readonly isCut: Cell<boolean>;
  /** Bytes that have gone through since the page was loaded. All of them sealed. */
  readonly carriedBytes: Cell<number>;
}

/** A frame of ours never exceeds this, whatever carries it. */
const maxFrameBytes = 15_000;

/**
 * The library's BroadcastChannel transport with a switch in it. Cut, it is closed and says `down`, as a network does;
 * mended, it is opened anew. What to do about it is up to the library.
 */
export function createWire(name: string): Wire {
  const channel = broadcastChannel(name);
  const isCut = createSwitch(`cut/${name}`);
  const carriedBytes = createCell(0);

  const open: Transport['open'] = (on) => {
    let line: ReturnType<Transport['open']> | null = null;
    const connect = (): ReturnType<Transport['open']> =>
      channel.open({
        ...on,
        frame: (bytes, from) => {
          carriedBytes.set(carriedBytes.value + bytes.length);
          on.frame(bytes, from);
        },
      });
    const unfollow = isCut.subscribe((cut) => {
      if (!cut) {
        line = connect();
        return;
      }
      line?.close();
      line = null;
      // Not before open() has returned: a transport says nothing until then.
      queueMicrotask(() => {
        if (line === null) on.state('down');
      });
    });
    return {
      get self() {
        return line?.self ?? '';
      },
      maxFrameBytes,
      send: async (frame, to, o) => {
        if (line === null) throw new Error('the wire is cut');
        await line.send(frame, to, o);
      },
      close: () => {
        unfollow();
        line?.close();
      },
    };
  };
  return { transport: { type: channel.type, open }, isCut, carriedBytes };
}
