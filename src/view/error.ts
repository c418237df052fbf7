import type { ErrorCode, PageError } from '../bridge/index.js';
import { adviceOnPage } from '../bridge/index.js';

/**
 * An expected failure. `message` is for developers and never holds key material or content; `action` is a sentence for
 * the person at the screen; `retryable` says whether the same call may succeed later.
 */
export class KeeproomError extends Error {
  declare readonly code: ErrorCode;
  declare readonly action: string;
  /** Where this code is explained, relative to the root of the package. */
  declare readonly docs: string;
  declare readonly retryable: boolean;
  constructor(code: ErrorCode, message: string, o: ErrorOptions & Partial<PageError> = {}) {
    super(`${code}: ${message}`, o);
    const { action, retryable } = { ...adviceOnPage(code), ...o };
    this.name = 'KeeproomError';
    this.code = code;
    this.action = action;
    this.retryable = retryable;
    this.docs = `docs/errors.md#${code.replace('/', '')}`;
  }
}

/** Whether this is a {@link KeeproomError}, also one of another copy of the package. */
export function isKeeproomError(value: unknown): value is KeeproomError {
  return value instanceof Error && value.name === 'KeeproomError' && 'code' in value;
}

/** An error that crossed a thread, in its own class again. */
export function errorFromWire(error: PageError): Error {
  const { name, code, message } = error;
  if (name === 'KeeproomError') return new KeeproomError(code, message, error);
  return name === 'RangeError' ? new RangeError(message) : new TypeError(message);
}
