import { expect, test } from 'vitest';
import type { Bytes } from '../base/index.js';
import { fromHex } from '../base/index.js';
import type { ClaimCase } from './index.js';
import { bookTtlMs, claimDelay, createClaimBook, isSuppressed, maxBookRequests, penaltiesMs, rankIn } from './index.js';

function step(length: number, first: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => first + i);
}

function deviceOf(n: number): Bytes {
  return Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? n : i));
}

const reqId = step(16, 0xc0);
const roster = Array.from({ length: 20 }, (_, i) => deviceOf(i));
const byRank = [...roster].sort((a, b) => rankIn({ reqId, me: a, roster }) - rankIn({ reqId, me: b, roster }));

function caseOf(me: Bytes | undefined, change: Partial<ClaimCase> = {}): ClaimCase {
  if (me === undefined) throw new TypeError('no device');
  return { reqId, me, roster, coverage: 255, penaltyMs: 0, prefer: null, random: 0.5, ...change };
}

/** Of four devices, by SHA-256 over label, request and device; made by an independent implementation. */
const expectedRanks = [1, 3, 2, 0];
const firstOfFour = '79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664';

test('[X6] ranks: vector of an independent implementation; a permutation, another for each request', () => {
  const first = fromHex(firstOfFour);
  if (first === null) return expect.fail('hexadecimal');
  const four = [first, step(32, 0x90), step(32, 0x11), step(32, 0x91)];
  expect(four.map((me) => rankIn({ reqId, me, roster: four }))).toEqual(expectedRanks);
  expect(byRank.map((me) => rankIn({ reqId, me, roster }))).toEqual(roster.map((_, i) => i));
  const other = roster.map((me) => rankIn({ reqId: step(16, 0xc1), me, roster }));
  expect(other).not.toEqual(roster.map((me) => rankIn({ reqId, me, roster })));
  expect(rankIn({ reqId, me: deviceOf(99), roster: [...roster, deviceOf(99)] })).toBe(
    rankIn({ reqId, me: deviceOf(99), roster }),
  );
});

test('[X6] delay: a slot per rank, coverage and penalties on top; nothing to add is never', () => {
  expect(byRank.slice(0, 8).map((me) => claimDelay(caseOf(me)))).toEqual([0, 120, 240, 360, 480, 600, 720, 840]);
  const [first] = byRank;
  expect(claimDelay(caseOf(first, { coverage: 0 }))).toBe(null);
  expect(claimDelay(caseOf(first, { coverage: 0, prefer: 'me' }))).toBe(null);
  expect(claimDelay(caseOf(first, { coverage: 51 }))).toBe(480);
  expect(claimDelay(caseOf(first, { penaltyMs: penaltiesMs.hidden + penaltiesMs.perServe }))).toBe(550);
  expect(claimDelay(caseOf(byRank[5], { prefer: 'me', penaltyMs: 400 }))).toBe(0);
  expect(claimDelay(caseOf(byRank[1], { prefer: 'other' }))).toBe(520);
});

test('[X6] delay: ranks behind the slots draw within a second, rarely early', () => {
  const delays = Array.from({ length: 1000 }, (_, i) => claimDelay(caseOf(byRank[12], { random: i / 1000 })) ?? -1);
  expect(Math.min(...delays)).toBe(960);
  expect(Math.max(...delays)).toBeLessThanOrEqual(1960);
  expect(delays).toEqual([...delays].sort((a, b) => a - b));
  expect(delays.filter((delay) => delay < 1460).length / 1000).toBeLessThan(0.25);
  expect(claimDelay(caseOf(byRank[8], { random: 0 }))).toBe(960);
});

test('[X6] suppression: as many others as are wanted, distinct, not excluded, not worse by more than a tenth', () => {
  const [me, a, b, c] = [deviceOf(0), deviceOf(1), deviceOf(2), deviceOf(3)];
  const base = { exclude: [], want: 1, me, coverage: 200 };
  const claim = (claimer: Bytes, coverage = 255): { claimer: Bytes; coverage: number } => ({ claimer, coverage });
  expect(isSuppressed({ ...base, claims: [] })).toBe(false);
  expect(isSuppressed({ ...base, claims: [claim(a)] })).toBe(true);
  expect(isSuppressed({ ...base, claims: [claim(a, 174)] })).toBe(true);
  expect(isSuppressed({ ...base, claims: [claim(a, 173)] })).toBe(false);
  expect(isSuppressed({ ...base, want: 2, claims: [claim(a), claim(a)] })).toBe(false);
  expect(isSuppressed({ ...base, want: 2, claims: [claim(a), claim(b, 190)] })).toBe(true);
  expect(isSuppressed({ ...base, exclude: [a], claims: [claim(a)] })).toBe(false);
  expect(isSuppressed({ ...base, exclude: [a], claims: [claim(a), claim(c)] })).toBe(true);
  expect(isSuppressed({ ...base, claims: [claim(me)] })).toBe(false);
});

test('[X6] book: a copy of a request is not a new one, a further attempt forgets the claims before it', () => {
  const book = createClaimBook();
  book.hear(reqId, { claimer: deviceOf(1), coverage: 9 }, 0);
  expect(book.open(reqId, 0, 1)).toBe(true);
  expect(book.claims(reqId)).toHaveLength(1);
  expect(book.open(reqId, 0, 2)).toBe(false);
  book.hear(reqId, { claimer: deviceOf(2), coverage: 9 }, 3);
  expect(book.claims(reqId)).toHaveLength(2);
  expect(book.open(reqId, 1, 4)).toBe(true);
  expect(book.claims(reqId)).toEqual([]);
  expect(book.open(reqId, 0, 5)).toBe(false);
  expect(book.open(reqId, 1, 4 + bookTtlMs)).toBe(true);
});

test('[X6] book: bounded in requests, in claims and in time', () => {
  const book = createClaimBook();
  const idOf = (n: number): Bytes => Uint8Array.from({ length: 16 }, (_, i) => (i < 2 ? n >> (8 * i) : 0));
  for (let i = 0; i < maxBookRequests + 1; i++) book.open(idOf(i), 0, i);
  expect(book.open(idOf(0), 0, 300)).toBe(true);
  expect(book.open(idOf(200), 0, 300)).toBe(false);
  for (let i = 0; i < 1000; i++) book.hear(reqId, { claimer: deviceOf(i), coverage: 1 }, 300);
  expect(book.claims(reqId)).toHaveLength(64);
  expect(book.open(step(16, 9), 0, 300 + bookTtlMs)).toBe(true);
  expect(book.claims(reqId)).toEqual([]);
});
