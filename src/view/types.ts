/// <reference lib="esnext.disposable" />
// The types of data: fields, schemas, rows, queries and writes. Two rules are off in this file, on purpose:
// a method is compared bivariantly, which is what lets a Room<MySchema> be passed where any Room is wanted, and `any`
// is the only existential TypeScript has for "a field of whatever value".
/* eslint-disable @typescript-eslint/method-signature-style, @typescript-eslint/no-explicit-any */
import type { StandardSchemaV1 as Std } from '@standard-schema/spec';

/** The only read contract: `run` is called at once and on every change. Values are immutable and referentially stable. */
export interface Signal<T> {
  readonly value: T;
  subscribe(run: (value: T) => void): () => void;
}

/** A field of a record: what is read, what may be written, and whether an insert must give it. */
export interface Field<R, W, Req extends boolean> {
  readonly kind: string;
  readonly types?: { read: R; write: W; required: Req };
}

/** A field that holds one value, the last write winning. */
export interface ValueField<R, W = R, Req extends boolean = true> extends Field<R, W, Req> {
  readonly settable: true;
  /** May be null; null is what a record without it shows. */
  optional(): ValueField<R | null, W | null, false>;
  /** What a record without it shows. Not stored. */
  default(value: W): ValueField<R, W, false>;
  /** Runs on this device's writes, synchronously; other devices enforce the built-in limits only. */
  check<Out extends R>(validator: Std<W, Out>): ValueField<Out, W, Req>;
}

/** A sum of increments: concurrent ones all count. */
export interface CounterField extends Field<number, number, false> {
  readonly counter: true;
}

/** What a json field holds. Numbers are finite; integers lie within ±(2^53 - 1). */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The id of a record, remembering its collection for the type checker. */
export type RecordId<N extends string = string> = string & { readonly of?: N };

/** The fields of a collection, by name. */
export type Fields = { readonly [name: string]: Field<any, any, boolean> };

/** A declared collection or single. `domain` is what is written and synchronised together. */
export interface Def<F extends Fields = Fields, One extends boolean = boolean> {
  readonly fields: F;
  readonly single: One;
  readonly domain: string;
  readonly owned: boolean;
}

/** What a role may do beside reading and writing. */
export type Permission = 'invite' | 'manageMembers' | 'manageRoles' | 'manageRecords' | 'manageSchema';

/** A role of an app. Its rank is what travels (0 is highest, unique within a schema); `write` holds domain names. */
export interface RoleDef {
  readonly rank: number;
  readonly write: 'all' | 'none' | readonly string[];
  readonly can?: readonly Permission[];
}

/** A declared schema: collections, roles and the name of the app. Made by defineSchema only. */
export interface Schema<C extends { readonly [name: string]: Def<any, any> } = any, P = any, R extends string = any> {
  readonly app: string;
  readonly data: C;
  readonly types?: { presence: P; role: R };
}

type Read<F> = F extends Field<infer R, any, boolean> ? R : never;
type Put<F> = F extends Field<any, infer W, boolean> ? W : never;
type Flat<T> = { [K in keyof T]: T[K] } & {};
type Keys<F, Shape> = { [K in keyof F]: F[K] extends Shape ? K : never }[keyof F] & string;
type Must<F> = Keys<F, Field<any, any, true>>;

/** One record as it is read. */
export type RecordOf<N extends string, F extends Fields> = Flat<
  { readonly id: RecordId<N> } & { readonly [K in keyof F]: Read<F[K]> }
>;

/** What an insert takes: counters begin at 0. */
export type Insert<F extends Fields> = Flat<
  { [K in Must<F>]: Put<F[K]> } & {
    [K in Exclude<Keys<F, { readonly settable: true }>, Must<F>>]?: Put<F[K]> | undefined;
  }
>;

/** What an update takes: null clears an optional field, undefined is ignored. */
export type Patch<F extends Fields> = Flat<{ [K in Keys<F, { readonly settable: true }>]?: Put<F[K]> | undefined }>;

/** A record of a collection of a schema: `type Shape = Row<typeof mySchema, 'shapes'>`. */
export type Row<S extends Schema, N extends keyof S['data'] & string> = RecordOf<N, S['data'][N]['fields']>;

/** Ends a wait or a subscription. */
export interface Abort {
  signal?: AbortSignal;
}

/**
 * What a change gives back. The change is visible already; these tell the two durable facts apart.
 * They are methods so that no promise exists until somebody asks.
 */
export interface Write<R = void> {
  readonly result: R;
  /** Resolves when the change is on this device's disk. Rejects with a KeeproomError when it is refused. */
  saved(o?: Abort): Promise<void>;
  /** Resolves when another device has it on its disk. */
  delivered(o?: Abort & { to?: 'anyone' }): Promise<void>;
}

/** The write of a new record. */
export interface Inserted<N extends string> extends Write {
  readonly id: RecordId<N>;
}

/** A value, or a condition on it. */
export type Condition<T> =
  | T
  | { readonly in: readonly T[] }
  | { readonly not: T }
  | { readonly gt?: T; readonly gte?: T; readonly lt?: T; readonly lte?: T };

/** Records that match, in order (of creation unless told), kept up to date. An equal query is the same object. */
export interface Query<Rec> extends Signal<readonly Rec[]> {
  where(c: { readonly [K in keyof Rec]?: Condition<Rec[K]> }): Query<Rec>;
  orderBy<K extends keyof Rec & string>(field: K, direction?: 'asc' | 'desc'): Query<Rec>;
  limit(n: number): Query<Rec>;
  readonly first: Signal<Rec | null>;
  readonly count: Signal<number>;
}

/** Who made a record and how far it got. */
export interface RecordMeta {
  /** Member id; the empty text while that member is not known on this device. */
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly saved: boolean;
  readonly delivered: boolean;
}

/** The records of one collection. Every change is visible when the call returns. */
export interface Collection<N extends string, F extends Fields> extends Query<RecordOf<N, F>> {
  get(id: string): RecordOf<N, F> | null;
  watch(id: string): Signal<RecordOf<N, F> | null>;
  insert(values: Insert<F>): Inserted<N>;
  update(id: string, patch: Patch<F>): Write;
  delete(id: string): Write;
  /** `by` is an integer; 1 unless told. */
  increment(id: string, field: Keys<F, CounterField>, by?: number): Write;
  meta(id: string): RecordMeta | null;
}

/** The one record of a `single`: always there, with its defaults until somebody changes it. */
export interface Single<N extends string, F extends Fields> extends Signal<RecordOf<N, F>> {
  update(patch: Patch<F>): Write;
}

/** The collections of a schema by name. */
export type Data<S extends Schema> = {
  readonly [N in keyof S['data'] & string]: S['data'][N] extends Def<infer F, infer One>
    ? One extends true
      ? Single<N, F>
      : Collection<N, F>
    : never;
};

/** Turns an async function given to transact() into a compile error that says why. */
export type Sync<R> = R extends PromiseLike<unknown> ? 'transact() takes a synchronous function' : R;
/** The role names of a schema. */
export type RoleOf<S> = S extends Schema<any, any, infer R> ? R : string;
