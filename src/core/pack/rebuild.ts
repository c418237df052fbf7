import { equalBytes, fail, isZero, ok, toHex, type Bytes, type Result } from '../base/index.js';
import { commitKey, createCommitments, createEntryIds, type Entry } from '../entry/index.js';
import type { BodyEntry } from './body.js';

/** A run of one chain as its carrier names it (a pack's header, or a live frame against the receiver's own head). */
export interface RunPlace {
  readonly roomId: Bytes;
  readonly domainId: Bytes;
  readonly author: Bytes;
  readonly fromSeq: number;
  readonly prevId: Bytes;
  /** The id the signature is over; null = unknown, take what the run ends in. */
  readonly endId: Bytes | null;
}

/**
 * The entries of a run: recomputes every commitment and id and follows the chain (reader's side of format.md §2 Pack).
 * `prkOf` gives the epoch secret of a kid (hex), or null when it is not held. Control (domain of zeros) commits under zeros.
 * Codes: 'pack/unknown-key' (hold), 'pack/bad-end'.
 */
export function rebuildRun(
  run: RunPlace,
  bodies: readonly BodyEntry[],
  prkOf: (kidHex: string) => Bytes | null,
): Result<Entry[]> {
  const commitmentUnder = createCommitmentsOf(run, prkOf);
  const entryIdOf = createEntryIds();
  const { domainId, author } = run;
  const entries: Entry[] = [];
  let prev = run.prevId;
  for (const [i, body] of bodies.entries()) {
    const { kind, boot, cap, kid, hlcMs, hlcCtr, deps, payload } = body;
    const [seq, roomId] = [run.fromSeq + i, genesisRoom(run, run.fromSeq + i, body)];
    const commitmentOf = payload === null ? null : commitmentUnder(kid);
    if (payload !== null && commitmentOf === null) return fail('pack/unknown-key');
    const commit = payload === null ? body.commit : commitmentOf?.(seq, payload);
    if (!commit) return fail('pack/bad-body');
    // One literal: an object that is put together from others costs more here than its hashes.
    const entry: Entry & { id: Bytes } = {
      id: prev,
      roomId,
      domainId,
      author,
      seq,
      prev,
      kind,
      boot,
      cap,
      kid,
      hlcMs,
      hlcCtr,
      deps,
      payload,
      commit,
    };
    prev = entry.id = entryIdOf(entry, entry);
    entries.push(entry);
  }
  if (run.endId !== null && !equalBytes(prev, run.endId)) return fail('pack/bad-end');
  return ok(entries);
}

/** Commitments of the run under a kid; null when its epoch is not held. Those of one kid come one after the other. */
function createCommitmentsOf(
  run: RunPlace,
  prkOf: (kidHex: string) => Bytes | null,
): (kid: Bytes) => ReturnType<typeof createCommitments> | null {
  const isControl = isZero(run.domainId);
  let last: { readonly kid: Bytes; readonly commitmentOf: ReturnType<typeof createCommitments> } | null = null;
  return (kid) => {
    if (last?.kid === kid) return last.commitmentOf;
    const prk = isControl ? null : prkOf(toHex(kid));
    if (prk === null && !isControl) return null;
    last = { kid, commitmentOf: createCommitments(commitKey(prk, run.domainId, run.author)) };
    return last.commitmentOf;
  };
}

const zeros32 = new Uint8Array(32);
const genesisKind = 1;

/** Genesis has a zero room id (its id *is* the room id); so has nothing else. */
function genesisRoom(run: RunPlace, seq: number, body: BodyEntry): Bytes {
  return seq === 0 && body.kind === genesisKind ? zeros32 : run.roomId;
}
