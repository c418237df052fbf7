import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes, Result } from '../base/index.js';
import { concatBytes, createWriter, toHex } from '../base/index.js';
import {
  aeadSeal,
  deriveKey,
  ed25519PublicKey,
  hedgedNonce,
  labels,
  padme,
  sha256,
  signEd25519,
  verifyStrict,
} from '../crypto/index.js';
import { commitKey, commitment } from '../entry/index.js';
import type { Entry } from '../entry/index.js';
import type { BodyEntry, RunPlace } from './index.js';
import {
  decodePack,
  maxPackBytes,
  maxRawBodyBytes,
  openPack,
  packSealMessage,
  rebuildRun,
  withSealSignature,
} from './index.js';
import {
  arbitraryRun,
  author,
  bodyOf,
  filled,
  headerOf,
  packOf,
  prks,
  readPack,
  roomId,
  runOf,
  sealKid,
  sealer,
  type Written,
} from './run.kit.js';

const written: Written = {
  kind: 0,
  boot: filled(8, 5),
  cap: filled(32, 6),
  kid: sealKid,
  hlcMs: 1_700_000_000_000,
  hlcCtr: 3,
  deps: [filled(32, 8)],
  payload: filled(40, 10),
  isAbsent: false,
};
const dataId = filled(32, 2);
const run = runOf({
  domainId: dataId,
  fromSeq: 5,
  prevId: filled(32, 7),
  written: [written, { ...written, hlcMs: written.hlcMs + 1 }],
});
const pack = packOf(run);
const prk = prks.get(toHex(sealKid)) ?? filled(32, 0);

function codeOf(result: Result<unknown>): string | null {
  return result.ok ? null : result.fault.code;
}

function changed(bytes: Bytes, at: number, value: number): Bytes {
  const out = bytes.slice();
  out[at] = value;
  return out;
}

describe('[PACK-1] the clear header', () => {
  test('[PACK-1] every field lies at its offset', () => {
    const header = headerOf(run);
    const at = (from: number, to: number): string => toHex(pack.subarray(from, to));
    expect(at(0, 4)).toBe('01010000');
    expect(at(4, 6)).toBe('0002');
    expect(at(6, 12)).toBe('000000000005');
    expect(Number.parseInt(at(12, 16), 16)).toBe(pack.length - 296 - 64);
    expect(at(16, 48)).toBe(toHex(dataId));
    expect(at(48, 80)).toBe(toHex(author));
    expect(at(80, 112)).toBe(toHex(run.prevId));
    expect(at(112, 144)).toBe(toHex(run.entries[1]?.id ?? filled(1, 0)));
    expect(at(144, 208)).toBe(toHex(header.endSig));
    expect(at(208, 240)).toBe(toHex(sealKid));
    expect(at(240, 272)).toBe(toHex(sealer));
    expect(at(pack.length - 64, pack.length)).toBe('00'.repeat(64));
    expect(decodePack(pack)).toMatchObject({ ok: true, value: header });
  });

  test.each([
    ['another version', 'pack/malformed', changed(pack, 0, 2)],
    ['another suite', 'pack/malformed', changed(pack, 1, 2)],
    ['an unknown flag', 'pack/malformed', changed(pack, 2, 2)],
    ['a byte that is zero', 'pack/malformed', changed(pack, 3, 1)],
    ['no entries', 'pack/malformed', changed(pack, 5, 0)],
    ['1,025 entries', 'pack/malformed', changed(changed(pack, 4, 4), 5, 1)],
    ['a longer body than there is', 'pack/malformed', changed(pack, 15, (pack[15] ?? 0) + 1)],
    ['a shorter body than there is', 'pack/malformed', changed(pack, 15, (pack[15] ?? 0) - 1)],
    ['a prev before the first entry', 'pack/malformed', changed(pack, 11, 0)],
    ['a seq beyond 48 bits', 'pack/malformed', pack.slice().fill(255, 6, 12)],
    ['a byte more', 'pack/malformed', concatBytes(pack, filled(1, 0))],
    ['nothing', 'pack/malformed', filled(0, 0)],
    ['too much', 'pack/oversized', filled(maxPackBytes + 297, 0)],
  ])('[PACK-1] %s: %s', (_, code, bytes) => {
    expect(codeOf(decodePack(bytes))).toBe(code);
  });

  test('[PACK-1] every truncation is malformed', () => {
    for (let length = 0; length < pack.length; length++)
      expect(codeOf(decodePack(pack.slice(0, length)))).toBe('pack/malformed');
  });
});

