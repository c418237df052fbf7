import { expect, test } from 'vitest';
import type { Bytes } from '../base/index.js';
import { equalBytes } from '../base/index.js';
import { createSeededNumbers } from '../codec/mutate.kit.js';
import type { HeardClaim, RequestAction, Requester, RequestEvent } from './index.js';
import { claimDelay, initialRequester, isSuppressed, penaltiesMs, requestStep } from './index.js';

/**
 * The model of sync.md §6.4 on the real rules: one-way latency is up + down, each lognormal of median 25 ms and sigma
 * 0.5; 60 % of the peers could give everything, 25 % at least half, 15 % less. Claims are broadcast, so that the others
 * fall silent; grants and data go to one.
 */
interface Model {
  readonly peers: number;
  readonly seed: number;
  /** Share of the peers that answer nothing. */
  readonly dead?: number;
  /** Share that claims everything at once and sends nothing. */
  readonly liars?: number;
  /** Chance that a peer does not know of another. */
  readonly unknown?: number;
}

interface Outcome {
  readonly claims: number;
  /** First claim at the requester, and first honest data; ms. */
  readonly claimMs: number;
  readonly dataMs: number;
  readonly grants: number;
  /** Grants under way at a time, at most. */
  readonly overlapping: number;
}

interface Peer {
  readonly device: Bytes;
  readonly kind: 'honest' | 'dead' | 'liar';
  readonly coverage: number;
  readonly roster: readonly Bytes[];
  readonly up: () => number;
  readonly down: () => number;
  reqId: Bytes;
  attempt: number;
  heard: HeardClaim[];
}

interface Queued {
  readonly at: number;
  readonly run: () => void;
}

function createWorld(model: Model) {
  const next = createSeededNumbers(model.seed);
  const id = (length: number): Bytes => Uint8Array.from({ length }, () => Math.floor(next() * 256));
  const lognormal = (): number => {
    const gauss = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
    return 25 * Math.exp(0.5 * gauss);
  };
  const devices = Array.from({ length: model.peers }, () => id(32));
  const coverageOf = (): number => {
    const draw = next();
    if (draw < 0.6) return 255;
    return Math.max(1, Math.floor(255 * (draw < 0.85 ? 0.5 + next() / 2 : next() / 2)));
  };
  const peers = devices.map((device): Peer => {
    const draw = next();
    const isLiar = draw < (model.liars ?? 0);
    const kind = isLiar ? 'liar' : next() < (model.dead ?? 0) ? 'dead' : 'honest';
    const roster = devices.filter((other) => equalBytes(other, device) || next() >= (model.unknown ?? 0));
    const [up, down] = [lognormal(), lognormal()];
    return {
      device,
      kind,
      coverage: coverageOf(),
      roster,
      up: () => up,
      down: () => down,
      reqId: id(16),
      attempt: -1,
      heard: [],
    };
  });
  /** The next one last. */
  const queue: Queued[] = [];
  let now = 0;
  return {
    peers,
    next,
    id,
    own: { up: lognormal(), down: lognormal() },
    now: () => now,
    after: (delayMs: number, run: () => void) => {
      const at = now + delayMs;
      let [low, high] = [0, queue.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((queue[middle]?.at ?? 0) > at) low = middle + 1;
        else high = middle;
      }
      queue.splice(low, 0, { at, run });
    },
    /** Until `isOver` or nothing is left. */
    run: (isOver: () => boolean) => {
      while (!isOver()) {
        const first = queue.pop();
        if (first === undefined || now > 600_000) return;
        now = first.at;
        first.run();
      }
    },
  };
}

