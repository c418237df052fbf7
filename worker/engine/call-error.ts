import type { WireError } from '../../src/bridge/index.js';
import { StoreError } from '../../src/ports/index.js';

/** A failure of a page's call, with the stable public code. */
export class CallError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The error of a refused call. */
export function callError(code: string, message: string): CallError {
  return new CallError(code, message);
}

/** What nobody waits for any more ends with this. */
export function givenUp(): CallError {
  return callError('aborted', 'the caller has given up');
}

/** As it crosses to the page: class and code survive; text of unexpected errors is kept, it never holds keys or plaintext. */
export function toWireError(error: unknown): WireError {
  if (error instanceof StoreError)
    return {
      name: 'KeeproomError',
      code: error.failure === 'full' ? 'storage/full' : 'storage/broken',
      message: error.message,
    };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof CallError) return { name: 'KeeproomError', code: error.code, message };
  if (error instanceof RangeError) return { name: 'RangeError', code: '', message };
  return { name: 'TypeError', code: '', message };
}
