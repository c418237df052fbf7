import type { Value } from '../codec/index.js';
import { asList, asMap, asUint } from '../codec/index.js';
import { isName, isWellFormed, maxNameBytes } from '../op/index.js';
import type { FieldDeclaration, Need } from './declaration.js';
import { maxOneOfLength, maxOneOfValues, own } from './declaration.js';
import type { Place } from './place.js';
import { readFlag, refuse, refuseOthers } from './place.js';
import { expectationOf, isAllowed, isNumber } from './value.js';

type WireMap = { readonly [attribute: string]: Value };

/** Attributes of each kind, beside `kind`; value fields also take `optional` or `default`. */
const attributes = {
  string: ['maxLength'],
  number: ['integer', 'max', 'min'],
  boolean: [],
  oneOf: ['values'],
  json: [],
  ref: ['collection'],
  counter: [],
} as const;

/** One field of a declaration. A kind of a later version is kept in its wire form. */
export function readField(place: Place, value: Value | undefined): FieldDeclaration {
  const map = asMap(value) ?? {};
  const kind = own(map, 'kind');
  if (!isName(kind)) refuse(place, `a kind of 1 to ${String(maxNameBytes)} bytes`);
  if (!isKnownKind(kind)) return { kind: 'opaque', wire: map };
  refuseOthers(place, map, ['kind', ...attributes[kind], ...(kind === 'counter' ? [] : ['default', 'optional'])]);
  if (kind === 'counter') return { kind };
  const field = readValueField(place, map, kind);
  if (typeof field.need === 'object' && !isAllowed(field, field.need.default)) {
    refuse(place, `a default that is ${expectationOf(field)}`);
  }
  return field;
}

/** Wire form of a field; {@link readField} judges it. */
export function fieldToValue(field: FieldDeclaration): WireMap {
  if (field.kind === 'opaque') return field.wire;
  const wire: Record<string, Value> = { ...attributesOf(field) };
  if (field.kind !== 'counter') {
    if (field.need === 'optional') wire['optional'] = true;
    else if (field.need !== 'required') wire['default'] = field.need.default;
  }
  return wire;
}

/** Whether this version knows the kind. */
export function isKnownKind(kind: Value | undefined): kind is keyof typeof attributes {
  return typeof kind === 'string' && Object.hasOwn(attributes, kind);
}

type ValueField = Extract<FieldDeclaration, { readonly need: Need }>;

function readValueField(place: Place, map: WireMap, kind: ValueField['kind']): ValueField {
  const need = readNeed(place, map);
  switch (kind) {
    case 'boolean':
    case 'json':
      return { kind, need };
    case 'string':
      return { kind, maxLength: readMaxLength(place, map), need };
    case 'number':
      return readNumber(place, map, need);
    case 'oneOf':
      return { kind, values: readValues(place, map), need };
    case 'ref': {
      const collection = own(map, 'collection');
      if (!isName(collection)) refuse(place, 'the name of a collection');
      return { kind, collection: isName(collection) ? collection : '', need };
    }
  }
}

function readNeed(place: Place, map: WireMap): Need {
  const isOptional = readFlag(place, map, 'optional');
  const value = own(map, 'default');
  if (isOptional && value !== undefined) refuse(place, 'optional or a default, not both');
  if (value !== undefined) return { default: value };
  return isOptional ? 'optional' : 'required';
}

function readMaxLength(place: Place, map: WireMap): number | null {
  const value = own(map, 'maxLength');
  if (value === undefined) return null;
  const length = asUint(value, Number.MAX_SAFE_INTEGER);
  if (length === null) refuse(place, 'maxLength: an integer from 0');
  return length;
}

function readNumber(place: Place, map: WireMap, need: Need): ValueField {
  const [min, max] = [readBound(place, map, 'min'), readBound(place, map, 'max')];
  if (min !== null && max !== null && min > max) refuse(place, 'min not above max');
  return { kind: 'number', min, max, integer: readFlag(place, map, 'integer'), need };
}

function readBound(place: Place, map: WireMap, name: string): number | null {
  const value = own(map, name);
  if (isNumber(value)) return value;
  if (value !== undefined) refuse(place, `${name}: a finite number`);
  return null;
}

function readValues(place: Place, map: WireMap): readonly string[] {
  const list = asList(own(map, 'values'), maxOneOfValues) ?? [];
  const values = list.filter((value): value is string => typeof value === 'string' && value.length <= maxOneOfLength);
  const isFit = values.every((value) => isWellFormed(value)) && new Set(values).size === list.length;
  if (values.length === 0 || !isFit) {
    refuse(
      place,
      `1 to ${String(maxOneOfValues)} texts, each once and of at most ${String(maxOneOfLength)} UTF-16 units`,
    );
  }
  return values;
}

/** Limits that are absent have no attribute: one form. */
function attributesOf(field: Exclude<FieldDeclaration, { readonly kind: 'opaque' }>): WireMap {
  switch (field.kind) {
    case 'string':
      return { kind: field.kind, ...(field.maxLength !== null && { maxLength: field.maxLength }) };
    case 'number':
      return {
        kind: field.kind,
        ...(field.min !== null && { min: field.min }),
        ...(field.max !== null && { max: field.max }),
        ...(field.integer && { integer: true }),
      };
    case 'oneOf':
      return { kind: field.kind, values: field.values };
    case 'ref':
      return { kind: field.kind, collection: field.collection };
    case 'boolean':
    case 'json':
    case 'counter':
      return { kind: field.kind };
  }
}
