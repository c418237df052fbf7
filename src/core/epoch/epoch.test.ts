import { describe, expect, test } from 'vitest';
import type { Bytes } from '../base/index.js';
import { compareBytes, toHex } from '../base/index.js';
import type { ControlPayload } from '../access/index.js';
import { createLog, grantPayload, idOf, invitePayload, roles, zeros32, type Log } from '../admission/log.kit.js';
import {
  aeadSeal,
  deriveKey,
  epochPrk,
  hkdfExtract,
  kidOf,
  labels,
  x25519PublicKey,
  x25519Shared,
} from '../crypto/index.js';
import {
  chooseSendEpoch,
  epochHeads,
  kidsNewestFirst,
  nextGeneration,
  openKey,
  openLink,
  sealedKeyBytes,
  sealKey,
  sealLink,
} from './index.js';

const roomId = idOf('room');
const key = idOf('epoch key');
const kid = kidOf(roomId, zeros32, key);
const [mine, theirs] = [idOf('ephemeral'), idOf('device')];
const epk = x25519PublicKey(mine);
const x25519 = x25519PublicKey(theirs);

function sharedOf(secret: Bytes, publicKey: Bytes): Bytes {
  const shared = x25519Shared(secret, publicKey);
  if (shared === null) throw new TypeError('expected a shared secret');
  return shared;
}

describe('[EPO-1] a key wrapped for a device', () => {
  const context = { roomId, scope: zeros32, kid, epk, device: idOf('ada'), x25519 };
  const shared = sharedOf(mine, x25519);
  const sealed = sealKey(key, shared, context);

  test('[EPO-1] is 48 bytes, and opens with either half of the exchange', () => {
    expect(sealed.length).toBe(sealedKeyBytes);
    expect(openKey(sealed, sharedOf(theirs, epk), context)).toEqual(key);
  });

  test('[EPO-1] the key of the seal and what it is bound to are what the document says', () => {
    const wrapKey = deriveKey(hkdfExtract(roomId, shared), labels.wrap, kid, epk, context.device, x25519);
    const aad = Uint8Array.from([...labels.wrap, ...roomId, ...kid]);
    expect(toHex(sealed)).toBe(toHex(aeadSeal({ key: wrapKey, nonce: new Uint8Array(24), aad, plaintext: key })));
  });

  test('[EPO-1] moved to another room, epoch, device or ephemeral key it opens nothing', () => {
    for (const other of [
      { roomId: idOf('another') },
      { kid: idOf('another') },
      { device: idOf('another') },
      { epk: idOf('another') },
      { x25519: idOf('another') },
    ]) {
      expect(openKey(sealed, shared, { ...context, ...other })).toBeNull();
    }
    expect(openKey(sealed, sharedOf(idOf('another'), x25519), context)).toBeNull();
    expect(openKey(sealed.slice(0, 47), shared, context)).toBeNull();
    expect(openKey(new Uint8Array(0), shared, context)).toBeNull();
  });

  test('[KEY-1] what is not the key that the kid commits to is never stored', () => {
    const other = sealKey(idOf('another key'), shared, context);
    expect(openKey(other, shared, context)).toBeNull();
    expect(openKey(sealed, shared, { ...context, scope: idOf('group') })).toBeNull();
  });
});

describe('[EPO-2] a link to the epoch before', () => {
  const parentKey = idOf('parent key');
  const parentKid = kidOf(roomId, zeros32, parentKey);
  const context = { roomId, scope: zeros32, kid, parentKid };
  const link = sealLink(parentKey, key, context);

  test('[EPO-2] one key opens what lies before it', () => {
    expect(link.length).toBe(48);
    expect(openLink(link, key, context)).toEqual(parentKey);
    const linkKey = deriveKey(epochPrk(roomId, kid, key), labels.link, parentKid);
    const aad = Uint8Array.from([...labels.link, ...roomId, ...parentKid]);
    expect(toHex(link)).toBe(toHex(aeadSeal({ key: linkKey, nonce: new Uint8Array(24), aad, plaintext: parentKey })));
  });

  test('[EPO-2] another key, room, epoch or parent opens nothing, and another content is not believed', () => {
    expect(openLink(link, idOf('x'), context)).toBeNull();
    expect(openLink(link, key, { ...context, roomId: idOf('x') })).toBeNull();
    expect(openLink(link, key, { ...context, kid: idOf('x') })).toBeNull();
    expect(openLink(link, key, { ...context, parentKid: idOf('x') })).toBeNull();
    expect(openLink(sealLink(idOf('not the parent'), key, context), key, context)).toBeNull();
  });
});

