import type { Value } from '../codec/index.js';
import { own } from './declaration.js';

/** Where a reader of a declaration stands. The first fault stays; reading goes on with harmless stand-ins. */
export interface Place {
  readonly path: string;
  readonly isBuiltin: boolean;
  readonly fault: { detail: string | null };
}

/** Records what was expected here, unless a fault was found before. */
export function refuse(place: Place, expected: string): void {
  place.fault.detail ??= `${place.path}: expected ${expected}`;
}

/** Refuses attributes that this form does not have: a later attribute needs a later format or another kind. */
export function refuseOthers(place: Place, map: { readonly [name: string]: Value }, known: readonly string[]): void {
  if (!Object.keys(map).every((name) => known.includes(name))) refuse(place, `only ${known.join(', ')}`);
}

/** A flag is true or absent: one form for false. */
export function readFlag(place: Place, map: { readonly [name: string]: Value }, name: string): boolean {
  const value = own(map, name);
  if (value !== undefined && value !== true) refuse(place, `${name}: true, or no such attribute`);
  return value === true;
}
