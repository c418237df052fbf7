/**
 * The examples computed once more by WebCrypto and by hand, from the inputs of the vector file and the words of the
 * document alone: no function of ours makes what is compared. XChaCha20 is not in WebCrypto; its frames are checked
 * against another implementation in src/core/wire.
 */
import { describe, expect, test } from 'vitest';
import file from '../../docs/vectors/v1.json?raw';

type Raw = Uint8Array<ArrayBuffer>;

interface VectorFile {
  readonly inputs: Readonly<Record<string, string>>;
  readonly vectors: Readonly<Record<string, { readonly hex: string }>>;
}

const { inputs, vectors } = JSON.parse(file) as VectorFile;

function raw(hex: string | undefined): Raw {
  if (hex === undefined) throw new TypeError('no such vector');
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

const input = (name: string): Raw => raw(inputs[name]);
const vector = (name: string): Raw => raw(vectors[name]?.hex);
const ascii = (text: string): Raw => Uint8Array.from(text, (char) => char.charCodeAt(0));
const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const zeros = (length: number): Raw => new Uint8Array(length);

function join(...parts: readonly Uint8Array[]): Raw {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Big-endian, `length` bytes. */
function be(value: number, length: number): Raw {
  return Uint8Array.from({ length }, (_, i) => Math.floor(value / 256 ** (length - 1 - i)) % 256);
}

async function sha256(...parts: readonly Uint8Array[]): Promise<Raw> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', join(...parts)));
}

async function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Promise<Raw> {
  const imported = await crypto.subtle.importKey('raw', join(key), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, join(...parts)));
}

/** One block of HKDF-Expand. */
async function expand(prk: Uint8Array, ...info: readonly Uint8Array[]): Promise<Raw> {
  return hmac(prk, ...info, Uint8Array.of(1));
}

