import { StoreError } from '../../../src/ports/index.js';

/** What the disk was doing when it failed or got stuck. */
export type Doing = 'open' | 'read' | 'commit' | 'take-over' | 'erase';

/** The typed failure of whatever a browser throws here. */
export function toStoreError(error: unknown, doing: Doing): StoreError {
  if (error instanceof StoreError) return error;
  const name = nameOf(error);
  const failure = name === 'QuotaExceededError' ? 'full' : 'broken';
  const reason = name === 'VersionError' ? 'a newer version of this library has changed the database' : name;
  return new StoreError(failure, `database: ${doing} failed (${reason})`, { cause: error });
}

/** Whether the connection died and not the data: worth another try on a new connection. */
export function isLostConnection(error: unknown): boolean {
  return ['InvalidStateError', 'AbortError', 'UnknownError'].includes(nameOf(error));
}

function nameOf(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.name : String(error);
}
