import type { Bytes, Result } from '../base/index.js';
import type { Form } from '../codec/index.js';
import { bytesOf, fieldsOf } from '../codec/index.js';
import { sigBytes } from './frame.js';
import { byDomain, idForm, perDomain, readMessage, u48Form, writeMessage } from './shape.js';

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

const headForm: Form<ResumeHead> = fieldsOf({
  domainId: idForm,
  seq: u48Form,
  entryId: idForm,
  sig: bytesOf(sigBytes),
  boot: bytesOf(8),
});
const form: Form<Resume> = fieldsOf({
  device: idForm,
  session: bytesOf(16),
  heads: perDomain(headForm, maxResumeHeads),
});

/** The message; its signature comes after it. */
export function encodeResume(resume: Resume): Bytes {
  return writeMessage({ ...resume, heads: byDomain('heads', resume.heads) }, form);
}

/** Code: 'frame/malformed'. */
export function decodeResume(message: Bytes): Result<Resume> {
  return readMessage(message, form);
}
