import fc from 'fast-check';
import type { Bytes } from '../base/index.js';
import { compareBytes } from '../base/index.js';
import { maxControlPayloadBytes, type ControlPayload } from './index.js';

const bytes = (length: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((b) => new Uint8Array(b));
const id = bytes(32);
const uint = (max: number): fc.Arbitrary<number> =>
  fc.oneof(fc.integer({ min: 0, max }), fc.constantFrom(0, max, Math.min(max, 127), Math.min(max, 256)));
const idOrNone = fc.oneof(id, fc.constant(new Uint8Array(0)));

function ascending(list: readonly Bytes[]): Bytes[] {
  const sorted = [...list].sort(compareBytes);
  return sorted.filter((one, i) => i === 0 || compareBytes(sorted[i - 1] ?? one, one) !== 0);
}

const ids = (maxLength: number): fc.Arbitrary<Bytes[]> => fc.array(id, { maxLength });
const domains = fc.oneof(fc.constant(null), ids(4).map(ascending));

const powers = { rank: uint(0xffff), perms: uint(127) };

/** Payloads of every kind that this version knows, each within its bounds. */
export const arbitraryControl: Readonly<Record<ControlPayload['kind'], fc.Arbitrary<ControlPayload>>> = {
  genesis: fc.record({
    kind: fc.constant('genesis'),
    ruleset: uint(0xffff),
    nonce: id,
    x25519: id,
    bind: bytes(64),
    recovery: idOrNone,
    limits: fc.record({
      maxPayload: uint(2 ** 20),
      maxDeps: uint(32),
      maxControl: uint(maxControlPayloadBytes),
      maxDomains: uint(256),
    }),
  }),
  grant: fc.record({
    kind: fc.constant('grant'),
    subject: id,
    x25519: id,
    bind: bytes(64),
    member: idOrNone,
    scope: id,
    ...powers,
    depth: uint(255),
    write: domains,
    via: fc.oneof(fc.constant(null), fc.record({ invite: id, use: uint(0xffff), requestId: bytes(16) })),
    wraps: fc.array(fc.record({ kid: id, epk: id, sealed: bytes(48) }), { maxLength: 3 }),
  }),
  epoch: fc
    .record({
      kind: fc.constant('epoch'),
      scope: id,
      kid: id,
      gen: uint(0xffff_ffff),
      edges: fc.array(fc.tuple(id, bytes(48)), { maxLength: 3 }),
    })
    .map(({ edges, ...rest }) => ({
      ...rest,
      parents: edges.map(([kid]) => kid),
      links: edges.map(([, link]) => link),
    })),
  wrap: fc
    .record({ kind: fc.constant('wrap'), kid: id, epk: id, devices: ids(4).map(ascending), sealed: bytes(48) })
    .map(({ kind, kid, epk, devices, sealed }) => ({
      kind,
      kid,
      epk,
      recipients: devices.map((device) => ({ device, sealed })),
    })),
  domain: fc.record({ kind: fc.constant('domain'), scope: id, isMeta: fc.boolean(), nonce: bytes(16) }),
  invite: fc.record({
    kind: fc.constant('invite'),
    invitePub: id,
    ...powers,
    scope: id,
    write: domains,
    maxUses: fc.integer({ min: 1, max: 0xffff }),
    expiryMs: uint(2 ** 48 - 1),
    approval: fc.boolean(),
    anyAdmitter: fc.boolean(),
    admitters: ids(3),
  }),
  revoke: fc.record({ kind: fc.constant('revoke'), targetKind: fc.constant(3), target: id, cascade: fc.boolean() }),
  fold: fc.constant({ kind: 'fold' }),
};

/** The kinds, in the order of their numbers. */
export const controlKinds: readonly ControlPayload['kind'][] = [
  'genesis',
  'grant',
  'revoke',
  'epoch',
  'wrap',
  'domain',
  'invite',
  'fold',
];
