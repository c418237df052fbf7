import { utf8Length } from '../codec/index.js';

/** Longest name of a collection, field, domain, role or app, in UTF-8: an op repeats its names. */
export const maxNameBytes = 64;

/** Would set the prototype of a careless reader's object; the codec refuses it as a key too. */
const forbiddenName = '__proto__';
const loneSurrogate = /\p{Surrogate}/u;

/** Whether the text has no lone surrogate, so that it has a UTF-8 form (F14). */
export function isWellFormed(text: string): boolean {
  return !loneSurrogate.test(text);
}

/** Whether this can name something in an op: 1 to {@link maxNameBytes} bytes of well-formed text, and not `__proto__`. */
export function isName(text: unknown): text is string {
  if (typeof text !== 'string' || text === '' || text === forbiddenName) return false;
  return text.length <= maxNameBytes && utf8Length(text) <= maxNameBytes && isWellFormed(text);
}
