import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Bytes } from '../base/index.js';
import type { Moment, RequestAction, Requester, RequestEvent } from './index.js';
import { initialRequester, requestStep } from './index.js';

const base = 0x0007_0000;
const reqId = new Uint8Array(16).fill(0xc0);

function deviceOf(n: number): Bytes {
  return new Uint8Array(32).fill(n);
}

/** A requester with a clock; every step checks that time and phase agree. */
function createRun(): {
  readonly at: (now: number, event: RequestEvent, random?: number) => readonly RequestAction[];
  readonly state: () => Requester;
} {
  let state = initialRequester(base);
  return {
    at: (now, event, random = 0.5) => {
      const at: Moment = { now, random };
      const step = requestStep(state, event, at);
      state = step.state;
      return step.actions;
    },
    state: () => state,
  };
}

const start = (change: Partial<RequestEvent & { is: 'start' }> = {}): RequestEvent => ({
  is: 'start',
  reqId,
  prefer: null,
  peers: 5,
  rttMs: null,
  ...change,
});
const claim = (n: number, coverage = 255, load = 0): RequestEvent => ({
  is: 'claim',
  claimer: deviceOf(n),
  coverage,
  load,
});
const timer: RequestEvent = { is: 'timer' };
const alone = (n: number): RequestEvent => start({ prefer: deviceOf(n), alone: true });

test('[ELE-5] who is asked alone is not told to others, and its silence counts for nothing', () => {
  const run = createRun();
  expect(brief(run.at(0, alone(1)))).toEqual(['req 0 want 1 prefer 1 exclude []', 'timer 400']);
  expect(run.at(400, timer).map((action) => action.do)).toEqual(['end-transfer', 'stop-timer', 'gave-up']);
  expect(run.state()).toMatchObject({ phase: { is: 'idle' }, failures: 0 });
  expect(run.state().exclusions.size).toBe(0);
  run.at(500, alone(1));
  expect(run.at(600, { is: 'peer-gone', device: deviceOf(1) }).map((action) => action.do)).toContain('gave-up');
});

test('[ELE-5] a bad copy of one asked alone is remembered: it is not asked again meanwhile, and nobody instead', () => {
  const run = createRun();
  run.at(0, alone(1));
  const { transfer } = run.state().phase as { transfer: number };
  run.at(10, { is: 'bad', transfer });
  expect(run.at(1000, alone(1)).map((action) => action.do)).toEqual(['gave-up']);
  expect(run.state().phase.is).toBe('idle');
  expect(run.at(2000, start({ prefer: deviceOf(1) })).map((action) => action.do)).toEqual(['send-req', 'arm-timer']);
});

test('[F2] a bad copy that another has sealed and signed is that one’s: the bringer is only the last resort', () => {
  const run = createRun();
  run.at(0, start({ prefer: deviceOf(1) }));
  run.at(10, { is: 'bad', transfer: base, sealer: deviceOf(2) });
  const kinds = [...run.state().exclusions.values()].map(({ device, kind }) => `${String(device[0])} ${kind}`);
  expect(kinds).toEqual(['2 bad', '1 slow']);
  run.at(20, claim(2));
  expect(run.state().phase.is).not.toBe('served');
  run.at(30, claim(1));
  expect(run.state().phase).toMatchObject({ is: 'served', by: deviceOf(1) });
});

const brief = (actions: readonly RequestAction[]): string[] =>
  actions.map((action) => {
    switch (action.do) {
      case 'send-req':
        return `req ${String(action.attempt)} want ${String(action.want)} prefer ${String(action.prefer?.[0] ?? '-')} exclude [${action.exclude.map((one) => one[0]).join()}]`;
      case 'send-grant':
        return `grant ${String(action.claimer[0])} under ${String(action.transfer / 0x1_0000)}`;
      case 'end-transfer':
        return `end ${String(action.source[0])} under ${String(action.transfer / 0x1_0000)}`;
      case 'arm-timer':
        return `timer ${String(action.atMs)}`;
      case 'stop-timer':
        return 'stop';
      case 'finished':
        return `finished by ${String(action.by[0])} ${action.complete ? 'all' : 'part'}`;
      case 'gave-up':
        return `gave up until ${String(action.untilMs)}`;
    }
  });

