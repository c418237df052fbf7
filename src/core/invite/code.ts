import type { Bytes, Result } from '../base/index.js';
import {
  concatBytes,
  copyBytes,
  equalBytes,
  fail,
  fromBase64Url,
  ok,
  requireLength,
  toBase64Url,
} from '../base/index.js';
import { sha256 } from '../crypto/index.js';

/** Name of the link's fragment: `#keeproom=<code>`. A fragment, because browsers never send it to a server. */
const inviteFragmentName = 'keeproom';
/** 128 random bits: nothing to guess, so joining needs no rate limit for secrecy. */
export const inviteSecretBytes = 16;

/** What an invite link holds. Whoever has it can ask to join. */
export interface InviteCode {
  readonly roomId: Bytes;
  /** {@link inviteSecretBytes} bytes. */
  readonly secret: Bytes;
}

const codeVersion = 1;
const roomIdBytes = 32;
const checkBytes = 4;
const bodyBytes = 1 + roomIdBytes + inviteSecretBytes;
/** Base64url of the whole code. */
const codeChars: number = Math.ceil(((bodyBytes + checkBytes) * 4) / 3);
/** Nobody's link is longer; it bounds the work on what was pasted. */
const maxTextChars = 8192;
const codeAlone = new RegExp(`^[A-Za-z0-9_-]{${String(codeChars)}}$`);
const codeInLink = new RegExp(`(?:^|[#&])${inviteFragmentName}=([A-Za-z0-9_-]{${String(codeChars)}})(?![A-Za-z0-9_-])`);

/** The code of a link: version 1 ‖ roomId ‖ secret ‖ first 4 bytes of SHA-256 of all before, in base64url. */
export function encodeInviteCode({ roomId, secret }: InviteCode): string {
  requireLength('roomId', roomId, roomIdBytes);
  requireLength('secret', secret, inviteSecretBytes);
  const body = concatBytes(Uint8Array.of(codeVersion), roomId, secret);
  return toBase64Url(concatBytes(body, checkOf(body)));
}

/**
 * Reads a whole link, its fragment, or the code alone, as people paste them (space around it, a full stop behind it).
 * Code: 'join/malformed'. The text is never repeated in a fault: it is a secret.
 */
export function decodeInviteCode(text: string): Result<InviteCode> {
  if (text.length > maxTextChars) return fail('join/malformed', 'the link is too long');
  const trimmed = text.trim();
  const code = codeAlone.test(trimmed) ? trimmed : codeInLink.exec(trimmed)?.[1];
  if (code === undefined) return fail('join/malformed', 'no invite code in the text');
  const bytes = fromBase64Url(code);
  if (bytes === null) return fail('join/malformed', 'the invite code is not base64url');
  const body = bytes.subarray(0, bodyBytes);
  if (!equalBytes(checkOf(body), bytes.subarray(bodyBytes))) {
    return fail('join/malformed', 'the invite code was damaged on the way');
  }
  if (body[0] !== codeVersion) return fail('join/malformed', 'the invite code is of an unknown version');
  return ok({
    roomId: copyBytes(body.subarray(1, 1 + roomIdBytes)),
    secret: copyBytes(body.subarray(1 + roomIdBytes)),
  });
}

function checkOf(body: Uint8Array): Bytes {
  return sha256(body).slice(0, checkBytes);
}