describe('[F5] the send rule', () => {
  const epoch = (name: string, parents: readonly string[] = [], gen = 1): ControlPayload => ({
    kind: 'epoch',
    scope: zeros32,
    kid: idOf(name),
    gen,
    parents: parents.map(idOf),
    links: parents.map(() => new Uint8Array(48)),
  });
  const wrap = (name: string, devices: readonly Bytes[]): ControlPayload => ({
    kind: 'wrap',
    kid: idOf(name),
    epk: zeros32,
    recipients: [...devices].sort(compareBytes).map((device) => ({ device, sealed: new Uint8Array(48) })),
  });
  const chosen = (log: Log, isHeld: (kidHex: string) => boolean = () => true): string | null => {
    const found = chooseSendEpoch(log.access(), isHeld);
    return found && toHex(found.kid);
  };
  const [ada, bob] = [idOf('ada'), idOf('bob')];

  test('[F5] content goes out under an epoch whose recipients all have effect, as many as there are', () => {
    const log = createLog();
    expect(chosen(log)).toBeNull();
    log.must(log.founder, epoch('k1'));
    expect(chosen(log)).toBeNull();
    log.must(log.founder, wrap('k1', [log.founder]));
    expect(chosen(log)).toBe(toHex(idOf('k1')));
    log.must(log.founder, grantPayload(ada, roles.editor));
    expect(chosen(log), 'one is missing, and is given the key').toBe(toHex(idOf('k1')));
    log.must(log.founder, epoch('k2', ['k1'], 2));
    log.must(log.founder, wrap('k2', [ada]));
    log.must(log.founder, wrap('k1', [ada]));
    expect(chosen(log), 'who leaves others out is not followed').toBe(toHex(idOf('k1')));
    expect(log.write(log.founder, wrap('k1', [bob])).ok, 'nobody can make it one too many').toBe(false);
    expect(chosen(log)).toBe(toHex(idOf('k1')));
  });

  test('[F5] a device whose grant has lost its effect may not read what comes: a new epoch is due', () => {
    const log = createLog();
    log.must(log.founder, epoch('k1'));
    log.must(log.founder, grantPayload(ada, roles.admin));
    log.must(log.founder, wrap('k1', [log.founder, ada]));
    const invite = log.must(log.founder, invitePayload(roles.viewer));
    const before = [...log.records];
    const via = { invite: invite.entry.id, use: 0, requestId: new Uint8Array(16) };
    log.must(
      ada,
      grantPayload(bob, roles.viewer, { via, wraps: [{ kid: idOf('k1'), epk: zeros32, sealed: new Uint8Array(48) }] }),
    );
    expect(chosen(log)).toBe(toHex(idOf('k1')));
    log.must(log.founder, { kind: 'revoke', targetKind: 3, target: invite.entry.id, cascade: false }, { seen: before });
    expect(chosen(log)).toBeNull();
    log.must(log.founder, epoch('k2', ['k1'], 2));
    log.must(log.founder, wrap('k2', [log.founder, ada]));
    expect(chosen(log)).toBe(toHex(idOf('k2')));
  });

  test('[F5] nor is anything written under an epoch that a device without effect opens by a later one', () => {
    const log = createLog();
    log.must(log.founder, grantPayload(ada, roles.admin));
    log.must(log.founder, epoch('k1'));
    log.must(log.founder, wrap('k1', [log.founder, ada]));
    log.must(log.founder, epoch('k2', ['k1'], 2));
    log.must(log.founder, epoch('k3', ['k2'], 3));
    log.must(log.founder, wrap('k3', [log.founder, ada]));
    const invite = log.must(log.founder, invitePayload(roles.viewer));
    const before = [...log.records];
    const via = { invite: invite.entry.id, use: 0, requestId: new Uint8Array(16) };
    const wraps = [{ kid: idOf('k3'), epk: zeros32, sealed: new Uint8Array(48) }];
    log.must(ada, grantPayload(bob, roles.viewer, { via, wraps }));
    expect(chosen(log)).toBe(toHex(idOf('k3')));
    log.must(log.founder, { kind: 'revoke', targetKind: 3, target: invite.entry.id, cascade: false }, { seen: before });
    expect(chosen(log), 'what k3 opens is as open').toBeNull();
    log.must(log.founder, epoch('k4', ['k3'], 4));
    log.must(log.founder, wrap('k4', [log.founder, ada]));
    expect(chosen(log)).toBe(toHex(idOf('k4')));
  });

  test('[F5] of several the highest generation, then the highest kid, of those whose key is held', () => {
    const log = createLog();
    for (const name of ['k1', 'k1b']) {
      log.must(log.founder, epoch(name));
      log.must(log.founder, wrap(name, [log.founder]));
    }
    const [low, high] = [idOf('k1'), idOf('k1b')].map(toHex).sort();
    expect(chosen(log)).toBe(high);
    expect(chosen(log, (one) => one === low)).toBe(low);
    log.must(log.founder, epoch('k2', ['k1', 'k1b'], 2));
    expect(chosen(log)).toBe(high);
    log.must(log.founder, wrap('k2', [log.founder]));
    expect(chosen(log)).toBe(toHex(idOf('k2')));
    expect(chosen(log, () => false)).toBeNull();
  });

  test('[F12] the next epoch continues all heads, one generation above the highest', () => {
    const log = createLog();
    expect(nextGeneration(epochHeads(log.access()))).toBe(1);
    log.must(log.founder, epoch('k1'));
    log.must(log.founder, epoch('k2', ['k1'], 2));
    log.must(log.founder, epoch('k2b'));
    const heads = epochHeads(log.access());
    expect(heads.map((head) => toHex(head.kid)).sort()).toEqual([idOf('k2'), idOf('k2b')].map(toHex).sort());
    expect(nextGeneration(heads)).toBe(3);
    const named = kidsNewestFirst(log.access(), () => true).map(toHex);
    expect(named[0]).toBe(toHex(idOf('k2')));
    expect(named.slice(1)).toEqual([idOf('k1'), idOf('k2b')].map(toHex).sort().reverse());
    expect(kidsNewestFirst(log.access(), (one) => one === toHex(idOf('k1'))).map(toHex)).toEqual([toHex(idOf('k1'))]);
  });
});
