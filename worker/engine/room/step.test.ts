import { expect, test } from 'vitest';
import { createMemoryDisk } from '../../storage/index.js';
import { createTurns, type RoomCore } from './core.js';
import { createStepLoop, type StepLoop } from './step.js';

async function startLoop(): Promise<StepLoop> {
  const disk = createMemoryDisk();
  const report = (error: unknown): never => {
    throw error;
  };
  const store = disk.open(await disk.raiseGeneration());
  return createStepLoop({ store, report, committed: () => undefined, failed: () => Promise.resolve() });
}

test('[F10] what an effect wants done after the commit is done too, behind those that were there', async () => {
  const loop = await startLoop();
  const done: string[] = [];
  loop.enqueue((step) => {
    step.effects.push(() => {
      done.push('first');
      loop.afterCommit(() => done.push('third'));
    });
    step.effects.push(() => done.push('second'));
    expect(done).toEqual([]);
  });
  await loop.idle();
  expect(done).toEqual(['first', 'second', 'third']);
  loop.afterCommit(() => done.push('at rest'));
  expect(done.at(-1)).toBe('at rest');
});

test('[F20] between the jobs of a long turn whatever else waits has its own; they still share one commit', async () => {
  const disk = createMemoryDisk();
  const store = disk.open(await disk.raiseGeneration());
  const done: string[] = [];
  let commits = 0;
  let calls = 0;
  const loop = createStepLoop({
    store: { commit: (...a) => (commits++, store.commit(...a)) },
    report: () => undefined,
    committed: () => undefined,
    failed: () => Promise.resolve(),
    // Due after the second job alone.
    turns: () => () => (++calls === 2 ? new Promise((resolve) => setTimeout(resolve, 0)) : undefined),
  });
  for (const n of [1, 2, 3])
    loop.enqueue((step) => {
      step.ops.push({ do: 'put', table: 'state', key: ['r', n], value: n });
      done.push(`job ${String(n)}`);
    });
  setTimeout(() => done.push('a timer'), 0);
  await loop.idle();
  expect(done).toEqual(['job 1', 'job 2', 'a timer', 'job 3']);
  expect(commits).toBe(1);
});

test('[F20] others are due once work has gone on for so long, and again after as long', async () => {
  let nowMs = 0;
  const later: (() => void)[] = [];
  const time = { now: () => nowMs, after: (_: number, run: () => void) => (later.push(run), () => undefined) };
  const othersDue = createTurns({ ports: { time } as RoomCore['ports'] }, 8);
  nowMs = 7;
  expect(othersDue()).toBeUndefined();
  nowMs = 8;
  const due = othersDue();
  expect(due).toBeInstanceOf(Promise);
  nowMs = 20;
  later.forEach((run) => run());
  await due;
  nowMs = 27;
  expect(othersDue()).toBeUndefined();
});
