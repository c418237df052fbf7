import { expect, test } from 'vitest';
import { concatBytes, isZero } from '../base/index.js';
import { ed25519PublicKey, signEd25519, verifyStrict } from '../crypto/index.js';
import {
  bindMessage,
  createRecordId,
  creatorPrefixOf,
  deviceIdBytes,
  devicePrefixOf,
  isCreatorOf,
  profileRecordId,
  recordIdBytes,
  singleRecordId,
} from './index.js';

const filled = (length: number, byte: number): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(byte);
const device = Uint8Array.from({ length: deviceIdBytes }, (_, i) => i + 1);

test('[X1] a record id is 12 random bytes and the first 16 of its creator', () => {
  const id = createRecordId(filled(12, 0xee), device);
  expect(id).toEqual(concatBytes(filled(12, 0xee), device.subarray(0, 16)));
  expect(id).toHaveLength(recordIdBytes);
  expect(creatorPrefixOf(id)).toEqual(devicePrefixOf(device));
  expect(isCreatorOf(device, id)).toBe(true);
  expect(isCreatorOf(filled(32, 9), id)).toBe(false);
  const sameprefix = device.slice();
  sameprefix[31] = 0;
  expect(isCreatorOf(sameprefix, id)).toBe(true);
});

test('[X1] a single is the record of 28 zeros, which no device made', () => {
  expect(singleRecordId()).toHaveLength(28);
  expect(isZero(singleRecordId())).toBe(true);
  expect(isCreatorOf(device, singleRecordId())).toBe(false);
  singleRecordId().fill(1);
  expect(isZero(singleRecordId())).toBe(true);
});

test("[X3] a profile's id is 12 zeros and its device's prefix", () => {
  expect(profileRecordId(device)).toEqual(concatBytes(filled(12, 0), device.subarray(0, 16)));
});

test('ids share no memory with what they came from', () => {
  const id = createRecordId(filled(12, 1), device);
  creatorPrefixOf(id).fill(0);
  devicePrefixOf(device).fill(0);
  expect(isCreatorOf(device, id)).toBe(true);
});

test('lengths are checked by name', () => {
  expect(() => createRecordId(filled(11, 0), device)).toThrow('random12: expected 12 bytes, got 11');
  expect(() => creatorPrefixOf(filled(27, 0))).toThrow('recordId: expected 28 bytes, got 27');
  expect(() => devicePrefixOf(filled(31, 0))).toThrow('deviceId: expected 32 bytes, got 31');
  expect(() => bindMessage(filled(31, 0), filled(32, 0))).toThrow('context: expected 32 bytes, got 31');
  expect(() => bindMessage(filled(32, 0), filled(33, 0))).toThrow('x25519: expected 32 bytes, got 33');
});

test('a binding holds for one room and one key', () => {
  const seed = filled(32, 3);
  const [room, key] = [filled(32, 1), filled(32, 2)];
  const message = bindMessage(room, key);
  expect(message).toEqual(concatBytes(new TextEncoder().encode('keeproom/bind/01'), room, key));
  const signature = signEd25519(seed, message);
  const verify = (m: Uint8Array): boolean => verifyStrict(ed25519PublicKey(seed), m, signature);
  expect([verify(message), verify(bindMessage(key, room)), verify(bindMessage(room, room))]).toEqual([
    true,
    false,
    false,
  ]);
});
