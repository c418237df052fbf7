/** The page's end of the limit's worker. */
export function startLimit() {
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), { type: 'module' });
  let hear = () => undefined;
  const call = (step, input = {}, transfer = []) =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => {
        if (data.news !== undefined) hear(data.news);
        else if (data.error === undefined) resolve(data.value);
        else reject(new Error(data.error));
      };
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage({ step, input }, transfer);
    });
  return {
    call,
    /** What the worker says unasked: changes from the other side of a line. */
    listen: (run) => {
      hear = run;
    },
    stop: () => worker.terminate(),
  };
}