test('[X6] cold: the first claim of full coverage is granted at once, a later one changes nothing', () => {
  const run = createRun();
  expect(brief(run.at(0, start()))).toEqual(['req 0 want 1 prefer - exclude []', 'timer 2500']);
  expect(brief(run.at(150, claim(1)))).toEqual(['grant 1 under 7', 'timer 550']);
  expect(run.at(160, claim(2))).toEqual([]);
  expect(run.at(300, { is: 'progress', transfer: base })).toEqual([]);
  expect(brief(run.at(550, timer))).toEqual(['timer 2300']);
  const done = run.at(900, { is: 'done', transfer: base, complete: true, useful: true });
  expect(brief(done)).toEqual(['end 1 under 7', 'stop', 'finished by 1 all']);
  expect(run.state().phase).toEqual({ is: 'idle' });
});

test('[X6] with prefer the request is the grant: one round trip, and the transfer is known', () => {
  const run = createRun();
  const actions = run.at(0, start({ prefer: deviceOf(3), rttMs: 300 }));
  expect(brief(actions)).toEqual(['req 0 want 1 prefer 3 exclude []', 'timer 800']);
  expect(actions[0]).toMatchObject({ transfer: base });
  expect(run.state().phase).toMatchObject({ is: 'served', transfer: base });
  run.at(100, { is: 'progress', transfer: base });
  const done = run.at(200, { is: 'done', transfer: base, complete: false, useful: true });
  expect(brief(done)).toEqual(['end 3 under 7', 'stop', 'finished by 3 part']);
});

test('[X6] partial claims are collected for 60 ms, and the best by coverage and load is granted', () => {
  const run = createRun();
  run.at(0, start());
  expect(brief(run.at(100, claim(1, 100)))).toEqual(['timer 160']);
  expect(run.at(120, claim(2, 200))).toEqual([]);
  expect(run.at(130, claim(3, 250, 1))).toEqual([]);
  expect(brief(run.at(160, timer))).toEqual(['grant 2 under 7', 'timer 560']);
  const full = createRun();
  full.at(0, start());
  full.at(100, claim(1, 100));
  expect(brief(full.at(110, claim(2)))).toEqual(['grant 2 under 7', 'timer 510']);
  const alone = createRun();
  alone.at(0, start({ peers: 1 }));
  expect(brief(alone.at(100, claim(1, 3)))).toEqual(['grant 1 under 7', 'timer 500']);
});

test('[X6] a silent source is excluded, and the next claim is granted without a new request', () => {
  const run = createRun();
  run.at(0, start());
  run.at(100, claim(1));
  run.at(150, claim(2, 200));
  expect(brief(run.at(500, timer))).toEqual(['end 1 under 7', 'grant 2 under 8', 'timer 900']);
  expect(run.at(600, { is: 'progress', transfer: base })).toEqual([]);
  expect(run.state().phase).toMatchObject({ untilMs: 900 });
  expect(brief(run.at(900, timer))).toEqual(['end 2 under 8', 'timer 1400']);
  expect(brief(run.at(1400, timer))).toEqual(['req 1 want 2 prefer - exclude [1,2]', 'timer 3900']);
});

test('[X6] a claim is worth 5 s', () => {
  const run = createRun();
  run.at(0, start());
  run.at(100, claim(1));
  run.at(150, claim(2));
  for (let now = 500; now <= 5000; now += 500) run.at(now, { is: 'progress', transfer: base });
  expect(brief(run.at(7000, timer))).toEqual(['end 1 under 7', 'timer 7500']);
});

