import type { StandardSchemaV1 as Std } from '@standard-schema/spec';
import type { Value } from '../core/codec/index.js';
import type { FieldDeclaration, Need } from '../core/schema/index.js';
import type { CounterField, Json, RecordId, ValueField } from './types.js';

/** What a field of ours is beside its public type. */
export interface FieldSpec {
  readonly declaration: FieldDeclaration;
  /** Validators of the app, in order; each gets what the one before gave. */
  readonly checks: readonly Std<unknown, unknown>[];
}

type ValueDeclaration = Extract<FieldDeclaration, { readonly need: Need }>;

function valueField<R, W extends Value, Req extends boolean>(
  declaration: ValueDeclaration,
  checks: FieldSpec['checks'] = [],
): ValueField<R, W, Req> & FieldSpec {
  return {
    kind: declaration.kind,
    settable: true,
    declaration,
    checks,
    optional: () => valueField({ ...declaration, need: 'optional' }, checks),
    default: (value) => valueField({ ...declaration, need: { default: value } }, checks),
    check: (validator) => valueField(declaration, [...checks, validator]),
  };
}

const need = 'required';

/**
 * Builders of fields. Limits given here are enforced by every device.
 * One namespace, because bare names (`string`, `ref`) would collide with everybody's.
 */
export const s: {
  /** `maxLength` in UTF-16 units, as `length` counts. */
  readonly string: (limits?: { maxLength?: number }) => ValueField<string>;
  /** Finite; integers within ±(2^53 - 1). Limits are inclusive. */
  readonly number: (limits?: { min?: number; max?: number; integer?: boolean }) => ValueField<number>;
  readonly boolean: () => ValueField<boolean>;
  readonly oneOf: <const V extends readonly [string, ...string[]]>(...values: V) => ValueField<V[number]>;
  readonly json: <T extends Json = Json>() => ValueField<T>;
  /** The id of a record of that collection; whether it exists is not checked. */
  readonly ref: <const N extends string>(collection: N) => ValueField<RecordId<N>>;
  readonly counter: () => CounterField;
} = {
  string: ({ maxLength = null } = {}) => valueField({ kind: 'string', maxLength, need }),
  number: ({ min = null, max = null, integer = false } = {}) => valueField({ kind: 'number', min, max, integer, need }),
  boolean: () => valueField({ kind: 'boolean', need }),
  oneOf: (...values) => valueField({ kind: 'oneOf', values, need }),
  json: () => valueField({ kind: 'json', need }),
  ref: (collection) => valueField({ kind: 'ref', collection, need }),
  counter: () => {
    const field: CounterField & FieldSpec = {
      kind: 'counter',
      counter: true,
      declaration: { kind: 'counter' },
      checks: [],
    };
    return field;
  },
};

/** Whether this came from {@link s} or defineSchema(), this copy's or another's: both are known by what they are made of. */
export function isMade<T extends { readonly declaration: unknown; readonly checks: unknown }>(
  value: unknown,
): value is T {
  return typeof value === 'object' && value !== null && 'declaration' in value && 'checks' in value;
}
