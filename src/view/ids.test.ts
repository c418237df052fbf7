import { expect, test } from 'vitest';
import { fromBase64Url, fromHex, toBase64Url } from '../core/base/index.js';
import { createRecordId, profileRecordId, singleRecordId } from '../core/identity/index.js';
import { createMint, creatorOf, profileId, singleId } from './ids.js';

const device = fromHex('0123456789abcdef'.repeat(4))!;
const own = new Uint8Array(12).fill(0xfe);

test('ids as texts say what the core says of their bytes', () => {
  const id = toBase64Url(createRecordId(own, device));
  const creator = toBase64Url(device.slice(0, 16));
  expect(creatorOf(id)).toBe(creator);
  expect(profileId(creator)).toBe(toBase64Url(profileRecordId(device)));
  expect(singleId).toBe(toBase64Url(singleRecordId()));
});

test('minted ids rise as texts, are ids of their creator, and differ from page to page', () => {
  const creator = toBase64Url(device.slice(0, 16));
  const random = (length: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(length));
  const mint = createMint(random);
  const ids = Array.from({ length: 2000 }, () => mint(creator));
  expect([...ids].sort()).toEqual(ids);
  expect(ids.every((id) => fromBase64Url(id)?.length === 28 && creatorOf(id) === creator)).toBe(true);
  expect(new Set([...ids, createMint(random)(creator)]).size).toBe(2001);
});
