/**
 * The one clock of a simulated world. Everything that happens later is an event here; between two events all promises
 * that can settle do (`drain`), so that a run depends on nothing but the order of events.
 */
export interface Timeline {
  /** Milliseconds since the world began. */
  readonly now: () => number;
  /** Runs `run` once after `delayMs`; of events at one time the one asked for first comes first. The result cancels it. */
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** Lets events happen until that time. */
  readonly runUntil: (untilMs: number) => Promise<void>;
  /** Events so far. */
  readonly count: () => number;
}

export interface TimelineOptions {
  /** Resolves when no promise can settle without another event. */
  readonly drain: () => Promise<void>;
  /** An event threw. */
  readonly failed: (error: unknown) => void;
}

interface Event {
  readonly at: number;
  readonly order: number;
  run: (() => void) | null;
}

export function createTimeline({ drain, failed }: TimelineOptions): Timeline {
  const heap: Event[] = [];
  let nowMs = 0;
  let order = 0;
  let count = 0;
  return {
    now: () => nowMs,
    after: (delayMs, run) => {
      const event: Event = { at: nowMs + Math.max(0, delayMs), order: order++, run };
      push(heap, event);
      return () => {
        event.run = null;
      };
    },
    runUntil: async (untilMs) => {
      await drain();
      for (let first = heap[0]; first !== undefined && first.at <= untilMs; first = heap[0]) {
        pop(heap);
        if (first.run === null) continue;
        nowMs = first.at;
        count++;
        try {
          first.run();
        } catch (error) {
          failed(error);
        }
        await drain();
      }
      nowMs = Math.max(nowMs, untilMs);
    },
    count: () => count,
  };
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Event[], event: Event): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const up = (at - 1) >> 1;
    const parent = heap[up];
    if (parent === undefined || isBefore(parent, event)) break;
    heap[at] = parent;
    at = up;
  }
  heap[at] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    const [a, b] = [heap[left], heap[left + 1]];
    if (a === undefined) break;
    const [child, place] = b !== undefined && isBefore(b, a) ? [b, left + 1] : [a, left];
    if (isBefore(last, child)) break;
    heap[at] = child;
    at = place;
  }
  heap[at] = last;
}
