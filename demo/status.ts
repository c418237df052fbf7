import type { RoomStatus } from 'keeproom';

/** A state in words, and how much of a worry it is. */
export interface Words {
  readonly tone: 'good' | 'busy' | 'warn' | 'bad';
  readonly text: string;
}

/** What the words depend on beside the room's own status. */
export interface Surroundings {
  readonly memberCount: number;
  /** Names of the others who are online. */
  readonly online: readonly string[];
  readonly isWireCut: boolean;
}

/** Are my edits safe, and does anybody else have them? */
export function safetyWords(status: RoomStatus, { memberCount }: Surroundings): Words {
  const { storage, unsaved, undelivered } = status;
  if (storage === 'starting') return { tone: 'busy', text: 'Opening…' };
  if (storage === 'full') return { tone: 'bad', text: 'Not saved: this device is out of space' };
  if (storage === 'broken') return { tone: 'bad', text: 'Not saved: storage does not answer' };
  if (unsaved > 0) return { tone: 'busy', text: 'Saving…' };
  if (storage === 'memory') return { tone: 'warn', text: 'Kept until this tab closes' };
  if (memberCount < 2) return { tone: 'good', text: 'Saved on this device' };
  if (undelivered > 0) return { tone: 'warn', text: `${count(undelivered, 'edit')} only on this device` };
  return { tone: 'good', text: memberCount === 2 ? 'Everyone has it' : 'Safe on another device too' };
}

/** Whom does this device reach? */
export function networkWords({ network }: RoomStatus, { online, isWireCut }: Surroundings): Words {
  switch (network) {
    case 'offline':
    case 'connecting':
      if (isWireCut) return { tone: 'warn', text: 'Wire is cut' };
      return network === 'offline' ? { tone: 'warn', text: 'Offline' } : { tone: 'busy', text: 'Connecting…' };
    case 'alone':
      return { tone: 'warn', text: 'Alone here' };
    case 'syncing':
      return { tone: 'busy', text: 'Catching up…' };
    case 'up-to-date':
      return { tone: 'good', text: online.length === 0 ? 'Up to date' : `In touch with ${names(online)}` };
  }
}

const roles: Readonly<Record<string, string>> = {
  owner: 'owns the room',
  admin: 'runs the room',
  editor: 'can edit',
  guest: 'can chat',
  viewer: 'can look',
};

export function roleWords(role: string): string {
  return roles[role] ?? role;
}

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

export function initialOf(name: string): string {
  return String.fromCodePoint(name.trim().codePointAt(0) ?? 63).toUpperCase();
}

function names(all: readonly string[]): string {
  const [first = '', second] = all;
  if (second === undefined) return first;
  return all.length === 2 ? `${first} and ${second}` : `${first} and ${all.length - 1} others`;
}
