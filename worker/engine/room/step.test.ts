import { expect, test } from 'vitest';
import { createMemoryDisk } from '../../storage/index.js';
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
