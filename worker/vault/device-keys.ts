import type { Bytes } from '../../src/core/base/index.js';
import { copyBytes, equalBytes, fromBase64Url, fromHex, toHex } from '../../src/core/base/index.js';
import { ed25519KeyBytes, x25519KeyBytes } from '../../src/core/crypto/index.js';
import type { DeviceKeys, Random, SeedSigner, Vault } from '../../src/ports/index.js';
import { storedBytes } from '../../src/ports/index.js';
import type { LoadCurves } from './curves.js';
import type { Verifier } from './verifier.js';

/** Which algorithms the platform keeps keys for; the others are seeds, sealed at rest. */
export interface KeySupport {
  readonly ed25519: boolean;
  readonly x25519: boolean;
}

/** One private key: the platform's, never extractable, or a seed sealed for the disk. */
type PrivateHalf = CryptoKey | Bytes;

interface NewHalf {
  readonly half: PrivateHalf;
  readonly publicKey: Bytes;
}

interface Handle {
  readonly sign: PrivateHalf;
  readonly agree: PrivateHalf;
  readonly deviceId: Bytes;
  readonly x25519: Bytes;
}

/** Seals and opens a seed for the disk. */
export interface SeedSealer {
  readonly seal: (seed: Bytes) => Bytes;
  readonly open: (sealed: Bytes) => Bytes | null;
}

/** The part of the Vault that holds private keys. */
export type DeviceKeyring = Pick<Vault, 'createDeviceKeys' | 'openDeviceKeys' | 'sign' | 'agree' | 'signerOfSeed'>;

/** Private keys of devices; `support` comes from {@link probeKeySupport}. */
export function createDeviceKeyring(o: {
  readonly support: KeySupport;
  readonly seeds: SeedSealer;
  readonly random: Random;
  readonly verify: Verifier['verify'];
  readonly loadCurves: LoadCurves;
}): DeviceKeyring {
  const { support, seeds, random, loadCurves } = o;

  async function createDeviceKeys(): Promise<DeviceKeys> {
    const sign = support.ed25519 ? await generate('Ed25519') : generateSeed((await loadCurves()).ed25519PublicKey);
    const agree = await createAgree();
    const handle: Handle = {
      sign: sign.half,
      agree: agree.half,
      deviceId: sign.publicKey,
      x25519: agree.publicKey,
    };
    return keysOf(handle);
  }

  async function createAgree(): Promise<NewHalf> {
    return support.x25519 ? generate('X25519') : generateSeed((await loadCurves()).x25519PublicKey);
  }

  function generateSeed(publicKeyOf: (seed: Bytes) => Bytes): NewHalf {
    const seed = random.bytes(ed25519KeyBytes);
    return { half: seeds.seal(seed), publicKey: publicKeyOf(seed) };
  }

  async function openDeviceKeys(stored: unknown): Promise<DeviceKeys | null> {
    const handle = asHandle(stored);
    if (handle === null) return null;
    const ofSeeds = [handle.sign, handle.agree].filter((half) => half instanceof Uint8Array);
    if (ofSeeds.some((half) => seeds.open(half) === null)) return null;
    // Outside the try: a file that does not load says nothing about the keys.
    if (ofSeeds.length > 0) await loadCurves();
    try {
      return (await answersFor(handle)) ? keysOf(handle) : null;
    } catch {
      return null; // the platform no longer takes this key, or a seed does not open
    }
  }

  /** Whether the private halves belong to the stored public ones: both are used once. */
  async function answersFor(handle: Handle): Promise<boolean> {
    const [isSigner, isAgreed] = await Promise.all([signsAs(handle), agreesAs(handle)]);
    return isSigner && isAgreed;
  }

  async function signsAs(handle: Handle): Promise<boolean> {
    const message = random.bytes(32);
    const signature = await signWith(handle, message);
    const [isGood] = await o.verify([{ publicKey: handle.deviceId, message, signature }]);
    return isGood === true;
  }

  async function agreesAs(handle: Handle): Promise<boolean> {
    const probe = await createAgree();
    const [mine, theirs] = await Promise.all([
      agreeWith(handle.agree, probe.publicKey),
      agreeWith(probe.half, handle.x25519),
    ]);
    return mine !== null && theirs !== null && equalBytes(mine, theirs);
  }

  async function signWith(handle: Handle, message: Bytes): Promise<Bytes> {
    if (handle.sign instanceof Uint8Array) return (await loadCurves()).signEd25519(openSeed(handle.sign), message);
    return new Uint8Array(await crypto.subtle.sign('Ed25519', handle.sign, message));
  }

  async function agreeWith(half: PrivateHalf, peer: Bytes): Promise<Bytes | null> {
    if (half instanceof Uint8Array) return (await loadCurves()).x25519Shared(openSeed(half), peer);
    try {
      const publicKey = await crypto.subtle.importKey('raw', peer, 'X25519', true, []);
      const bits = await crypto.subtle.deriveBits({ name: 'X25519', public: publicKey }, half, 256);
      const shared = new Uint8Array(bits);
      // Platforms refuse a low-order key with different errors; one that does not gives zeros.
      return shared.every((byte) => byte === 0) ? null : shared;
    } catch {
      return null;
    }
  }

  function openSeed(sealed: Bytes): Bytes {
    const seed = seeds.open(sealed);
    if (seed === null) throw new Error('device keys: the sealed seed does not open');
    return seed;
  }

  async function signerOfSeed(seed: Bytes): Promise<SeedSigner> {
    const own = copyBytes(seed);
    const platforms = support.ed25519 ? await platformSigner(own).catch(() => null) : null;
    if (platforms !== null) return platforms;
    const { ed25519PublicKey, signEd25519 } = await loadCurves();
    return { publicKey: ed25519PublicKey(own), sign: async (message) => Promise.resolve(signEd25519(own, message)) };
  }

  return {
    signerOfSeed,
    createDeviceKeys,
    openDeviceKeys,
    // async: a foreign handle rejects, as everything here does
    sign: async (keys, message) => signWith(requireHandle(keys), copyBytes(message)),
    agree: async (keys, peer) => agreeWith(requireHandle(keys).agree, copyBytes(peer)),
  };
}

