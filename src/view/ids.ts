import type { Bytes } from '../core/base/index.js';

// A record id is 28 bytes, 12 of its own and the first 16 of its creator's device id (format.md X1). In base64url the
// two parts meet between characters, so ids are cut and joined as texts; what a device's ids end in is its `creator`.
const ownChars = 16;

/** The id of every single: zeros. */
export const singleId: string = 'A'.repeat(38);

/** What the ids of the device that made a record end in. */
export function creatorOf(id: string): string {
  return id.slice(ownChars);
}

/** The record of a device's profile in `$profiles` (format.md X3). */
export function profileId(creator: string): string {
  return singleId.slice(0, ownChars) + creator;
}

/** Digits and small letters are characters of base64url too, and rise as texts. */
const radix = 36;
const countChars = 6;
const randomChars = ownChars - countChars;

/**
 * Mints record ids that rise as texts: records of one millisecond are shown by id, so what a loop inserts stays in the
 * order of the loop. 50 random bits per page keep the tabs of one device apart.
 */
export function createMint(random: (length: number) => Bytes): (creator: string) => string {
  let prefix = '';
  let count = 0;
  return (creator) => {
    prefix ||= Array.from(random(randomChars), (byte) => (byte % 32).toString(radix)).join('');
    return prefix + (++count).toString(radix).padStart(countChars, '0') + creator;
  };
}