test('[X6] pauses double, then the engine waits; a late claim in a pause is granted at once', () => {
  const run = createRun();
  run.at(0, start());
  const pauses: string[][] = [];
  let now = 0;
  for (let i = 0; i < 5; i++) {
    now += 2500;
    pauses.push(brief(run.at(now, timer)));
    now += [500, 1000, 2000, 4000][i] ?? 0;
    if (i < 4) run.at(now, timer);
  }
  expect(pauses).toEqual([
    ['timer 3000'],
    ['timer 6500'],
    ['timer 11000'],
    ['timer 17500'],
    ['stop', 'gave up until 28000'],
  ]);
  expect(run.state().phase.is).toBe('idle');
  run.at(30_000, start());
  expect(brief(run.at(32_500, timer))).toEqual(['stop', 'gave up until 48500']);
  run.at(50_000, start());
  run.at(50_100, claim(1));
  run.at(50_200, { is: 'progress', transfer: base });
  expect(run.state().failures).toBe(0);
  const late = createRun();
  late.at(0, start());
  late.at(2500, timer);
  expect(brief(late.at(2700, claim(4)))).toEqual(['grant 4 under 7', 'timer 3100']);
});

test('[X6] a bad source is out: its claims do not count, not even as the last', () => {
  const run = createRun();
  run.at(0, start());
  run.at(100, claim(1));
  expect(brief(run.at(200, { is: 'bad', transfer: base }))).toEqual(['end 1 under 7', 'timer 700']);
  expect(run.at(300, claim(1))).toEqual([]);
  expect(brief(run.at(700, timer))).toEqual(['req 1 want 2 prefer - exclude [1]', 'timer 3200']);
  run.at(800, claim(1));
  expect(brief(run.at(3200, timer))).toEqual(['timer 4200']);
  run.at(4200, { is: 'cancel' });
  expect(brief(run.at(5000, start({ prefer: deviceOf(1) })))).toEqual([
    'req 0 want 2 prefer - exclude [1]',
    'timer 7500',
  ]);
});

test('[X6] a slow source is the last resort: granted when nobody else claimed', () => {
  const run = createRun();
  run.at(0, start());
  run.at(100, claim(1));
  run.at(500, timer);
  run.at(1000, timer);
  expect(run.at(1100, claim(1))).toEqual([]);
  expect(brief(run.at(3500, timer))).toEqual(['grant 1 under 8', 'timer 3900']);
});

test('[X6] where there is nobody else, a slow source is not held back: a frame may have been lost', () => {
  const run = createRun();
  run.at(0, start({ peers: 1, prefer: deviceOf(1) }));
  expect(brief(run.at(400, timer))).toEqual(['end 1 under 7', 'timer 900']);
  expect(brief(run.at(900, timer))).toEqual(['req 1 want 2 prefer - exclude []', 'timer 3400']);
  expect(brief(run.at(1000, claim(1)))).toEqual(['grant 1 under 8', 'timer 1400']);
});

test('[X6] exclusions double up to 5 min, end, and are forgiven to one that serves', () => {
  const run = createRun();
  const untilMs = (): number => [...run.state().exclusions.values()][0]?.untilMs ?? -1;
  let now = 0;
  for (const seconds of [30, 60, 120, 240, 300, 300]) {
    run.at(now, start());
    run.at(now, claim(1));
    run.at(now, { is: 'bad', transfer: run.state().nextTransfer - 0x1_0000 });
    expect(untilMs()).toBe(now + seconds * 1000);
    run.at(now, { is: 'cancel' });
    now = untilMs();
  }
  run.at(now, start({ prefer: deviceOf(1) }));
  expect(run.state().phase.is).toBe('served');
  run.at(now, { is: 'done', transfer: run.state().nextTransfer - 0x1_0000, complete: true, useful: true });
  expect(run.state().exclusions.size).toBe(0);
});