/** Tries each algorithm once: support is not visible otherwise. */
export async function probeKeySupport(): Promise<KeySupport> {
  const works = (name: 'Ed25519' | 'X25519'): Promise<boolean> =>
    generate(name).then(
      () => true,
      () => false,
    );
  return { ed25519: await works('Ed25519'), x25519: await works('X25519') };
}

/** RFC 8410 §7: what stands before the seed in a PKCS #8 key. */
const pkcs8Head = '302e020100300506032b657004220420';

/** The seed as a key of the platform; its public half is in no format but JWK. Rejects when the platform will not. */
async function platformSigner(seed: Bytes): Promise<SeedSigner> {
  const pkcs8 = fromHex(pkcs8Head + toHex(seed)) ?? seed;
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', true, ['sign']);
  const publicKey = fromBase64Url((await crypto.subtle.exportKey('jwk', key)).x ?? '');
  if (publicKey?.length !== ed25519KeyBytes) throw new TypeError('Ed25519: expected a public key in the JWK');
  return { publicKey, sign: async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', key, message)) };
}

async function generate(name: 'Ed25519' | 'X25519'): Promise<NewHalf> {
  const usages: KeyUsage[] = name === 'Ed25519' ? ['sign', 'verify'] : ['deriveBits'];
  const pair = await crypto.subtle.generateKey(name, false, usages);
  if (!('privateKey' in pair)) throw new TypeError(`${name}: expected a key pair`);
  return { half: pair.privateKey, publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)) };
}

function keysOf(handle: Handle): DeviceKeys {
  return { deviceId: copyBytes(handle.deviceId), x25519: copyBytes(handle.x25519), handle };
}

function requireHandle(keys: DeviceKeys): Handle {
  const handle = asHandle(keys.handle);
  if (handle === null) throw new TypeError('keys.handle: expected a handle of this vault');
  return handle;
}

function asHandle(stored: unknown): Handle | null {
  if (typeof stored !== 'object' || stored === null) return null;
  if (!('sign' in stored && 'agree' in stored && 'deviceId' in stored && 'x25519' in stored)) return null;
  const { sign, agree, deviceId, x25519 } = stored;
  const halves = { sign: asHalf(sign), agree: asHalf(agree) };
  const ids = { deviceId: storedBytes(deviceId), x25519: storedBytes(x25519) };
  if (halves.sign === null || halves.agree === null) return null;
  if (ids.deviceId?.length !== ed25519KeyBytes || ids.x25519?.length !== x25519KeyBytes) return null;
  return { sign: halves.sign, agree: halves.agree, deviceId: ids.deviceId, x25519: ids.x25519 };
}

function asHalf(value: unknown): PrivateHalf | null {
  return value instanceof CryptoKey ? value : storedBytes(value);
}
