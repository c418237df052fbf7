import { expect, test } from 'vitest';
import type { Bytes, Result } from '../../src/core/base/index.js';
import { decodeInviteCode } from '../../src/core/invite/index.js';
import { decodeBody, decodePack } from '../../src/core/pack/index.js';
import {
  decodeEnvelope,
  decodeFragment,
  decodeHello,
  decodeJoinAnswer,
  joinAskInviteId,
} from '../../src/core/wire/index.js';
import file from '../../docs/vectors/v1.json?raw';
import { readVectorFile } from './document.kit.js';

const vectors = readVectorFile(file);

/** Vector, where its version or suite stands, its decoder, and what another version is. */
const versioned: readonly (readonly [
  name: string,
  at: number,
  decode: (bytes: Bytes) => Result<unknown>,
  code: string,
])[] = [
  ['frame.hello', 2, decodeHello, 'hello/malformed'],
  ['envelope.ack', 2, decodeEnvelope, 'frame/malformed'],
  ['frame.fragment', 2, decodeFragment, 'frame/malformed'],
  ['join.ask', 2, joinAskInviteId, 'join/malformed'],
  ['join.answer', 2, decodeJoinAnswer, 'join/malformed'],
  ['pack.sealed', 0, decodePack, 'pack/malformed'],
  ['pack.sealed', 1, decodePack, 'pack/malformed'],
  ['body.columns', 0, (bytes) => decodeBody(bytes, 2), 'pack/bad-body'],
];

test.each(versioned)(
  '[VER-1] %s with another number at %i is refused, and says nothing of what is in it',
  (name, at, decode, code) => {
    const bytes = vectors.get(name);
    if (bytes === undefined) throw new TypeError(name);
    expect(decode(bytes).ok).toBe(true);
    for (const version of [0, 3, 255]) {
      const other = bytes.slice();
      other[at] = version;
      const read = decode(other);
      expect(read.ok ? null : read.fault.code, `version ${String(version)}`).toBe(code);
    }
  },
);

test('[VER-1] a HELLO names the version that its sender speaks', () => {
  const hello = vectors.get('frame.hello');
  const read = hello === undefined ? null : decodeHello(hello);
  expect(read?.ok === true ? read.value.hello.caps : null).toEqual({ v: 1 });
});

test('[VER-1] a link of another version is no link of ours', () => {
  expect(decodeInviteCode('A'.repeat(71)).ok).toBe(false);
});
