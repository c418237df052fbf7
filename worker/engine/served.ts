import type { FromEngine, ToEngine } from '../../src/bridge/index.js';

/** A running engine as the tabs see it. Hosts connect tabs to it; it never knows whether a tab is near or far. */
export interface ServedEngine {
  /** A tab appears. `send` must not throw; messages to a tab that went away are dropped. */
  readonly attach: (tab: string, send: (message: FromEngine) => void) => ServedTab;
  /** Commits what is queued, says goodbye to nobody, closes the store. Safe to call twice. */
  readonly stop: () => Promise<void>;
}

export interface ServedTab {
  readonly deliver: (message: ToEngine) => void;
  /** The tab is gone: its links are withdrawn, its rooms closed, its confirmed writes stay. */
  readonly detach: () => void;
}
