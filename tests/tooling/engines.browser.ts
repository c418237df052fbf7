/** What the library takes for granted of a browser is there in both: the set-up gave us the right ones. */
import { expect, test } from 'vitest';

test('module workers, Web Locks, IndexedDB, BroadcastChannel and raw deflate are there', () => {
  expect(typeof Worker).toBe('function');
  expect(typeof navigator.locks.request).toBe('function');
  expect(typeof indexedDB.open).toBe('function');
  expect(typeof BroadcastChannel).toBe('function');
  expect(() => new CompressionStream('deflate-raw')).not.toThrow();
});

test('WebCrypto signs with Ed25519 and agrees with X25519', async () => {
  const keys = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
  const message = new Uint8Array([1, 2, 3]);
  const signature = await crypto.subtle.sign('Ed25519', keys.privateKey, message);
  expect(await crypto.subtle.verify('Ed25519', keys.publicKey, signature, message)).toBe(true);

  const mine = await crypto.subtle.generateKey('X25519', false, ['deriveBits']);
  const shared = await crypto.subtle.deriveBits({ name: 'X25519', public: mine.publicKey }, mine.privateKey, 256);
  expect(shared.byteLength).toBe(32);
});
