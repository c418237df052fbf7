/** How long the page's own thread was held while something was timed. Chromium only: its tracing counts every task. */
const CATEGORIES = ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'blink.user_timing'];

/** @returns the sample, with `longestTaskMs` and `pageMs` between the marks of `pages/work.mjs` among its metrics */
export async function tracePage({ take, page }) {
  const session = await page.context().newCDPSession(page);
  const events = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: CATEGORIES, excludedCategories: ['*'] },
  });
  const result = await take();
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  await session.send('Tracing.end');
  await complete;
  await session.detach();
  return { ...result, metrics: { ...result.metrics, ...readTasks(events) } };
}

function readTasks(events) {
  const begin = events.find(({ name }) => name === 'bench-begin');
  const end = events.find(({ name }) => name === 'bench-end');
  if (begin === undefined || end === undefined) throw new Error('the trace has no marks');
  const tasks = events
    .filter(({ name, pid, tid }) => name === 'RunTask' && pid === begin.pid && tid === begin.tid)
    // A task that began before or ends later counts with what lies between the marks.
    .map(({ ts, dur = 0 }) => Math.min(ts + dur, end.ts) - Math.max(ts, begin.ts))
    .filter((us) => us > 0);
  return { longestTaskMs: Math.max(0, ...tasks) / 1000, pageMs: tasks.reduce((sum, us) => sum + us, 0) / 1000 };
}
