import type { Bytes } from '../base/index.js';
import { requireWithin } from '../base/index.js';
import { asArray, asBoolean, asBytes, asBytesUpTo, asList, asText, asUint } from './shape.js';
import type { Value } from './value.js';

/** One description of a positional structure, for both directions. */
export interface Form<T> {
  /** Total; undefined for what has another form. */
  readonly read: (value: Value | undefined) => T | undefined;
  /** `name` stands in the RangeError of a list that is too long. */
  readonly write: (item: T, name: string) => Value;
}

function plain<T extends Value>(as: (value: Value | undefined) => T | null): Form<T> {
  return { read: (value) => as(value) ?? undefined, write: (item) => item };
}

/** Byte string of exactly `length` bytes. */
export function bytesOf(length: number): Form<Bytes> {
  return plain((value) => asBytes(value, length));
}

/** Byte string of at most `max` bytes. */
export function bytesUpTo(max: number): Form<Bytes> {
  return plain((value) => asBytesUpTo(value, max));
}

/** Integer from 0 to `max`. */
export function uintTo(max: number): Form<number> {
  return plain((value) => asUint(value, max));
}

/** Text of at most `maxBytes` in UTF-8. */
export function textUpTo(maxBytes: number): Form<string> {
  return plain((value) => asText(value, maxBytes));
}

/** True or false. */
export const flag: Form<boolean> = plain(asBoolean);

/** Whatever it is. */
export const anything: Form<Value> = { read: (value) => value, write: (item) => item };

/** The same, or null. */
export function orNull<T>({ read, write }: Form<T>): Form<T | null> {
  return {
    read: (value) => (value === null ? null : read(value)),
    write: (item, name) => (item === null ? null : write(item, name)),
  };
}

/** The same, as far as it passes `isFine`; what is written is not asked. */
export function only<T>({ read, write }: Form<T>, isFine: (item: T) => boolean): Form<T> {
  return {
    read: (value) => {
      const item = read(value);
      return item !== undefined && isFine(item) ? item : undefined;
    },
    write,
  };
}

/** The same, held as something else by us. */
export function held<T, U>({ read, write }: Form<T>, toOurs: (item: T) => U, fromOurs: (item: U) => T): Form<U> {
  return {
    read: (value) => {
      const item = read(value);
      return item === undefined ? undefined : toOurs(item);
    },
    write: (item, name) => write(fromOurs(item), name),
  };
}

/** At most `max` of them. */
export function listOf<T>({ read, write }: Form<T>, max: number): Form<readonly T[]> {
  return {
    read: (value) => {
      const out: T[] = [];
      const items = asList(value, max);
      if (items === null) return undefined;
      for (const each of items) {
        const item = read(each);
        if (item === undefined) return undefined;
        out.push(item);
      }
      return out;
    },
    write: (items, name) => {
      requireWithin(`${name}.length`, items.length, 0, max);
      return items.map((item) => write(item, name));
    },
  };
}

/** An array of exactly these fields: the order of the table is the order on the wire. */
export function fieldsOf<T extends object>(forms: { readonly [K in keyof T]: Form<T[K]> }): Form<T> {
  const names = Object.keys(forms) as (keyof T & string)[];
  return {
    read: (value) => {
      const fields = asArray(value, names.length);
      if (fields === null) return undefined;
      const out: Partial<T> = {};
      for (const [i, name] of names.entries()) {
        const field = forms[name].read(fields[i]);
        if (field === undefined) return undefined;
        out[name] = field;
      }
      return out as T;
    },
    write: (item) => names.map((name) => forms[name].write(item[name], name)),
  };
}
