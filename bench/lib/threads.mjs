/**
 * Speaks to every worker that a page has or starts, through the page's own session, message by message: the driver keeps
 * none for them. Chromium's alone.
 */

/** @param onWorker called for each worker as it is met, with what sends a command to it @returns what ends all that */
export async function attachToWorkers(page, onWorker) {
  const session = await page.context().newCDPSession(page);
  const waiting = new Map();
  let lastId = 0;
  const send = (sessionId, method, params = {}) =>
    new Promise((resolve) => {
      const id = ++lastId;
      waiting.set(id, resolve);
      void session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method, params }) });
    });
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, result } = JSON.parse(message);
    waiting.get(id)?.(result);
  });
  session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
    if (targetInfo.type === 'worker') onWorker((method, params) => send(sessionId, method, params));
  });
  await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  return () => session.detach();
}

/** Lets the page and all of its workers collect their garbage. */
export async function collectGarbage(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  await session.detach();
  const collecting = [];
  const detach = await attachToWorkers(page, (send) => collecting.push(send('HeapProfiler.collectGarbage')));
  await Promise.all(collecting);
  await detach();
}