function simulate(model: Model): Outcome {
  const world = createWorld(model);
  let requester: Requester = initialRequester(0);
  let claims = 0;
  let grants = 0;
  let underWay = 0;
  let overlapping = 0;
  let claimMs = -1;
  let dataMs = -1;

  const start = (): RequestEvent => ({
    is: 'start',
    reqId: world.id(16),
    prefer: null,
    peers: model.peers,
    rttMs: 100,
  });
  const step = (event: RequestEvent): void => {
    const result = requestStep(requester, event, { now: world.now(), random: world.next() });
    requester = result.state;
    for (const action of result.actions) perform(action);
  };
  const perform = (action: RequestAction): void => {
    if (action.do === 'arm-timer') world.after(action.atMs - world.now(), () => step({ is: 'timer' }));
    if (action.do === 'end-transfer') underWay--;
    if (action.do === 'gave-up') world.after(action.untilMs - world.now(), () => step(start()));
    if (action.do === 'send-req') {
      for (const peer of world.peers) world.after(world.own.up + peer.down(), () => onRequest(peer, action));
    }
    if (action.do === 'send-grant') {
      grants++;
      underWay++;
      overlapping = Math.max(overlapping, underWay);
      const peer = world.peers.find(({ device }) => equalBytes(device, action.claimer));
      if (peer?.kind !== 'honest') return;
      world.after(world.own.up + peer.down() + peer.up() + world.own.down, () => {
        if (requester.phase.is !== 'served' || requester.phase.transfer !== action.transfer) return;
        dataMs = world.now();
        step({ is: 'done', transfer: action.transfer, complete: true, useful: true });
      });
    }
  };
  const onRequest = (peer: Peer, req: RequestAction & { do: 'send-req' }): void => {
    const isCopy = equalBytes(peer.reqId, req.reqId) && peer.attempt >= req.attempt;
    if (peer.kind === 'dead' || isCopy) return;
    peer.reqId = req.reqId;
    peer.attempt = req.attempt;
    peer.heard = [];
    const { device: me, coverage, roster } = peer;
    const penaltyMs = req.exclude.some((one) => equalBytes(one, me)) ? penaltiesMs.failedBefore : 0;
    const random = world.next();
    const delay = claimDelay({ reqId: req.reqId, me, roster, coverage, penaltyMs, prefer: null, random });
    world.after(peer.kind === 'liar' ? 0 : (delay ?? 0), () => {
      const isQuiet = peer.kind === 'honest' && isSuppressed({ ...req, claims: peer.heard, me, coverage });
      if (!isQuiet && peer.attempt === req.attempt && equalBytes(peer.reqId, req.reqId)) sendClaim(peer);
    });
  };
  const sendClaim = (from: Peer): void => {
    claims++;
    const coverage = from.kind === 'liar' ? 255 : from.coverage;
    const heard = { claimer: from.device, coverage };
    for (const peer of world.peers)
      if (peer !== from) world.after(from.up() + peer.down(), () => peer.heard.push(heard));
    world.after(from.up() + world.own.down, () => {
      if (claimMs < 0) claimMs = world.now();
      step({ is: 'claim', claimer: from.device, coverage, load: 0 });
    });
  };

  step(start());
  world.run(() => dataMs >= 0);
  // What is still to be sent counts as well: everybody's timer of this attempt runs out.
  const servedAt = dataMs;
  world.run(() => world.now() > servedAt + 3000);
  return { claims, claimMs, dataMs: servedAt, grants, overlapping };
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

function repeat(trials: number, model: Omit<Model, 'seed'>): readonly Outcome[] {
  return Array.from({ length: trials }, (_, i) => simulate({ ...model, seed: 1000 + i }));
}

function summary(name: string, outcomes: readonly Outcome[]): { readonly extra: number; readonly p95: number } {
  const extra = outcomes.reduce((sum, { claims }) => sum + claims - 1, 0) / outcomes.length;
  const first = outcomes.map(({ claimMs }) => claimMs);
  const data = outcomes.map(({ dataMs }) => dataMs);
  const p95 = quantile(first, 0.95);
  const line = [quantile(first, 0.5), p95, quantile(data, 0.5), quantile(data, 0.95)].map((ms) => ms.toFixed(0));
  console.log(
    `[X6] ${name}: ${extra.toFixed(2)} extra claims, first claim p50/p95 ${line.slice(0, 2).join('/')} ms, ` +
      `data p50/p95 ${line.slice(2).join('/')} ms, grants ${(outcomes.reduce((sum, { grants }) => sum + grants, 0) / outcomes.length).toFixed(2)}`,
  );
  return { extra, p95 };
}

test.each([
  [4, 400],
  [24, 200],
  [99, 60],
] as const)(
  '[X6] %i peers: one grant each, at most 0.3 extra claims, first claim within 500 ms',
  (peers, trials) => {
    const outcomes = repeat(trials, { peers });
    const { extra, p95 } = summary(`${String(peers)} peers`, outcomes);
    expect(outcomes.every(({ grants }) => grants === 1)).toBe(true);
    expect(extra).toBeLessThanOrEqual(0.3);
    expect(p95).toBeLessThanOrEqual(500);
  },
  60_000,
);

test('[X6] 24 peers, a fifth of them dead: the others fill in', () => {
  const { extra, p95 } = summary('24 peers, 20 % dead', repeat(150, { peers: 24, dead: 0.2 }));
  expect(extra).toBeLessThanOrEqual(0.3);
  expect(p95).toBeLessThanOrEqual(700);
}, 60_000);

test('[X6] 24 peers that miss each other by 30 %: degrades gently', () => {
  const { extra } = summary('24 peers, 30 % unknown', repeat(150, { peers: 24, unknown: 0.3 }));
  expect(extra).toBeLessThanOrEqual(0.7);
}, 60_000);

test('[X6] 24 peers, a quarter of them liars: honest data comes, from one source at a time', () => {
  const outcomes = repeat(150, { peers: 24, liars: 0.25 });
  summary('24 peers, 25 % liars', outcomes);
  expect(outcomes.every(({ dataMs }) => dataMs >= 0)).toBe(true);
  expect(Math.max(...outcomes.map(({ overlapping }) => overlapping))).toBe(1);
  expect(
    quantile(
      outcomes.map(({ dataMs }) => dataMs),
      0.5,
    ),
  ).toBeLessThan(6000);
}, 60_000);
