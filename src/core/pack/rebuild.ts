import { equalBytes, fail, ok, toHex, type Bytes, type Result } from '../base/index.js';
import { commitKey, commitment, entryId, type Entry } from '../entry/index.js';
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
  const isControl = run.domainId.every((byte) => byte === 0);
  const keys = new Map<string, Bytes>();
  const entries: Entry[] = [];
  let prev = run.prevId;
  for (const [i, body] of bodies.entries()) {
    const seq = run.fromSeq + i;
    const kid = toHex(body.kid);
    let key = keys.get(kid);
    if (key === undefined && body.payload !== null) {
      const prk = isControl ? null : prkOf(kid);
      if (prk === null && !isControl) return fail('pack/unknown-key');
      key = commitKey(prk, run.domainId, run.author);
      keys.set(kid, key);
    }
    const commit = body.payload !== null && key !== undefined ? commitment(key, seq, body.payload) : body.commit;
    if (commit === null) return fail('pack/bad-body');
    const place = { roomId: genesisRoom(run, seq, body), domainId: run.domainId, author: run.author, seq, prev };
    const filled = { ...body, commit };
    const entry: Entry = { ...place, ...filled, id: entryId(place, filled) };
    entries.push(entry);
    prev = entry.id;
  }
  if (run.endId !== null && !equalBytes(prev, run.endId)) return fail('pack/bad-end');
  return ok(entries);
}

const zeros32 = new Uint8Array(32);
const genesisKind = 1;

/** Genesis has a zero room id (its id *is* the room id); so has nothing else. */
function genesisRoom(run: RunPlace, seq: number, body: BodyEntry): Bytes {
  return seq === 0 && body.kind === genesisKind ? zeros32 : run.roomId;
}
