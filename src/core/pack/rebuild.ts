import { equalBytes, fail, ok, toHex, type Bytes, type Result } from '../base/index.js';
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
  const isControl = run.domainId.every((byte) => byte === 0);
  const commitments = new Map<string, ReturnType<typeof createCommitments>>();
  const entryIdOf = createEntryIds();
  const entries: Entry[] = [];
  let prev = run.prevId;
  for (const [i, body] of bodies.entries()) {
    const seq = run.fromSeq + i;
    const kid = toHex(body.kid);
    let commitmentOf = commitments.get(kid);
    if (commitmentOf === undefined && body.payload !== null) {
      const prk = isControl ? null : prkOf(kid);
      if (prk === null && !isControl) return fail('pack/unknown-key');
      commitmentOf = createCommitments(commitKey(prk, run.domainId, run.author));
      commitments.set(kid, commitmentOf);
    }
    const commit = body.payload === null ? body.commit : commitmentOf?.(seq, body.payload);
    if (!commit) return fail('pack/bad-body');
    const place = { roomId: genesisRoom(run, seq, body), domainId: run.domainId, author: run.author, seq, prev };
    const filled = { ...body, commit };
    const entry: Entry = { ...place, ...filled, id: entryIdOf(place, filled) };
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
