import type { WireError } from '../../src/bridge/index.js';
import { StoreError } from '../../src/ports/index.js';

const wireError = (code: string, message: string): WireError => ({ name: 'KeeproomError', code, message });

/** The database makes us wait; it goes on by itself when the tab that holds it wakes or is closed (tabs.md T4, T5). */
export const blockedError: WireError = wireError(
  'storage/blocked',
  'another tab of this site, asleep or stopped, holds the database; it goes on when that tab wakes or is closed',
);

export const upgradeError: WireError = wireError(
  'upgrade/required',
  'another tab runs a different version of this app; reload this one',
);

/** Without Web Locks nobody can tell tabs apart; the last one that opened the namespace has it. */
export const takenOverError: WireError = wireError(
  'worker/taken-over',
  'this browser has no Web Locks, so one tab at a time can be used, and another one has been opened; reload to use this one',
);

/** Why an engine could not be started or storage could not be erased. */
export function toWireError(error: unknown): WireError {
  if (error instanceof StoreError) {
    return wireError(error.failure === 'full' ? 'storage/full' : 'storage/broken', error.message);
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return wireError('worker/not-started', message);
}