async function isSigned(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const imported = await crypto.subtle.importKey('raw', join(key), 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', imported, join(signature), join(message));
}

const roomId = vector('entry.genesis.id');
const founder = vector('device.founder');
const joiner = vector('device.joiner');
const startMs = 1_767_225_600_000;

/** The preimage of §5, field by field. */
function preimage(o: {
  readonly kind: number;
  readonly room: Raw;
  readonly domain: Raw;
  readonly author: Raw;
  readonly cap: Raw;
  readonly kid: Raw;
  readonly prev: Raw;
  readonly commit: Raw;
  readonly seq: number;
  readonly ms: number;
  readonly ctr: number;
  readonly deps: readonly Raw[];
}): Raw {
  const { room, domain, author, cap, kid, prev, commit, deps } = o;
  const head = join(
    ascii('keeproom/entry/1'),
    Uint8Array.of(1, 1, o.kind, 0),
    zeros(4),
    input('founder boot').slice(0, 8),
  );
  const tail = join(be(o.seq, 6), be(o.ms, 6), be(o.ctr, 2), Uint8Array.of(0, deps.length), ...deps);
  return join(head, room, domain, author, cap, kid, prev, commit, tail);
}

/** The domain of the worked data entry: the field at its offset. */
const main = vector('entry.data').slice(64, 96);

/** Registers the suite. */
export function secondOpinionSuite(): void {
  describe('[S03] the examples once more, by WebCrypto and by hand', () => {
    test('[KEY-2] kid, PRK and the keys derived from it', async () => {
      const kid = await sha256(ascii('keeproom/kid/001'), roomId, zeros(32), input('epoch key'));
      expect(hex(kid)).toBe(hex(vector('epoch.kid')));
      const prk = await hmac(join(roomId, kid), input('epoch key'));
      expect(hex(prk)).toBe(hex(vector('epoch.prk')));
      expect(hex(await expand(prk, ascii('keeproom/commit1'), main, founder))).toBe(hex(vector('epoch.commit-key')));
      expect(hex(await expand(prk, ascii('keeproom/pack/01'), founder))).toBe(hex(vector('epoch.pack-key')));
      expect(hex(await expand(prk, ascii('keeproom/nonce/1'), founder))).toBe(hex(vector('epoch.nonce-key')));
    });

    test('[KEY-3] a hedged nonce', async () => {
      const parts = [input('nonce random'), await sha256(vector('epoch.kid')), await sha256(vector('epoch.key'))];
      const nonce = await hmac(vector('epoch.nonce-key'), ...parts);
      expect(hex(nonce.slice(0, 24))).toBe(hex(vector('nonce.hedged')));
    });

    test('[ENT-1] genesis: preimage, commitment, id', async () => {
      const none = zeros(32);
      const commit = await hmac(none, be(0, 6), vector('control.genesis'));
      const made = preimage({
        kind: 1,
        room: none,
        domain: none,
        author: founder,
        cap: none,
        kid: none,
        prev: none,
        commit,
        seq: 0,
        ms: startMs,
        ctr: 0,
        deps: [],
      });
      expect(hex(made)).toBe(hex(vector('entry.genesis')));
      expect(hex(await sha256(made))).toBe(hex(roomId));
    });

    test('[ENT-1] a data entry: preimage, commitment, id', async () => {
      const commit = await hmac(vector('epoch.commit-key'), be(0, 6), vector('payload.ops'));
      expect(hex(commit)).toBe(hex(vector('entry.data.commit')));
      const made = preimage({
        kind: 0,
        room: roomId,
        domain: main,
        author: founder,
        cap: roomId,
        kid: vector('epoch.kid'),
        prev: zeros(32),
        commit,
        seq: 0,
        ms: startMs + 1000,
        ctr: 0,
        deps: [],
      });
      expect(hex(made)).toBe(hex(vector('entry.data')));
      expect(hex(await sha256(made))).toBe(hex(vector('entry.data.id')));
    });

    test('[F3] head and binding signatures', async () => {
      const message = join(ascii('keeproom/head/01'), roomId, main, be(0, 8), vector('entry.reply.id'));
      expect(hex(message)).toBe(hex(vector('head.message')));
      expect(await isSigned(joiner, message, vector('head.signature'))).toBe(true);
      const genesis = join(ascii('keeproom/head/01'), zeros(64), be(0, 8), roomId);
      expect(await isSigned(founder, genesis, vector('entry.genesis.signature'))).toBe(true);
      const bind = join(ascii('keeproom/bind/01'), roomId, vector('x25519.joiner'));
      expect(await isSigned(joiner, bind, vector('bind.signature'))).toBe(true);
    });

    test('[F23] the prefix of a declaration', async () => {
      expect(hex((await sha256(vector('schema.declaration'))).slice(0, 8))).toBe(hex(vector('schema.prefix')));
    });

    test('[F2] what a sealer signs', async () => {
      const pack = vector('pack.sealed');
      const message = join(ascii('keeproom/pack/01'), roomId, await sha256(pack.slice(0, -64)));
      expect(hex(message)).toBe(hex(vector('pack.seal-message')));
      expect(await isSigned(founder, message, pack.slice(-64))).toBe(true);
    });

    test('[X4] the room’s tag, and what a HELLO’s signature covers', async () => {
      expect(hex((await hmac(roomId, ascii('keeproom/rtag/01'))).slice(0, 8))).toBe(hex(vector('room.tag')));
      const hello = vector('frame.hello');
      const place = join(be(6, 2), ascii('memory'), be(2, 2), ascii('a1'));
      const message = join(ascii('keeproom/hello01'), roomId, place, hello.slice(0, -64));
      expect(hex(message)).toBe(hex(vector('hello.message')));
      expect(await isSigned(founder, message, hello.slice(-64))).toBe(true);
    });

    test('[X5] what the signature of a frame covers', async () => {
      const message = join(
        ascii('keeproom/fram/01'),
        roomId,
        vector('envelope.header'),
        await sha256(vector('message.ack')),
      );
      expect(hex(message)).toBe(hex(vector('envelope.signed')));
      expect(hex(vector('envelope.ack')).startsWith(hex(vector('envelope.header')))).toBe(true);
    });

    test('[SYN-1] the root of a domain', async () => {
      const third = vector('pack.sealed').slice(112, 144);
      const heads = [join(founder, be(3, 6), third), join(joiner, be(1, 6), vector('entry.reply.id'))];
      heads.sort((a, b) => (hex(a) < hex(b) ? -1 : 1));
      expect(hex(await sha256(ascii('keeproom/root/01'), main, ...heads))).toBe(hex(vector('root.main')));
    });

    test('[SYN-5] the sum of what is held, in an answer', async () => {
      const [session, echo] = [input('founder session').slice(0, 16), input('joiner session').slice(0, 16)];
      const key = await expand(vector('epoch.prk'), ascii('keeproom/sum/001'), founder, session, echo);
      const sum = (await hmac(key, main, vector('root.main'))).slice(0, 16);
      expect(hex(sum)).toBe(hex(vector('hello.sum')));
      const answer = vector('frame.hello-answer');
      expect(hex(answer.slice(44, 76))).toBe(hex(join(session, echo)));
      expect(hex(answer.slice(-80, -64))).toBe(hex(sum));
      const place = join(be(6, 2), ascii('memory'), be(2, 2), ascii('a1'));
      const message = join(ascii('keeproom/hello01'), roomId, place, answer.slice(0, -64));
      expect(await isSigned(founder, message, answer.slice(-64))).toBe(true);
    });

    test('[X9] the code of a link and the keys from it', async () => {
      const secret = input('invite secret').slice(0, 16);
      const body = join(Uint8Array.of(1), roomId, secret);
      const whole = join(body, (await sha256(body)).slice(0, 4));
      const base64 = btoa(String.fromCharCode(...whole))
        .replaceAll('+', '-')
        .replaceAll('/', '_')
        .replaceAll('=', '');
      expect(base64).toBe(String.fromCharCode(...vector('invite.code')));
      const prk = await hmac(roomId, secret);
      expect(hex((await expand(prk, ascii('keeproom/invid01'))).slice(0, 16))).toBe(hex(vector('invite.id')));
      expect(hex(await expand(prk, ascii('keeproom/invpk01')))).toBe(hex(vector('invite.psk')));
      const place = join(be(6, 2), ascii('memory'), be(2, 2), ascii('b2'));
      const asked = join(
        vector('invite.id'),
        input('request id').slice(0, 16),
        joiner,
        vector('x25519.joiner'),
        input('joiner nonce'),
      );
      expect(hex(join(ascii('keeproom/join/01'), roomId, asked, place))).toBe(hex(vector('join.message')));
      const answer = vector('join.answer');
      const covered = join(ascii('keeproom/join/02'), roomId, await sha256(vector('join.ask')), answer.slice(0, -64));
      expect(await isSigned(founder, covered, answer.slice(-64))).toBe(true);
    });
  });
}
