import type { Bytes, Result } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { asArray, asBytes, encodeValue } from '../codec/index.js';
import { sigBytes } from './frame.js';
import { asId, asU48, byDomain, checkMax, isAscending, listOf, readMessage } from './shape.js';

/** Chains that one RESUME names. */
export const maxResumeHeads = 90;

/** The addressee's own head as the sender holds it: a head certificate with the boot it was signed under (F3, F10). */
export interface ResumeHead {
  readonly domainId: Bytes;
  readonly seq: number;
  readonly entryId: Bytes;
  /** The addressee's head signature. */
  readonly sig: Bytes;
  readonly boot: Bytes;
}

/**
 * Answer to the resume probe (0x0108): what I hold of yours. Signed. Names its addressee and that one's session: an empty
 * answer meant for somebody else, or for an earlier start, would otherwise clear a device whose tail is lost.
 */
export interface Resume {
  readonly device: Bytes;
  readonly session: Bytes;
  readonly heads: readonly ResumeHead[];
}

/** The message; its signature comes after it. */
export function encodeResume({ device, session, heads }: Resume): Bytes {
  checkMax('heads', heads, maxResumeHeads);
  const headValues = byDomain('heads', heads).map((head) => {
    return [head.domainId, head.seq, head.entryId, head.sig, head.boot];
  });
  return encodeValue([device, session, headValues]);
}

/** Code: 'frame/malformed'. */
export function decodeResume(message: Bytes): Result<Resume> {
  return readMessage(message, 3, (fields) => {
    const [device, session, heads] = [
      asId(fields[0]),
      asBytes(fields[1], 16),
      listOf(fields[2], maxResumeHeads, readHead),
    ];
    return device === null || session === null || heads === null || !isAscending(heads)
      ? null
      : { device, session, heads };
  });
}

function readHead(item: Value): ResumeHead | null {
  const fields = asArray(item, 5);
  if (fields === null) return null;
  const [domainId, seq, entryId] = [asId(fields[0]), asU48(fields[1]), asId(fields[2])];
  const [sig, boot] = [asBytes(fields[3], sigBytes), asBytes(fields[4], 8)];
  if (domainId === null || seq === null || entryId === null || sig === null || boot === null) return null;
  return { domainId, seq, entryId, sig, boot };
}
