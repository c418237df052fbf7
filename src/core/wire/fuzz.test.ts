import { expect, test } from 'vitest';
import type { Bytes, Result } from '../base/index.js';
import { equalBytes } from '../base/index.js';
import { createSeededNumbers } from '../codec/mutate.kit.js';
import { decodeInviteCode, encodeInviteCode } from '../invite/index.js';
import {
  decodeEnvelope,
  decodeHello,
  decodeJoinAnswer,
  encodeHello,
  joinAskInviteId,
  joinSigned,
  openEnvelope,
  openJoinAsk,
} from './index.js';
import { createMutator } from './mutate.kit.js';
import { bytes, device, hex, kid, prk, roomId, samples } from './samples.kit.js';
import { wireVectors } from './vectors.kit.js';

const inputs = 100_000;
const seed = 20_260_102;

interface Target {
  readonly name: string;
  readonly corpus: readonly Bytes[];
  readonly decode: (input: Bytes) => Result<unknown>;
  /** What an accepted input is when it is written again. */
  readonly again: (input: Bytes) => Bytes | null;
}

/** All samples of one decoder, so that splices mix them. */
const messageTargets: readonly Target[] = samples
  .filter(({ name }) => name !== 'syncGrantAll')
  .map((one) => ({
    name: one.name,
    corpus: samples.filter(({ decode }) => decode === one.decode).map(({ name }) => hex(wireVectors[name])),
    decode: one.decode,
    again: one.again,
  }));

const envelopeKey = { roomId, kid, prk, sender: device };
const signedHello = joinSigned(hex(wireVectors.helloUnsigned), hex(wireVectors.helloSig));
const text = (input: Bytes): string => String.fromCharCode(...input);

const targets: readonly Target[] = [
  ...messageTargets,
  {
    name: 'hello',
    corpus: [signedHello],
    decode: decodeHello,
    again: (input) => {
      const read = decodeHello(input);
      return read.ok ? joinSigned(encodeHello(read.value.hello), read.value.sig) : null;
    },
  },
  {
    name: 'envelope',
    corpus: [hex(wireVectors.envelope)],
    decode: decodeEnvelope,
    again: (input) => (decodeEnvelope(input).ok ? input : null),
  },
  {
    name: 'joinAsk',
    corpus: [hex(wireVectors.joinAsk)],
    decode: joinAskInviteId,
    again: (input) => (joinAskInviteId(input).ok ? input : null),
  },
  {
    name: 'joinAnswer',
    corpus: [joinSigned(hex(wireVectors.joinAnswer), bytes(64, 1))],
    decode: decodeJoinAnswer,
    again: (input) => {
      const read = decodeJoinAnswer(input);
      return read.ok ? joinSigned(read.value.unsigned, read.value.sig) : null;
    },
  },
  {
    name: 'inviteCode',
    corpus: [wireVectors.inviteCode, `https://a.example/#keeproom=${wireVectors.inviteCode}`].map((link) =>
      Uint8Array.from(link, (char) => char.charCodeAt(0)),
    ),
    decode: (input) => decodeInviteCode(text(input)),
    again: (input) => {
      const read = decodeInviteCode(text(input));
      return read.ok && text(input).includes(encodeInviteCode(read.value)) ? input : null;
    },
  },
];

/** Of five runs the fastest: the others may have been interrupted. */
function leastMs(run: () => unknown): number {
  const times = Array.from({ length: 5 }, () => {
    const before = performance.now();
    run();
    return performance.now() - before;
  });
  return Math.min(...times);
}

test.each(targets.map((target) => [target.name, target] as const))(
  '[S04] %s: 100,000 mutated inputs, no throw, what is accepted is written back byte-equal',
  (name, { corpus, decode, again }) => {
    const mutated = createMutator(corpus, createSeededNumbers(seed));
    const started = performance.now();
    const codes = new Map<string, number>();
    let slowest = { input: new Uint8Array(), ms: 0 };
    for (let i = 0; i < inputs; i++) {
      const input = mutated();
      const before = performance.now();
      const read = decode(input);
      const ms = performance.now() - before;
      if (ms > slowest.ms) slowest = { input, ms };
      const code = read.ok ? 'accepted' : read.fault.code;
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (!read.ok) continue;
      const written = again(input);
      if (written === null || !equalBytes(written, input)) expect.fail(`input ${String(i)} of seed ${String(seed)}`);
    }
    const slowestMs = leastMs(() => decode(slowest.input));
    const outcomes = JSON.stringify(Object.fromEntries(codes));
    const ms = (performance.now() - started).toFixed(0);
    console.log(`[S04] ${name}: ${String(inputs)} inputs in ${ms} ms, slowest ${slowestMs.toFixed(2)} ms, ${outcomes}`);
    expect(codes.get('accepted')).toBeGreaterThan(100);
    expect(inputs - (codes.get('accepted') ?? 0)).toBeGreaterThan(3_000);
    expect(slowestMs).toBeLessThan(20);
  },
  60_000,
);

test('[S04] 5,000 mutated sealed frames: nothing but the original opens', () => {
  const envelope = hex(wireVectors.envelope);
  const ask = hex(wireVectors.joinAsk);
  const key = { roomId, psk: hex(wireVectors.psk) };
  const [mutatedEnvelope, mutatedAsk] = [envelope, ask].map((one) => createMutator([one], createSeededNumbers(seed)));
  for (let i = 0; i < 2_500; i++) {
    const frame = mutatedEnvelope?.() ?? envelope;
    const decoded = decodeEnvelope(frame);
    if (decoded.ok) expect(openEnvelope(decoded.value, envelopeKey).ok).toBe(equalBytes(frame, envelope));
    const request = mutatedAsk?.() ?? ask;
    expect(openJoinAsk(request, key).ok).toBe(equalBytes(request, ask));
  }
});
