/** Most urgent first: what steers, what people do now, what catches up. */
const laneNames = ['ctl', 'live', 'bulk'] as const;

/** Name of a lane. */
export type Lane = (typeof laneNames)[number];

/**
 * Queues of one link, first in first out within a lane, a more urgent lane always first. They hold what is to be sent,
 * not sealed frames: the counter of a frame must rise in the order of sending, so it is given when an item leaves.
 */
export interface Lanes<T> {
  readonly push: (lane: Lane, item: T) => void;
  /** Takes the next item; null when there is none. */
  readonly next: () => T | null;
  /** Items waiting, in one lane or in all. */
  readonly size: (lane?: Lane) => number;
  /** Removes what no longer needs to be sent. */
  readonly drop: (isObsolete: (item: T) => boolean) => void;
}

/** A taken prefix is cut off at this length, so that a queue that is never empty does not grow for ever. */
const cutLength = 1024;

/** Taken places are null, so that what was sent is not kept. */
interface Queue<T> {
  items: ({ readonly item: T } | null)[];
  at: number;
}

/** Empty lanes. */
export function createLanes<T>(): Lanes<T> {
  const queues: Readonly<Record<Lane, Queue<T>>> = { ctl: emptyQueue(), live: emptyQueue(), bulk: emptyQueue() };
  const sizeOf = (lane: Lane): number => queues[lane].items.length - queues[lane].at;
  return {
    push: (lane, item) => void queues[lane].items.push({ item }),
    next: () => {
      const lane = laneNames.find((name) => sizeOf(name) > 0);
      return lane === undefined ? null : takeFrom(queues[lane]);
    },
    size: (lane) => (lane === undefined ? laneNames.reduce((sum, name) => sum + sizeOf(name), 0) : sizeOf(lane)),
    drop: (isObsolete) => {
      for (const name of laneNames) {
        const queue = queues[name];
        queue.items = queue.items.filter((place) => place !== null && !isObsolete(place.item));
        queue.at = 0;
      }
    },
  };
}

function emptyQueue<T>(): Queue<T> {
  return { items: [], at: 0 };
}

function takeFrom<T>(queue: Queue<T>): T | null {
  const place = queue.items[queue.at] ?? null;
  queue.items[queue.at] = null;
  queue.at++;
  if (queue.at === queue.items.length || queue.at >= cutLength) {
    queue.items.splice(0, queue.at);
    queue.at = 0;
  }
  return place === null ? null : place.item;
}
