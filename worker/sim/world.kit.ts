/** A world of one seed: its clock, its network, its people, its log, and what went wrong. */
import { createHash } from 'node:crypto';
import { createMemoryNetwork, type MemoryFaults, type TappedFrame } from '../../src/transport/index.js';
import { toHex } from '../../src/core/base/index.js';
import { decodeFragment, decodeHello, frameType, frameTypes } from '../../src/core/wire/index.js';
import type { Weakness } from '../engine/index.js';
import type { PersonWorld } from './person.kit.js';
import { createPureMemo, drainPromises } from './platform.kit.js';
import { createChance, type Chance } from './random.js';
import { createTimeline } from './timeline.js';

export interface World extends PersonWorld {
  readonly seed: number;
  readonly chance: Chance;
  /** Lets everybody sleep at once: clocks go on, timers do not. */
  readonly sleep: (ms: number) => void;
  /** Runs until the promise settles; fails after `limitMs` of the world's time. */
  readonly settled: <T>(promise: Promise<T>, limitMs: number) => Promise<T>;
  readonly failures: readonly string[];
  readonly fail: (text: string) => void;
  readonly lines: () => readonly string[];
  /** A hash over every frame that was put into the network: the same for the same seed, or something is not decided by it. */
  readonly traceHash: () => string;
  /** Everything that was put into the network by its users, one frame after the other. */
  readonly heard: () => Uint8Array;
  /** Sessions (hex) that an address has said to be in, by its HELLOs since then. */
  readonly sessionsOf: (address: string, sinceMs: number) => ReadonlySet<string>;
}

/** 2026-01-01; any date will do. */
const beginMs = 1_767_225_600_000;
/** Every so many seeds have devices that give way in the middle of a step. */
const pausingShare = 4;
/** Lines kept for a report. */
const maxLines = 20_000;

export function createWorld(o: {
  readonly seed: number;
  readonly weaknesses?: readonly Weakness[];
  readonly verbose?: boolean;
}): World {
  const chance = createChance(`seed ${String(o.seed)}`);
  const lines: string[] = [];
  const failures: string[] = [];
  let sleptMs = 0;
  const log = (text: string): void => {
    const line = `${(timeline.now() / 1000).toFixed(3).padStart(9)} ${text}`;
    if (lines.length < maxLines) lines.push(line);
    if (o.verbose === true) console.log(line);
  };
  const fail = (text: string): void => {
    failures.push(text);
    log(`FAILED: ${text}`);
  };
  const failed = (error: unknown): void => {
    fail(`an error escaped: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  };
  const timeline = createTimeline({ drain: drainPromises, failed });
  const network = createMemoryNetwork({ random: chance.fork('network').next, schedule: timeline.after });
  const trace = createHash('sha256');
  const frames: Uint8Array[] = [];
  const packsSent = new Set<string>();
  const sessions: { readonly atMs: number; readonly from: string; readonly session: string }[] = [];
  network.tap(({ from, to, bytes, injected }: TappedFrame) => {
    if (!injected) frames.push(bytes);
    const fragment = !injected && frameType(bytes) === frameTypes.fragment ? decodeFragment(bytes) : null;
    const receiver = to === 'all' ? '*' : to.join();
    if (fragment?.ok === true && ![from, receiver].includes('mallory')) {
      const key = `${from} ${receiver} ${String(fragment.value.transfer)} ${String(fragment.value.index)}`;
      if (packsSent.has(key)) fail(`${from} served a pack twice: an old request was taken for a new one`);
      packsSent.add(key);
    }
    const hello = !injected && frameType(bytes) === frameTypes.hello ? decodeHello(bytes) : null;
    if (hello?.ok === true) sessions.push({ atMs: timeline.now(), from, session: toHex(hello.value.hello.session) });
    trace
      .update(`${String(timeline.now())} ${from} ${to === 'all' ? '*' : to.join()} ${String(injected)} `)
      .update(bytes);
  });
  return {
    seed: o.seed,
    chance,
    timeline,
    network,
    memo: createPureMemo(),
    weaknesses: new Set(o.weaknesses),
    isPausing: o.seed % pausingShare === 1,
    wallMs: () => beginMs + timeline.now() + sleptMs,
    sleep: (ms) => {
      sleptMs += ms;
    },
    settled: async (promise, limitMs) => {
      const end = timeline.now() + limitMs;
      const state = { isDone: false };
      const done = promise.finally(() => {
        state.isDone = true;
      });
      done.catch(() => undefined);
      await drainPromises();
      while (!state.isDone && timeline.now() < end) await timeline.runUntil(timeline.now() + 20);
      if (!state.isDone) throw new Error(`not within ${String(limitMs)} ms`);
      return done;
    },
    failed,
    fail,
    failures,
    log,
    lines: () => lines,
    traceHash: () => trace.copy().digest('hex'),
    heard: () => Buffer.concat(frames),
    sessionsOf: (address, sinceMs) =>
      new Set(sessions.filter((s) => s.from === address && s.atMs >= sinceMs).map((s) => s.session)),
  };
}

/** How badly the network behaves under the faults a seed has. */
export function weatherOf(
  has: (name: 'latency' | 'loss' | 'duplication' | 'reorder') => boolean,
  chance: Chance,
): MemoryFaults {
  const slowest = has('latency') ? chance.pick([50, 200, 600]) : 2;
  return {
    minLatencyMs: has('latency') ? 5 : 1,
    maxLatencyMs: slowest,
    lossRate: has('loss') ? chance.pick([0.02, 0.1, 0.25]) : 0,
    duplicateRate: has('duplication') ? chance.pick([0.05, 0.3]) : 0,
    reorderRate: has('reorder') ? chance.pick([0.05, 0.3]) : 0,
  };
}

export const calm: MemoryFaults = { minLatencyMs: 1, maxLatencyMs: 5, lossRate: 0, duplicateRate: 0, reorderRate: 0 };
