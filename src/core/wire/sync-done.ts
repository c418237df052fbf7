import type { Bytes, Result } from '../base/index.js';
import type { Form } from '../codec/index.js';
import { fieldsOf, flag, uintTo } from '../codec/index.js';
import { maxPacksPerGrant } from '../flow/index.js';
import { byDomain, idForm, perDomain, readMessage, reqIdForm, u32Form, u48Form, writeMessage } from './shape.js';
import { maxRequestDomains } from './sync-req.js';

/** "That was all from me" (0x0106), after the last fragment. Signed. */
export interface SyncDone {
  readonly reqId: Bytes;
  /** Base of the transfers it ends: a late one must not end the next. */
  readonly transfer: number;
  /** Packs sent; fewer received means a lost one. */
  readonly packs: number;
  /** Entries in them. */
  readonly entries: number;
  /** Everything that was asked for and I hold has been sent. */
  readonly complete: boolean;
  /** My roots of the request's domains when the transfer began; of very many, those with the lowest ids. */
  readonly roots: readonly { readonly domainId: Bytes; readonly root: Bytes }[];
}

const rootForm: Form<SyncDone['roots'][number]> = fieldsOf({ domainId: idForm, root: idForm });
const form: Form<SyncDone> = fieldsOf({
  reqId: reqIdForm,
  transfer: u32Form,
  packs: uintTo(maxPacksPerGrant),
  entries: u48Form,
  complete: flag,
  roots: perDomain(rootForm, maxRequestDomains),
});

/** The message; its signature comes after it. */
export function encodeSyncDone(done: SyncDone): Bytes {
  return writeMessage({ ...done, roots: byDomain('roots', done.roots).slice(0, maxRequestDomains) }, form);
}

/** Code: 'frame/malformed'. */
export function decodeSyncDone(message: Bytes): Result<SyncDone> {
  return readMessage(message, form);
}
