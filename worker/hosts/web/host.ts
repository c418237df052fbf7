import type { FromPage, FromWorker, ToPage, ToWorker } from '../../../src/bridge/index.js';
import { createPageGate } from '../../../src/bridge/index.js';
import { toHex } from '../../../src/core/base/index.js';
import { createMemoryDisk } from '../../storage/index.js';
import { createBrowserDisk } from '../../storage/idb/index.js';
import type { Tabs } from '../../tabs/index.js';
import { createTabs } from '../../tabs/index.js';
import { createRandom } from '../../vault/index.js';
import type { Brought } from './engine.js';
import { engineStarter } from './engine.js';
import { canTearLog, tabsPlatform } from './platform.js';
import { browserTime } from './time.js';

/** What is used of the global scope of a dedicated worker. */
export interface WorkerScope {
  readonly postMessage: (message: ToPage) => void;
  readonly addEventListener: (
    type: 'message',
    listener: (event: { readonly data: FromPage | readonly FromPage[] }) => void,
  ) => void;
  readonly close: () => void;
}

/** Serves the page of this worker until it says `stop`. */
export function runWebWorker(scope: WorkerScope, brought: Brought): void {
  const gate = createPageGate();
  let tabs: Tabs | null = null;
  const post = (message: FromWorker): void => scope.postMessage(gate.toPage(message));

  const handle = (message: ToWorker): void => {
    switch (message.t) {
      case 'start':
        tabs ??= joinTabs(message, post, brought);
        return;
      case 'abdicate':
        void tabs?.abdicate();
        return;
      case 'resume':
        tabs?.resume();
        return;
      case 'stop':
        void (tabs?.stop() ?? Promise.resolve()).finally(() => scope.close());
        return;
      default:
        tabs?.deliver(message);
    }
  };
  scope.addEventListener('message', ({ data }) => {
    for (const message of [data].flat()) {
      const passed = gate.fromPage(message);
      if ('pass' in passed) handle(passed.pass);
      else scope.postMessage(passed.answer);
    }
  });
  post({ t: 'alive' });
}

function joinTabs(
  start: ToWorker & { readonly t: 'start' },
  post: (message: FromWorker) => void,
  brought: Brought,
): Tabs {
  const { namespace, tab, storage } = start;
  const time = browserTime;
  const inMemory = storage === 'memory';
  return createTabs({
    namespace,
    tab,
    time,
    post,
    instance: toHex(createRandom().bytes(8)),
    startEngine: engineStarter(brought, storage),
    platform: inMemory ? null : tabsPlatform(),
    openDisk: (onBlocked) =>
      inMemory
        ? createMemoryDisk()
        : createBrowserDisk({
            namespace,
            time,
            canTearLog: canTearLog(),
            onState: ({ state }) => onBlocked(state === 'stuck'),
          }),
  });
}
