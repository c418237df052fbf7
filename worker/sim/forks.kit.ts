/** The one way an honest chain may fork: its disk was put back, and nobody who could have known better was there to say so. */
import { fromHex, toHex, type Bytes } from '../../src/core/base/index.js';
import { decodeEnvelope, decodeResume, openEnvelope, splitSigned, type Resume } from '../../src/core/wire/index.js';
import { kidOfTag } from '../engine/room/net/link.js';
import type { Audit } from './audit.kit.js';
import type { Person } from './person.kit.js';
import type { Scene } from './scene.kit.js';
import { addressesOf } from './trouble.kit.js';

type Audits = ReadonlyMap<Person, Audit>;

/** Whether this device's own chain has a fork. */
export function hasForked({ core }: Audit): boolean {
  return [...core.state.forks.keys()].some((key) => key.endsWith(`/${core.device}`));
}

/**
 * Whether this device's grant has fallen with a branch of the founder's control: it is no member any more, so no content
 * goes there, and what it wrote has no effect. Control alone still has to say the same to it as to all.
 */
export function isCastOut({ core }: Audit): boolean {
  const isForked = [...core.state.forks.values()].some(({ winners }) => winners.size > 0);
  return isForked && !core.state.access.devices.has(core.device);
}

/** Every fork of an honest chain is typed, and was made when all who had answered lacked the tail (F10). */
export function judgeForks(scene: Scene, audits: Audits, fail: (text: string) => void): void {
  for (const [person, audit] of audits) {
    for (const [key, fork] of audit.core.state.forks) {
      const [domain, author] = key.split('/');
      if (author !== audit.core.device || domain === undefined) continue;
      scene.incidents.set('own fork', (scene.incidents.get('own fork') ?? 0) + 1);
      const blocked = person.page()?.view.info?.blocked ?? null;
      if (blocked === null) fail(`${person.name} has forked and may still sign`);
      judgeFork(scene, audits, { person, domain, seq: fork.end ?? Math.min(...fork.winners.keys()) }, fail);
    }
  }
}

interface OwnFork {
  readonly person: Person;
  readonly domain: string;
  readonly seq: number;
}

function judgeFork(scene: Scene, audits: Audits, o: OwnFork, fail: (text: string) => void): void {
  const { person, domain, seq } = o;
  const [restored] = person.restored;
  if (restored === undefined) return fail(`${person.name} has forked at ${String(seq)} and was never restored`);
  const again = person.device.signed.find((s) => s.domain === domain && s.seq >= seq && s.atMs >= restored.atMs);
  for (const { atMs, from, resume } of answersTo(scene, audits, person)) {
    if (again === undefined || atMs >= again.atMs) continue;
    if (resume.heads.some((head) => toHex(head.domainId) === domain && head.seq >= seq))
      fail(`${person.name} has forked at ${String(seq)}, though ${from} had told it of more`);
  }
}

/** What honest people said, in their answers to this device's sessions since it was restored, of its own heads. */
function* answersTo(
  scene: Scene,
  audits: Audits,
  person: Person,
): Generator<{ atMs: number; from: string; resume: Resume }> {
  const [restored] = person.restored;
  const sessions = new Set(
    addressesOf(person).flatMap((address) => [...scene.world.sessionsOf(address, restored?.atMs ?? Infinity)]),
  );
  for (const { atMs, frame, from } of person.answers) {
    const sender = [...audits].find(([other]) => other.name === from.split('.')[0])?.[1];
    const resume = sender === undefined ? null : readResume(sender, frame);
    const session = resume && toHex(resume.session);
    const isBound = person.echoes.some((one) => one.from === from && one.session === session && one.atMs <= atMs);
    if (resume !== null && isBound && sessions.has(toHex(resume.session))) yield { atMs, from, resume };
  }
}

function readResume({ core }: Audit, frame: Bytes): Resume | null {
  const envelope = decodeEnvelope(frame);
  const kid = envelope.ok ? kidOfTag(core, envelope.value.kidTag) : envelope;
  const prk = kid.ok ? core.state.prks.get(toHex(kid.value)) : undefined;
  const sender = fromHex(core.device);
  if (!envelope.ok || !kid.ok || prk === undefined || sender === null) return null;
  const opened = openEnvelope(envelope.value, { roomId: core.roomId, kid: kid.value, prk, sender });
  const split = opened.ok ? splitSigned(opened.value) : opened;
  const resume = split.ok ? decodeResume(split.value.message) : split;
  return resume.ok ? resume.value : null;
}