describe('[F4] one sealed form', () => {
  test('[F4] a pack opens to the same entries, whatever is in it', () => {
    fc.assert(
      fc.property(arbitraryRun, (some) => {
        const read = readPack(packOf(some));
        expect(read).toEqual({ ok: true, value: some.entries });
      }),
      { numRuns: 150 },
    );
  });

  test('[F4] nothing of an entry stands in the clear but who, where and how many', () => {
    const clear = toHex(pack);
    for (const entry of run.entries) {
      for (const secret of [entry.boot, entry.cap, entry.payload ?? dataId, entry.commit, ...entry.deps])
        expect(clear).not.toContain(toHex(secret));
    }
    expect(clear).not.toContain(toHex(run.entries[0]?.id ?? dataId));
  });

  test('[F4] another holder seals the same run under its own name and epoch, and it is the same run', () => {
    const other = packOf(run, {
      header: { sealer: filled(32, 99), sealKid: filled(32, 0x31) },
      random32: filled(32, 1),
    });
    expect(toHex(other)).not.toContain(toHex(sealer));
    expect(readPack(other)).toEqual({ ok: true, value: run.entries });
  });
});

describe('[PACK-2] the seal', () => {
  test('[PACK-2] every bit of header, nonce and body is under it; the signature of the sealer is not', () => {
    for (let bit = 0; bit < (pack.length - 64) * 8; bit++) {
      const bad = changed(pack, bit >> 3, (pack[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
      expect(readPack(bad).ok, `bit ${String(bit)}`).toBe(false);
    }
    expect(readPack(changed(pack, pack.length - 1, 1)).ok).toBe(true);
  }, 60_000);

  test('[PACK-2] opens in its room, under its epoch and for its sealer only', () => {
    expect(codeOf(readPack(pack, { roomId: filled(32, 2) }))).toBe('pack/bad-seal');
    expect(codeOf(readPack(pack, { prkOf: () => filled(32, 1) }))).toBe('pack/bad-seal');
    expect(codeOf(readPack(changed(pack, 240, 99)))).toBe('pack/bad-seal');
    expect(codeOf(readPack(pack, { prkOf: () => null }))).toBe('pack/unknown-key');
  });

  test('[PACK-2] key, nonce and aad are what the document says', () => {
    const header = headerOf(run);
    const columns = readColumns(pack);
    const plaintext = paddedBody(columns, columns.length, columns.length);
    const aad = concatBytes(roomId, pack.subarray(0, 272));
    const key = deriveKey(prk, labels.pack, header.sealer);
    const nonceKey = deriveKey(prk, labels.nonce, header.sealer);
    const nonce = hedgedNonce({ key: nonceKey, random32: filled(32, 0x70), aad, plaintext });
    expect(toHex(pack.subarray(272, 296))).toBe(toHex(nonce));
    expect(toHex(pack.subarray(296, pack.length - 64))).toBe(toHex(aeadSeal({ key, nonce, aad, plaintext })));
  });

  test('[PACK-2] lengths are those of PADMÉ, and other padding is refused', () => {
    const lengths = [1000, 1003, 1007].map((length) => packOf(run, { columns: filled(length, 1) }).length);
    expect(new Set(lengths).size).toBe(1);
    const columns = filled(1001, 1);
    const sealed = (plaintext: Bytes): Bytes => sealRaw(plaintext);
    const good = paddedBody(columns, 1001, 1001);
    expect(openRaw(sealed(good)).ok).toBe(true);
    expect(codeOf(openRaw(sealed(concatBytes(good, filled(32, 0)))))).toBe('pack/bad-body');
    expect(codeOf(openRaw(sealed(good.slice(0, 1009))))).toBe('pack/bad-body');
    expect(codeOf(openRaw(sealed(changed(good, good.length - 1, 1))))).toBe('pack/bad-body');
  });

  test('[F24] lengths in a body are bounded before anything is done with them', () => {
    const columns = filled(100, 1);
    const cases: readonly (readonly [number, number])[] = [
      [101, 100],
      [100, 99],
      [100, 2 ** 32 - 1],
      [maxRawBodyBytes + 1, 100],
    ];
    for (const [raw, stored] of cases)
      expect(codeOf(openRaw(sealRaw(paddedBody(columns, raw, stored))))).toBe('pack/bad-body');
    expect(codeOf(openRaw(sealRaw(filled(7, 0))))).toBe('pack/bad-seal');
    const deflated = sealRaw(paddedBody(columns, maxRawBodyBytes, 100), true);
    expect(openRaw(deflated)).toEqual({ ok: true, value: { stored: columns, rawLength: maxRawBodyBytes } });
    expect(codeOf(openRaw(sealRaw(paddedBody(columns, maxRawBodyBytes + 1, 100), true)))).toBe('pack/bad-body');
  });
});

describe('[F2] the sealer’s signature', () => {
  const seed = filled(32, 77);

  test('[F2] covers room, header and ciphertext by hash, and stands behind them', () => {
    const message = packSealMessage(roomId, pack);
    expect(toHex(message)).toBe(toHex(labels.pack) + toHex(roomId) + toHex(sha256(pack.subarray(0, pack.length - 64))));
    const signed = withSealSignature(pack, signEd25519(seed, message));
    expect(signed.length).toBe(pack.length);
    const read = decodePack(signed);
    if (!read.ok) throw new TypeError(read.fault.code);
    expect(verifyStrict(ed25519PublicKey(seed), packSealMessage(roomId, signed), read.value.sealSig)).toBe(true);
    expect(readPack(signed)).toEqual(readPack(pack));
  });

  test('[F2] says nothing of a copy in which anything else was changed', () => {
    const signed = withSealSignature(pack, signEd25519(seed, packSealMessage(roomId, pack)));
    const signature = signed.subarray(signed.length - 64);
    for (const at of [4, 100, 150, 280, 300, signed.length - 65]) {
      const bad = changed(signed, at, (signed[at] ?? 0) ^ 1);
      expect(verifyStrict(ed25519PublicKey(seed), packSealMessage(roomId, bad), signature)).toBe(false);
    }
  });
});

describe('[PACK-5] rebuilding', () => {
  test('[PACK-5] a run that does not end in the signed id is a bad copy', () => {
    expect(codeOf(readPack(packOf(run, { header: { endId: filled(32, 1) } })))).toBe('pack/bad-end');
    expect(codeOf(readPack(packOf(run, { header: { prevId: filled(32, 9) } })))).toBe('pack/bad-end');
    expect(codeOf(readPack(packOf(run, { header: { fromSeq: 6 } })))).toBe('pack/bad-end');
    expect(codeOf(readPack(packOf(run, { header: { author: sealer } })))).toBe('pack/bad-end');
    expect(codeOf(readPack(packOf(run, { header: { domainId: filled(32, 99) } })))).toBe('pack/bad-end');
    expect(codeOf(readPack(packOf(run, { header: { count: 1 } })))).toBe('pack/bad-body');
  });

  test('[F1] junk in the place of a payload is a bad copy, never another entry: the id that was signed is not met', () => {
    const junk = runOf({
      ...run,
      written: [
        { ...written, payload: filled(40, 66) },
        { ...written, hlcMs: written.hlcMs + 1 },
      ],
    });
    const bad = packOf(junk, { header: { endId: run.entries[1]?.id ?? filled(32, 0) } });
    expect(codeOf(readPack(bad))).toBe('pack/bad-end');
  });

  test('[F1] an entry whose payload a copy has lost is the same entry', () => {
    const lost = { ...run, entries: run.entries.map((entry, i) => (i === 0 ? { ...entry, payload: null } : entry)) };
    const read = readPack(packOf(lost));
    if (!read.ok) throw new TypeError(read.fault.code);
    expect(read.value.map((entry) => toHex(entry.id))).toEqual(run.entries.map((entry) => toHex(entry.id)));
    expect(read.value[0]?.payload).toBeNull();
  });

  test('[F1] a payload whose epoch is not held waits; one that is absent does not need it', () => {
    const isHeld = (kid: string): Bytes | null => (kid === toHex(sealKid) ? prk : null);
    const other = runOf({ ...run, written: [{ ...written, kid: filled(32, 0x31) }] });
    expect(codeOf(readPack(packOf(other), { prkOf: isHeld }))).toBe('pack/unknown-key');
    const lost = { ...other, entries: other.entries.map((entry) => ({ ...entry, payload: null })) };
    expect(readPack(packOf(lost), { prkOf: isHeld })).toEqual({ ok: true, value: lost.entries });
  });

  test('[ENT-2] genesis alone has a zero room, and only as the first entry of its chain', () => {
    const zeros = filled(32, 0);
    const genesis = runOf({
      domainId: zeros,
      fromSeq: 0,
      prevId: zeros,
      written: [{ ...written, kind: 1, kid: zeros, deps: [] }],
    });
    const [entry] = genesis.entries;
    const body = entry && bodyOf(entry);
    if (!entry || !body) throw new TypeError('expected an entry');
    const place = { domainId: zeros, author, prevId: zeros, endId: null };
    const rebuilt = readBodies({ ...place, fromSeq: 0 }, [body]);
    expect(rebuilt.map((one) => toHex(one.roomId))).toEqual(['00'.repeat(32)]);
    expect(readBodies({ ...place, fromSeq: 1 }, [body]).map((one) => toHex(one.roomId))).toEqual([toHex(roomId)]);
    expect(readBodies({ ...place, fromSeq: 0 }, [{ ...body, kind: 2 }])[0]?.roomId).toEqual(roomId);
  });

  test('[PACK-5] control commits under zeros, so everybody can check it; its kid asks for no key', () => {
    const zeros = filled(32, 0);
    const control = runOf({
      domainId: zeros,
      fromSeq: 3,
      prevId: filled(32, 8),
      written: [{ ...written, kind: 2, kid: zeros }],
    });
    expect(control.entries[0]?.commit).toEqual(commitment(commitKey(null, zeros, author), 3, written.payload));
    const read = readPack(packOf(control), { prkOf: (kid) => (kid === toHex(sealKid) ? prk : null) });
    expect(read).toEqual({ ok: true, value: control.entries });
  });
});

function readBodies(place: Omit<RunPlace, 'roomId'>, bodies: readonly BodyEntry[]): readonly Entry[] {
  const read = rebuildRun({ roomId, ...place }, bodies, (kid) => prks.get(kid) ?? null);
  if (!read.ok) throw new TypeError(read.fault.code);
  return read.value;
}

function paddedBody(stored: Bytes, rawLength: number, storedLength: number): Bytes {
  const out = new Uint8Array(padme(8 + stored.length));
  out.set(createWriter(8).u32(rawLength).u32(storedLength).done());
  out.set(stored, 8);
  return out;
}

/** A pack whose sealed plaintext is exactly this. */
function sealRaw(plaintext: Bytes, deflated = false): Bytes {
  const head = concatBytes(
    pack.subarray(0, 12),
    createWriter(4)
      .u32(plaintext.length + 16)
      .done(),
    pack.subarray(16, 272),
  );
  head[2] = deflated ? 1 : 0;
  const nonce = filled(24, 1);
  const key = deriveKey(prk, labels.pack, sealer);
  return concatBytes(head, nonce, aeadSeal({ key, nonce, aad: concatBytes(roomId, head), plaintext }), filled(64, 0));
}

function openRaw(bytes: Bytes): ReturnType<typeof openPack> {
  const read = decodePack(bytes);
  return read.ok ? openPack(read.value, { prk, roomId }) : read;
}

function readColumns(bytes: Bytes): Bytes {
  const opened = openRaw(bytes);
  if (!opened.ok) throw new TypeError(opened.fault.code);
  return opened.value.stored;
}

test('[PACK-2] a deflated form that is no smaller is a bad body: no copy is larger than what is in it', () => {
  const run = fc.sample(arbitraryRun, { seed: 3, numRuns: 1 })[0];
  if (run === undefined) throw new TypeError('expected a run');
  const [plain, deflated] = [packOf(run), packOf(run, { header: { deflated: true } })].map((bytes) => {
    const pack = decodePack(bytes);
    return pack.ok ? openPack(pack.value, { prk: prks.get(toHex(sealKid)) ?? filled(32, 0), roomId }) : pack;
  });
  expect(plain?.ok).toBe(true);
  expect(deflated).toMatchObject({ ok: false, fault: { code: 'pack/bad-body' } });
});
