/**
 * Starts the engine's worker. One expression, beside the file it names, in source and in dist: bundlers recognise it
 * in exactly this form and serve the worker with the app.
 */
export function spawnWorker(): Worker {
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
}
