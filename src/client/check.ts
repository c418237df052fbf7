import type { ProfileData } from '../bridge/index.js';
import type { Bytes } from '../core/base/index.js';
import { isWellFormed } from '../core/op/index.js';
import type { Transport } from '../transport/index.js';
import { expect, expectInteger, expectObject, signalOf } from '../view/index.js';
import type { ClientOptions, Profile, RoomOptions } from './types.js';

/** Cryptographically strong; at most 65,536 bytes. */
export function randomBytes(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** A text that has a UTF-8 form; not empty unless told. Lengths are UTF-16 units. */
export function expectText(argument: string, got: unknown, minLength = 1, maxLength: number = Infinity): void {
  expect(typeof got === 'string' && isWellFormed(got), argument, 'a text', got);
  expectInteger(`${argument}: length`, got.length, [minLength, maxLength]);
}

/** What a room's `meta` takes (format.md X3). */
export function expectTitle(got: unknown): void {
  expectText('title', got, 0, 200);
}

/** A profile in the form it is sent and kept in. */
export function profileData(profile: Profile): ProfileData {
  expectObject('profile', profile);
  const { name, color = null } = profile;
  expectText('profile: name', name, 1, 64);
  if (color !== null) expectText('profile: color', color, 1, 32);
  return { name, color };
}

/** Something that can be opened as a network. */
export function expectTransport(got: Transport): void {
  expectObject('transport', got);
  expect(typeof got.open === 'function' && typeof got.type === 'string', 'transport', 'a Transport', got);
}

/** What createClient takes. */
export function checkClientOptions(o: ClientOptions): void {
  expectObject('createClient', o);
  const { profile, namespace = 'default', storage = 'memory', worker } = o;
  if (profile !== undefined) profileData(profile);
  expectText('namespace', namespace);
  expect(['indexeddb', 'memory'].includes(storage), 'storage', "'indexeddb' or 'memory'", storage);
  if (worker !== undefined && typeof worker !== 'function') expectObject('worker', worker);
}

/** What every way into a room takes, but for the schema, which is checked where it is read. */
export function checkRoomOptions(o: RoomOptions<unknown>): void {
  expectObject('options', o);
  signalOf(o);
  const { transports = [] } = o;
  expect(Array.isArray(transports), 'transports', 'a list', transports);
  transports.forEach(expectTransport);
}
