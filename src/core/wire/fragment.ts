import type { Bytes, Result } from '../base/index.js';
import { concatBytes, createWriter, fail, ok, readU16, readU32, requireWithin } from '../base/index.js';
import type { Fragment } from '../flow/index.js';
import { fragmentBytes, maxFragments } from '../flow/index.js';
import { checkClearFrame, frameTypes, frameVersion } from './frame.js';

const headBytes = 12;

/** type u16 | version | 0 | transfer u32 | index u16 | total u16 | bytes (X7). */
export function encodeFragment({ transfer, index, total, bytes }: Fragment): Bytes {
  requireWithin('bytes.length', bytes.length, 1, fragmentBytes);
  const head = createWriter(headBytes)
    .u16(frameTypes.fragment)
    .u8(frameVersion)
    .u8(0)
    .u32(transfer)
    .u16(index)
    .u16(total);
  return concatBytes(head.done(), bytes);
}

/** A fragment whose bytes alias the frame. Codes: 'frame/malformed', 'frame/oversized'. */
export function decodeFragment(bytes: Bytes): Result<Fragment> {
  const bounds = { minBytes: headBytes + 1, maxBytes: headBytes + fragmentBytes };
  const checked = checkClearFrame(bytes, { type: frameTypes.fragment, ...bounds, malformed: 'frame/malformed' });
  if (!checked.ok) return checked;
  const [transfer, index, total] = [readU32(bytes, 4), readU16(bytes, 8), readU16(bytes, 10)];
  if (total < 1 || total > maxFragments || index >= total) return fail('frame/malformed');
  return ok({ transfer, index, total, bytes: bytes.subarray(headBytes) });
}
