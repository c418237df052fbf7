import {
  concatBytes,
  copyBytes,
  createWriter,
  fail,
  isZero,
  maxU48,
  ok,
  readU16,
  readU32,
  readU48,
  type Bytes,
  type Result,
} from '../base/index.js';
import { aeadOpen, aeadSeal, deriveKey, hedgedNonce, labels, padme, sha256 } from '../crypto/index.js';
import { maxRawBodyBytes, maxUnitEntries } from './body.js';

/** A pack in all: F8's 192 KiB. */
export const maxPackBytes: number = 192 * 1024;

const packVersion = 1;
const packSuite = 1;
const flagDeflated = 1;
const headBytes = 296;
const aadBytes = 272;
const sigBytes = 64;
const tagBytes = 16;
const bodyHeadBytes = 8;

/** The clear header of a pack: one unit of one chain, who sealed it, and under which key. */
export interface PackHeader {
  readonly deflated: boolean;
  readonly count: number;
  readonly fromSeq: number;
  readonly domainId: Bytes;
  readonly author: Bytes;
  /** Id of the entry before `fromSeq`; zeros at 0. */
  readonly prevId: Bytes;
  readonly endId: Bytes;
  /** The author's head signature of the last entry. */
  readonly endSig: Bytes;
  readonly sealKid: Bytes;
  readonly sealer: Bytes;
}

/** A pack taken apart, still sealed. Views alias the input. */
export interface SealedPack extends PackHeader {
  readonly nonce: Bytes;
  /** Bytes 0..271, what the seal is bound to. */
  readonly sealedHead: Bytes;
  readonly body: Bytes;
  /** The sealer's signature; zeros while the pack never left the device (F2). */
  readonly sealSig: Bytes;
}

/** Takes a pack apart by its fixed layout. Codes: 'pack/malformed', 'pack/oversized'. */
export function decodePack(bytes: Bytes): Result<SealedPack> {
  if (bytes.length > maxPackBytes + headBytes) return fail('pack/oversized');
  if (bytes.length < headBytes + tagBytes + sigBytes) return fail('pack/malformed');
  const flags = bytes[2] ?? 0;
  if (bytes[0] !== packVersion || bytes[1] !== packSuite || flags > flagDeflated || bytes[3] !== 0)
    return fail('pack/malformed');
  const [count, fromSeq, bodyLength] = [readU16(bytes, 4), readU48(bytes, 6), readU32(bytes, 12)];
  if (count < 1 || count > maxUnitEntries) return fail('pack/malformed');
  if (fromSeq + count - 1 > maxU48) return fail('pack/malformed');
  if (bodyLength !== bytes.length - headBytes - sigBytes) return fail('pack/malformed');
  const part = (from: number, to: number): Bytes => bytes.subarray(from, to);
  if (fromSeq === 0 && !isZero(part(80, 112))) return fail('pack/malformed');
  return ok({
    deflated: flags === flagDeflated,
    count,
    fromSeq,
    domainId: part(16, 48),
    author: part(48, 80),
    prevId: part(80, 112),
    endId: part(112, 144),
    endSig: part(144, 208),
    sealKid: part(208, 240),
    sealer: part(240, 272),
    nonce: part(272, 296),
    sealedHead: part(0, aadBytes),
    body: part(headBytes, headBytes + bodyLength),
    sealSig: part(headBytes + bodyLength, bytes.length),
  });
}

/** What sealing needs beside the header: the epoch's PRK, the room, and 32 fresh random bytes. */
export interface SealKey {
  readonly prk: Bytes;
  readonly roomId: Bytes;
  readonly random32: Bytes;
}

/**
 * A whole pack with an empty sealer signature. `columns` is encodeBody() output, `stored` the same or its deflate-raw
 * form (header.deflated says which).
 */
export function sealPack(
  header: PackHeader,
  body: { readonly columns: Bytes; readonly stored: Bytes },
  key: SealKey,
): Bytes {
  const filled = bodyHeadBytes + body.stored.length;
  const plaintext = new Uint8Array(padme(filled));
  plaintext.set(createWriter(bodyHeadBytes).u32(body.columns.length).u32(body.stored.length).done());
  plaintext.set(body.stored, bodyHeadBytes);
  const head = encodeHead(header, plaintext.length + tagBytes);
  const aad = concatBytes(key.roomId, head);
  const nonceKey = deriveKey(key.prk, labels.nonce, header.sealer);
  const nonce = hedgedNonce({ key: nonceKey, random32: key.random32, aad, plaintext });
  const sealed = aeadSeal({ key: deriveKey(key.prk, labels.pack, header.sealer), nonce, aad, plaintext });
  return concatBytes(head, nonce, sealed, new Uint8Array(sigBytes));
}

function encodeHead(header: PackHeader, bodyLength: number): Bytes {
  return createWriter(aadBytes)
    .u8(packVersion)
    .u8(packSuite)
    .u8(header.deflated ? flagDeflated : 0)
    .u8(0)
    .u16(header.count)
    .u48(header.fromSeq)
    .u32(bodyLength)
    .bytes(header.domainId)
    .bytes(header.author)
    .bytes(header.prevId)
    .bytes(header.endId)
    .bytes(header.endSig)
    .bytes(header.sealKid)
    .bytes(header.sealer)
    .done();
}

/** The opened body: `stored` bytes that inflate to exactly `rawLength` bytes when `pack.deflated`, else are the columns. */
export function openPack(
  pack: SealedPack,
  key: Pick<SealKey, 'prk' | 'roomId'>,
): Result<{ stored: Bytes; rawLength: number }> {
  const plaintext = aeadOpen({
    key: deriveKey(key.prk, labels.pack, pack.sealer),
    nonce: pack.nonce,
    aad: concatBytes(key.roomId, pack.sealedHead),
    ciphertext: pack.body,
  });
  if (plaintext === null || plaintext.length < bodyHeadBytes) return fail('pack/bad-seal');
  const [rawLength, storedLength] = [readU32(plaintext, 0), readU32(plaintext, 4)];
  const end = bodyHeadBytes + storedLength;
  // What does not get smaller is not deflated: a copy is never larger than what is in it.
  const isFit = pack.deflated ? storedLength < rawLength : storedLength === rawLength;
  if (rawLength > maxRawBodyBytes || end > plaintext.length || !isFit) return fail('pack/bad-body');
  if (plaintext.length !== padme(end) || !isZero(plaintext.subarray(end))) return fail('pack/bad-body');
  return ok({ stored: copyBytes(plaintext.subarray(bodyHeadBytes, end)), rawLength });
}

/** What a sealer signs before a pack leaves its device (F2): the header and ciphertext, by hash. */
export function packSealMessage(roomId: Bytes, packBytes: Bytes): Bytes {
  return concatBytes(labels.pack, roomId, sha256(packBytes.subarray(0, packBytes.length - sigBytes)));
}

/** A copy of the pack that carries its sealer's signature. */
export function withSealSignature(packBytes: Bytes, signature: Bytes): Bytes {
  return concatBytes(packBytes.subarray(0, packBytes.length - sigBytes), signature);
}
