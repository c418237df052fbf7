import { briefHex } from '../core/base/index.js';
import { expect } from '../view/index.js';

/** The invite code in a fragment, alone or beside others; what stands before it is kept. */
const inFragment = /(^#?|&)keeproom=([\w-]+)/;

/** The address of this page; a server renders without one. */
function currentAddress(): Location | undefined {
  return (globalThis as { readonly location?: Location }).location;
}

/**
 * The invite code in the page's address, or null; it is taken out of the address bar and the history entry at once,
 * because whoever has it can join. Where there is no page: null.
 */
export function takeInvite(from: Location | undefined = currentAddress()): string | null {
  const match = inFragment.exec(from?.hash ?? '');
  if (from === undefined || match === null) return null;
  const rest = from.hash.replace(inFragment, match[1] === '&' ? '' : '#').replace(/^#&?/, '#');
  if (from === currentAddress()) {
    history.replaceState(history.state, '', from.pathname + from.search + (rest === '#' ? '' : rest));
  }
  return match[2] ?? null;
}

/** The room of an invite's link or code, in hex; null when there is no code in it. The engine judges the code. */
export function invitedRoom(from: string): string | null {
  const code = /(?:^\s*|keeproom=)([\w-]{71})(?![\w-])/.exec(from)?.[1];
  if (code === undefined) return null;
  // Version, then the room's id (format.md X9).
  const bytes = atob(code.slice(0, 44).replaceAll('-', '+').replaceAll('_', '/'));
  return briefHex(Uint8Array.from(bytes.slice(1), (char) => char.charCodeAt(0)));
}

/** The address of `page` with the code in its fragment; anything else there gives way. */
export function inviteLink(code: string, page: string | URL | undefined): string {
  const address = page ?? currentAddress()?.href;
  expect(typeof address === 'string' || address instanceof URL, 'page', 'a text or a URL', address);
  const url = new URL(address, currentAddress()?.href);
  url.hash = `keeproom=${code}`;
  return url.href;
}
