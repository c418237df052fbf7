import { compareBytes, fromBase64Url, toHex } from '../../../src/core/base/index.js';
import type { FieldValues, Op } from '../../../src/core/op/index.js';
import { decodeDeclaration, metaDeclaration, metaPrefix, schemaPrefix } from '../../../src/core/schema/index.js';
import type { ReplicaState } from './state.js';

/** Meta's own schema counts as published in every room. */
export function learnMetaSchema(state: ReplicaState): void {
  state.declarations.set(toHex(metaPrefix()), { declaration: metaDeclaration, bytes: new Uint8Array(0) });
}

/** Picks up published declarations and domain names from ops of a `meta` (hex) that have effect. What does not decode is skipped. */
export function learnFromMeta(state: ReplicaState, ops: readonly Op[], meta: string): void {
  for (const op of ops) {
    if (op.kind !== 'insert') continue;
    if (op.collection === '$schema') learnDeclaration(state, op.fields['declaration']);
    if (op.collection === '$domains') learnDomain(state, op.fields, meta);
  }
}

/** Of two declarations with one prefix the lower bytes count, whatever came first: somebody may look for such a pair. */
function learnDeclaration(state: ReplicaState, text: unknown): void {
  const bytes = typeof text === 'string' ? fromBase64Url(text) : null;
  const declaration = bytes && decodeDeclaration(bytes);
  if (bytes !== null && declaration?.ok === true) {
    const prefix = toHex(schemaPrefix(bytes));
    const known = state.declarations.get(prefix);
    if (known !== undefined && compareBytes(bytes, known.bytes) >= 0) return;
    state.declarations.set(prefix, { declaration: declaration.value, bytes });
    if (known !== undefined) state.isStale = true;
  }
}

/**
 * Its author alone names a domain (X3), once: an entry that says another has no effect, and one chain is read in its order.
 * Where a forked founder made two metas, what is said in the one of the lower id counts, whatever came first.
 */
function learnDomain(state: ReplicaState, { domain, name }: FieldValues, meta: string): void {
  if (typeof domain !== 'string' || typeof name !== 'string') return;
  const [known, namer] = [state.domainNames.get(domain), state.domainNamers.get(domain)];
  if (namer !== undefined && namer <= meta) return;
  state.domainNames.set(domain, name);
  state.domainNamers.set(domain, meta);
  if (known !== undefined && known !== name) state.isStale = true;
}
