import type { FaultCode } from './faults.js';

/**
 * Why something was not accepted: a stable code, and words where somebody who uses the API reads them or the code leaves
 * open what it was about; they never hold keys or plaintext.
 */
export interface Fault {
  readonly code: FaultCode;
  readonly detail: string;
}

/** An expected failure is a value. Decoders and admission never throw on input from outside. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault };

/** The success arm of {@link Result}. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** The failure arm of {@link Result}. */
export function fail(code: FaultCode, detail = ''): { readonly ok: false; readonly fault: Fault } {
  return { ok: false, fault: { code, detail } };
}

/** For the default of an exhaustive switch: reaching it is a mistake of ours, never of a peer. */
export function assertNever(value: never): never {
  throw new TypeError(`unreachable case: ${String(value)}`);
}
