import { equalBytes, toHex, type Bytes } from '../../../../src/core/base/index.js';
import { headMessage } from '../../../../src/core/entry/index.js';
import { maxResumeHeads, type Resume, type ResumeHead } from '../../../../src/core/wire/index.js';
import { domainOf, domainsInOrder, idAt } from '../../replica/index.js';
import { bump, type RoomCore } from '../core.js';
import { loadPlaces } from '../hydrate.js';
import type { Step } from '../step.js';

/** Nobody eligible answered while somebody effective was here this long: cleared, counted as unverified (F10). */
const clearanceWaitMs = 5_000;

/** Whether this start may sign, and why not yet (format.md F10). */
export interface Clearance {
  readonly isCleared: () => boolean;
  /** Null, or the code that keeps this device from ever signing again in this room. */
  readonly blocked: () => string | null;
  /**
   * The answer of a peer to my probe: my own heads as it holds them. `behind`: one that I do not hold, a tail to fetch. I
   * signed it, so it counts from anybody; that nothing is lost counts from whom I know as a member alone.
   */
  readonly answered: (peer: Bytes, heads: readonly ResumeHead[]) => Promise<'clear' | 'behind' | 'ignored'>;
  /** Own entries came from the network: was it a lost tail, or does another copy of this device write? */
  readonly ownEntries: (step: Step, boots: readonly Bytes[]) => void;
  /** Another copy of this device has signed for a place of its own chain (F6): never again. */
  readonly ownFork: () => void;
  /** Somebody effective is here; starts the wait of {@link clearanceWaitMs}. */
  readonly peerHere: () => void;
  /** It is on the disk that the join is over: from here on an entry may be signed. */
  readonly joined: () => void;
  readonly stop: () => void;
}

/**
 * What this start of a room is. `new`: the room and this device's key for it were made in it. `join`: the key has signed
 * nothing either, in whatever start it was made, and signs nothing before the join is over: a later start that takes the
 * join up could not know of it. `again`: the key may have signed.
 */
export type StartKind = 'new' | 'join' | 'again';

/** See {@link Clearance}. */
export function createClearance(
  core: RoomCore,
  o: { readonly start: StartKind; readonly changed: () => void },
): Clearance {
  const { access } = core.state;
  const eligible = new Set([...access.devices.keys()].filter((device) => device !== core.device));
  const isFounders = core.state.log[0]?.author === core.device;
  const isAlone = isFounders && [...access.grants.values()].every((grant) => grant.subject === core.device);
  const isOff = core.ports.weaknesses?.has('resume-probe') === true;
  let cleared = o.start !== 'again' || isAlone || isOff;
  let isJoining = o.start === 'join';
  let above: readonly ResumeHead[] = [];
  let stopWait: (() => void) | null = null;

  /** Once what is in memory is stored: a tail whose commit fails is lost again. */
  const clear = (how: string): void => {
    core.loop.afterCommit(() => {
      if (cleared || core.blocked !== null || !above.every(isHeld)) return;
      cleared = true;
      if (above.length > 0) bump(core, 'tailsRecovered');
      above = [];
      stopWait?.();
      bump(core, how);
      o.changed();
    });
  };
  const isHeld = ({ domainId, seq, entryId }: ResumeHead): boolean => {
    const mine = idAt(domainOf(core.state, toHex(domainId))?.chainsByAuthor.get(core.device), seq);
    return mine !== undefined && equalBytes(mine, entryId);
  };
  return {
    isCleared: () => cleared && !isJoining && core.blocked === null,
    blocked: () => core.blocked,
    answered: async (peer, heads) => {
      if (isOff) return 'ignored';
      const verified = await Promise.all(heads.map((head) => isMine(core, head)));
      await loadPlaces(
        core,
        heads.flatMap((head, i) => (verified[i] === true ? [{ ...head, author: core.keys.deviceId }] : [])),
      );
      const tail = heads.filter((head, i) => verified[i] === true && !isHeld(head));
      if (tail.length > 0) {
        // Also when another, who lacks the tail, was quicker: what is signed from here on would be a fork for certain.
        cleared = false;
        // Another may have told of other domains, or of more: all of it has to be here.
        const isBeyond = (one: ResumeHead): boolean =>
          !tail.some(({ domainId, seq }) => equalBytes(domainId, one.domainId) && seq >= one.seq);
        above = [...above.filter(isBeyond), ...tail];
        stopWait?.();
        stopWait = null;
        return 'behind';
      }
      if (!access.devices.has(toHex(peer)) && !core.state.access.devices.has(toHex(peer))) return 'ignored';
      // Somebody else who lacks the tail does not make it go away.
      if (eligible.has(toHex(peer)) && above.length === 0) clear('resumed');
      return 'clear';
    },
    ownEntries: (step, boots) => {
      const known = new Set(core.row.boots);
      if (boots.some((boot) => !known.has(toHex(boot)))) {
        core.blocked ??= 'device/cloned';
        // With the entries that tell: a restart must not forget it.
        step.ops.push({ do: 'put', table: 'state', key: [core.room, 'blocked'], value: core.blocked });
        o.changed();
      } else if (above.length > 0) clear('resumed');
    },
    ownFork: () => {
      if (core.blocked !== null) return;
      core.blocked = 'device/forked';
      stopWait?.();
      o.changed();
    },
    peerHere: () => {
      if (cleared || stopWait !== null || above.length > 0) return;
      stopWait = core.ports.time.after(clearanceWaitMs, () => {
        clear('resumed-unverified');
      });
    },
    joined: () => {
      isJoining = false;
      o.changed();
    },
    stop: () => stopWait?.(),
  };
}

/** Only what this device itself signed says anything about it: a peer cannot make up a head. */
async function isMine(core: RoomCore, head: ResumeHead): Promise<boolean> {
  const message = headMessage(core.roomId, head.domainId, { seq: head.seq, id: head.entryId });
  const [isGood] = await core.ports.vault.verify([{ publicKey: core.keys.deviceId, message, signature: head.sig }]);
  return isGood === true;
}

/** What this device holds of a peer's own chains: the answer to its probe. */
export function resumeFor(core: RoomCore, peer: { readonly device: Bytes; readonly session: Bytes }): Resume {
  const heads: ResumeHead[] = [];
  const author = toHex(peer.device);
  for (const domainHex of domainsInOrder(core.state)) {
    const domain = domainOf(core.state, domainHex);
    const chain = domain?.chainsByAuthor.get(author);
    if (!domain || !chain?.signed || heads.length >= maxResumeHeads) continue;
    heads.push({
      domainId: domain.id,
      seq: chain.signed.seq,
      entryId: chain.signed.id,
      sig: chain.signed.sig,
      boot: chain.signed.boot,
    });
  }
  return { device: peer.device, session: peer.session, heads };
}

/** Whether an answer is to this device and to its present session: an old one, sent again, would clear a device whose tail is lost. */
export function isToMe(core: RoomCore, at: { readonly session: Bytes }, resume: Resume): boolean {
  return equalBytes(resume.device, core.keys.deviceId) && equalBytes(resume.session, at.session);
}
