import type { Value } from '../codec/index.js';
import { asMap } from '../codec/index.js';
import { isWellFormed } from '../op/index.js';
import type { FieldDeclaration } from './declaration.js';
import { own } from './declaration.js';

/** Nested arrays and maps of a `json` value; a scalar has depth 0. A payload adds four levels of its own. */
export const maxJsonDepth = 16;

/** A fault's text stays short. */
const maxShownValues = 8;
/** base64url of 28 bytes: the last character carries two bits. */
const recordIdText = /^[A-Za-z0-9_-]{37}[AQgw]$/;

/** Whether an op may set the field to this. Absence is not asked here; see {@link mayBeNull} for null. */
export function isAllowed(field: FieldDeclaration, value: Value | undefined): boolean {
  if (value === undefined) return false;
  switch (field.kind) {
    case 'string':
      return isText(value) && (field.maxLength === null || value.length <= field.maxLength);
    case 'number':
      return isNumberWithin(field, value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'oneOf':
      return typeof value === 'string' && field.values.includes(value);
    case 'json':
      return isJson(value, maxJsonDepth);
    case 'ref':
      return typeof value === 'string' && recordIdText.test(value);
    case 'counter':
      return false;
    case 'opaque':
      return true;
  }
}

/** Whether an update may set the field to null, beside what its kind allows. */
export function mayBeNull(field: FieldDeclaration): boolean {
  return field.kind === 'counter' || field.kind === 'opaque' ? false : field.need === 'optional';
}

/** Whether a stored value has the type of the field, whatever its limits: an app with narrower ones still shows it. */
export function hasTypeOf(field: FieldDeclaration, value: Value): boolean {
  const type = own<string>(types, field.kind);
  return type === undefined ? !(value instanceof Uint8Array) : typeof value === type;
}

/** Of the kinds that have one type. */
const types = {
  string: 'string',
  oneOf: 'string',
  ref: 'string',
  number: 'number',
  counter: 'number',
  boolean: 'boolean',
};

/** What the field accepts, in words for a developer. */
export function expectationOf(field: FieldDeclaration): string {
  switch (field.kind) {
    case 'string':
      return field.maxLength === null
        ? 'well-formed text'
        : `well-formed text of at most ${String(field.maxLength)} UTF-16 units`;
    case 'number': {
      const from = field.min === null ? '' : ` from ${String(field.min)}`;
      const to = field.max === null ? '' : ` up to ${String(field.max)}`;
      return `${field.integer ? 'an integer' : 'a finite number, if integral within ±(2^53 - 1)'}${from}${to}`;
    }
    case 'boolean':
      return 'true or false';
    case 'oneOf':
      return oneOfWords(field.values);
    case 'json':
      return `JSON nested at most ${String(maxJsonDepth)} deep`;
    case 'ref':
      return `a record id of "${field.collection}"`;
    case 'counter':
      return 'increments only';
    case 'opaque':
      return 'any value';
  }
}

function oneOfWords(values: readonly string[]): string {
  const shown = values.slice(0, maxShownValues).map((value) => JSON.stringify(value));
  return `one of ${shown.join(', ')}${values.length > maxShownValues ? ', …' : ''}`;
}

function isText(value: Value): value is string {
  return typeof value === 'string' && isWellFormed(value);
}

function isNumberWithin(field: FieldDeclaration & { readonly kind: 'number' }, value: Value): boolean {
  if (!isNumber(value) || (field.integer && !Number.isInteger(value))) return false;
  return (field.min === null || value >= field.min) && (field.max === null || value <= field.max);
}

/** The numbers that have an encoding (F14): integers beyond the safe range have none. */
export function isNumber(value: Value | undefined): value is number {
  return typeof value === 'number' && (Number.isSafeInteger(value) || (Number.isFinite(value) && value % 1 !== 0));
}

/** Bounded by depth, so it ends for a cycle of a local caller too; the codec's budget of nodes bounds the breadth. */
function isJson(value: Value | undefined, depth: number): boolean {
  if (value === null || typeof value === 'boolean') return true;
  if (typeof value === 'number') return isNumber(value);
  if (typeof value === 'string') return isWellFormed(value);
  if (value === undefined || depth === 0) return false;
  if (Array.isArray(value)) return (value as readonly Value[]).every((item) => isJson(item, depth - 1));
  const map = asMap(value);
  return map !== null && Object.keys(map).every((key) => isWellFormed(key) && isJson(map[key], depth - 1));
}
