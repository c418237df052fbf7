/**
 * Runs in the engine's worker before the package does (see support/keeproom-page: `probeWorker`), and watches the platform
 * from there: what it is asked for at random, what is encrypted under a key of its own, and write transactions. It can
 * stop the thread at the next of those, as if the machine had stopped.
 */

/** What a worker with a probe has done so far. Bytes in hex. */
export interface Probed {
  /** All that getRandomValues gave, whole results of at least 16 bytes. */
  readonly random: readonly string[];
  /** All that was encrypted with a CryptoKey: the data key at rest. */
  readonly encrypted: readonly string[];
  /** Readwrite transactions begun. */
  readonly readwrite: number;
}

/** From the page. */
export type ToProbe = { readonly probe: 'tell' | 'stop-at-next-commit' };
/** To the page. */
export type FromProbe = { readonly probe: 'told'; readonly probed: Probed } | { readonly probe: 'stopped' };

/** Longer than any test waits: only the end of the page ends it. */
const stopMs = 60_000;
const random: string[] = [];
const encrypted: string[] = [];
let readwrite = 0;
let stopNext = false;

const say = (message: FromProbe): void => (self as unknown as Worker).postMessage(message);
const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const bytesOf = (source: BufferSource): Uint8Array =>
  ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);

const { getRandomValues } = Crypto.prototype;
Crypto.prototype.getRandomValues = function <T extends ArrayBufferView>(this: Crypto, into: T): T {
  const filled = getRandomValues.call(this, into as unknown as Uint8Array<ArrayBuffer>) as unknown as T;
  if (filled.byteLength >= 16) random.push(hexOf(bytesOf(filled as unknown as Uint8Array<ArrayBuffer>)));
  return filled;
};

const { encrypt } = SubtleCrypto.prototype;
SubtleCrypto.prototype.encrypt = function (this: SubtleCrypto, ...args: Parameters<typeof encrypt>) {
  encrypted.push(hexOf(bytesOf(args[2])));
  return encrypt.apply(this, args);
};

const { transaction } = IDBDatabase.prototype;
IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...args: Parameters<typeof transaction>) {
  if (args[1] === 'readwrite') {
    readwrite++;
    if (stopNext) {
      say({ probe: 'stopped' });
      for (const end = performance.now() + stopMs; performance.now() < end;);
    }
  }
  return transaction.apply(this, args);
};

self.addEventListener('message', (event: MessageEvent<ToProbe | { readonly t: string }>) => {
  if (!('probe' in event.data)) return;
  // Not for the package.
  event.stopImmediatePropagation();
  if (event.data.probe === 'stop-at-next-commit') stopNext = true;
  else say({ probe: 'told', probed: { random, encrypted, readwrite } });
});
