import { toHex, type Fault } from '../../../src/core/base/index.js';
import { chainKey, countOf, domainOf, type ReplicaState } from './state.js';
import type { Unit } from './unit.js';

const schemaKey = 'schema';

/**
 * What has to become known before a unit that waits (HOLD) is worth another look, as keys of {@link freedBy}: what its
 * fault names, or a rival for its place. What waits for time or an upgrade has nothing else to wait for.
 */
export function awaitedBy(state: ReplicaState, unit: Unit, fault: Fault): string[] {
  const [domainHex, author] = [toHex(unit.domainId), toHex(unit.author)];
  const count = countOf(domainOf(state, domainHex)?.chainsByAuthor.get(author));
  const place = placeKey(domainHex, author, Math.max(unit.fromSeq, count));
  switch (fault.code) {
    case 'entry/missing-prev':
      return [place, toHex(unit.prevId)];
    case 'entry/missing-schema':
      return [place, schemaKey];
    case 'entry/missing-dep':
      return [place, fault.detail === '' ? domainHex : fault.detail];
    default:
      return [place, fault.detail];
  }
}

/** What became known with a unit that was taken in, or a part of it. `schemas`: {@link schemaCount} before. */
export function freedBy(state: ReplicaState, unit: Unit, schemas: number): string[] {
  const [domainHex, author] = [toHex(unit.domainId), toHex(unit.author)];
  const domain = domainOf(state, domainHex);
  const keys = schemaCount(state) === schemas ? [] : [schemaKey];
  for (const entry of unit.entries) {
    const id = toHex(entry.id);
    if (domain?.places.has(id) !== true && domain?.fallen.has(id) !== true) break;
    keys.push(id, placeKey(domainHex, author, entry.seq));
    const payload = state.recordsById.get(id)?.payload;
    if (payload?.kind === 'epoch') keys.push(toHex(payload.kid));
  }
  return keys;
}

/** Grows whenever a schema or a domain's name becomes known. */
export function schemaCount(state: ReplicaState): number {
  return state.declarations.size + state.domainNames.size;
}

/** What waits, by the keys of what it waits for. */
export interface Waits<T> {
  readonly left: ReadonlySet<T>;
  readonly add: (item: T) => void;
  /** Takes out what waits for one of these. */
  readonly free: (keys: readonly string[]) => T[];
}

export function createWaits<T extends { readonly awaits: readonly string[] }>(): Waits<T> {
  const left = new Set<T>();
  const byKey = new Map<string, T[]>();
  return {
    left,
    add: (item) => {
      left.add(item);
      for (const key of item.awaits) if (byKey.get(key)?.push(item) === undefined) byKey.set(key, [item]);
    },
    free: (keys) => keys.flatMap((key) => (byKey.get(key) ?? []).filter((item) => left.delete(item))),
  };
}

function placeKey(domainHex: string, author: string, seq: number): string {
  return `${chainKey(domainHex, author)}/${String(seq)}`;
}
