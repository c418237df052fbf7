/** The page's end of the limit's worker. */
export function startLimit() {
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), { type: 'module' });
  const call = (step, input = {}, transfer = []) =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.error === undefined ? resolve(data.value) : reject(new Error(data.error)));
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage({ step, input }, transfer);
    });
  return { call, stop: () => worker.terminate() };
}
