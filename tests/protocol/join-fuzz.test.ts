import { expect, test } from 'vitest';
import type { Bytes } from '../../src/core/base/index.js';
import { concatBytes, equalBytes } from '../../src/core/base/index.js';
import { encodeValue } from '../../src/core/codec/index.js';
import { createSeededNumbers } from '../../src/core/codec/mutate.kit.js';
import { aeadSeal, deriveKey, hkdfExtract, labels } from '../../src/core/crypto/index.js';
import { decodeJoinAnswer, joinStatuses, openJoinAnswer, openJoinAsk } from '../../src/core/wire/index.js';
import { createMutator } from '../../src/core/wire/mutate.kit.js';
import { chance, keys, roomId } from './story.kit.js';

const inputs = 100_000;
const nonce = chance('fuzz nonce', 24);
const bytes = (length: number): Bytes => chance('fuzz part').slice(0, length);
const sig = concatBytes(bytes(32), bytes(32));
const { psk, inviteId } = keys;

const askHead = concatBytes(Uint8Array.of(5, 1, 1, 0), inviteId);
const askAad = concatBytes(labels.joinAsk, roomId, askHead);
const ask = encodeValue([bytes(16), bytes(32), bytes(32), sig, bytes(32), bytes(20), sig, sig]);

const askHash = chance('ask hash');
const shared = chance('shared');
const admitter = chance('admitter');
const answerKey = { roomId, askHash, psk, shared };
const answerHead = concatBytes(Uint8Array.of(5, 2, 1, 0), bytes(32));
const answerAad = concatBytes(labels.joinAnswer, roomId, askHash, admitter, answerHead);
const sealKey = deriveKey(hkdfExtract(askHash, concatBytes(shared, psk)), labels.joinAnswer);
const answers = [encodeValue([0, bytes(32), bytes(32), bytes(32)]), encodeValue([3, null, null, null])];

interface Target {
  readonly name: string;
  readonly corpus: readonly Bytes[];
  /** What the contents read as, written again; or the code of their fault. */
  readonly again: (plaintext: Bytes) => Bytes | string;
}

/** Contents that somebody with the link sealed. */
const targets: readonly Target[] = [
  {
    name: 'JOIN_ASK',
    corpus: [ask],
    again: (plaintext) => {
      const frame = concatBytes(askHead, nonce, aeadSeal({ key: psk, nonce, aad: askAad, plaintext }));
      const read = openJoinAsk(frame, { roomId, psk });
      if (!read.ok) return read.fault.code;
      const { requestId, device, x25519, bind, joinerNonce, profile, inviteSig, deviceSig } = read.value;
      return encodeValue([requestId, device, x25519, bind, joinerNonce, profile, inviteSig, deviceSig]);
    },
  },
  {
    name: 'JOIN_ANSWER',
    corpus: answers,
    again: (plaintext) => {
      const sealed = aeadSeal({ key: sealKey, nonce, aad: answerAad, plaintext });
      const frame = decodeJoinAnswer(concatBytes(answerHead, nonce, sealed, admitter, sig));
      const read = frame.ok ? openJoinAnswer(frame.value, answerKey) : frame;
      if (!read.ok) return read.fault.code;
      const { value } = read;
      const rest = value.status === 'granted' ? [value.grantId, value.kid, value.key] : [null, null, null];
      return encodeValue([joinStatuses.indexOf(value.status), ...rest]);
    },
  },
];

test.each(targets.map((target) => [target.name, target] as const))(
  '[S04] 100,000 contents of a %s that somebody with the link sealed: a typed fault each, or written back byte-equal',
  (name, { corpus, again }) => {
    const mutated = createMutator(corpus, createSeededNumbers(20_260_106));
    const codes = new Map<string, number>();
    for (const good of corpus) expect(again(good)).toEqual(good);
    for (let i = 0; i < inputs; i++) {
      const plaintext = mutated();
      const read = again(plaintext);
      const code = typeof read === 'string' ? read : 'accepted';
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (typeof read !== 'string' && !equalBytes(read, plaintext)) expect.fail(`input ${String(i)}`);
    }
    console.log(`[S04] ${name}: ${JSON.stringify(Object.fromEntries(codes))}`);
    expect(codes.get('join/malformed')).toBeGreaterThan(10_000);
    expect([...codes.keys()].sort()).toEqual(['accepted', 'join/malformed']);
  },
  120_000,
);