test('[X6] one that leaves is not to blame; done that brought nothing is', () => {
  const run = createRun();
  run.at(0, start());
  run.at(100, claim(1));
  run.at(110, claim(2));
  run.at(120, claim(3));
  run.at(130, { is: 'peer-gone', device: deviceOf(2) });
  expect(brief(run.at(200, { is: 'peer-gone', device: deviceOf(1) }))).toEqual([
    'end 1 under 7',
    'grant 3 under 8',
    'timer 600',
  ]);
  expect(run.state().exclusions.size).toBe(0);
  const useless = run.at(300, { is: 'done', transfer: base + 0x1_0000, complete: true, useful: false });
  expect(brief(useless)).toEqual(['end 3 under 8', 'timer 800']);
  expect([...run.state().exclusions.values()]).toMatchObject([{ device: deviceOf(3), kind: 'slow' }]);
});

test('[X6] cancel ends the transfer, a second start changes nothing, transfers wrap', () => {
  const run = createRun();
  expect(run.at(0, { is: 'cancel' })).toEqual([]);
  run.at(0, start());
  run.at(1, claim(1));
  expect(run.at(2, start({ prefer: deviceOf(2) }))).toEqual([]);
  expect(brief(run.at(3, { is: 'cancel' }))).toEqual(['end 1 under 7', 'stop']);
  expect(run.at(4, timer)).toEqual([]);
  const last = requestStep(initialRequester(0xffff_0000), start({ prefer: deviceOf(1) }), { now: 0, random: 0 });
  expect(last.state.nextTransfer).toBe(0);
});

const device = fc.integer({ min: 1, max: 4 });
const event: fc.Arbitrary<RequestEvent> = fc.oneof(
  fc.record({
    is: fc.constant('start' as const),
    reqId: fc.constant(reqId),
    prefer: fc.option(device.map(deviceOf)),
    peers: fc.integer({ min: 0, max: 4 }),
    rttMs: fc.option(fc.integer({ min: 1, max: 900 })),
  }),
  fc.record({
    is: fc.constant('claim' as const),
    claimer: device.map(deviceOf),
    coverage: fc.constantFrom(0, 1, 128, 255),
    load: fc.integer({ min: 0, max: 3 }),
  }),
  fc.constant(timer),
  fc.constant(timer),
  fc.record({ is: fc.constant('progress' as const), transfer: fc.constant(-1) }),
  fc.record({ is: fc.constant('bad' as const), transfer: fc.constant(-1) }),
  fc.record({
    is: fc.constant('done' as const),
    transfer: fc.constant(-1),
    complete: fc.boolean(),
    useful: fc.boolean(),
  }),
  fc.record({ is: fc.constant('peer-gone' as const), device: device.map(deviceOf) }),
  fc.constant<RequestEvent>({ is: 'cancel' }),
);

test('[X6] any order of events: one source at a time, every transfer once and ended, always a timer while waiting', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.integer({ min: 0, max: 3000 }), fc.nat(99))), (events) => {
      let state = initialRequester(base);
      let now = 0;
      let serving: number | null = null;
      let timerAt: number | null = null;
      const used = new Set<number>();
      for (const [raw, later, random] of events) {
        now += later;
        // Most events are about the transfer at hand, some about one that is over.
        const isCurrent = 'transfer' in raw && random < 80 && serving !== null;
        const current = isCurrent ? { ...raw, transfer: serving ?? -1 } : raw;
        const step = requestStep(state, current, { now, random: random / 100 });
        state = step.state;
        for (const action of step.actions) {
          if (action.do === 'arm-timer') timerAt = action.atMs;
          if (action.do === 'stop-timer') timerAt = null;
          const isGrant = action.do === 'send-grant' || (action.do === 'send-req' && action.prefer !== null);
          if (isGrant) {
            expect(serving).toBe(null);
            expect(used.has(action.transfer)).toBe(false);
            used.add(action.transfer);
            serving = action.transfer;
          }
          if (action.do === 'end-transfer') {
            expect(action.transfer).toBe(serving);
            serving = null;
          }
        }
        const { phase } = state;
        expect(phase.is === 'served' ? phase.transfer : null).toBe(serving);
        if (phase.is === 'idle') expect(timerAt).toBe(null);
        else if (timerAt === null || timerAt > phase.untilMs) expect.fail('waits without a timer');
      }
    }),
    { numRuns: 500 },
  );
}, 30_000);
