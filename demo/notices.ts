import { isKeeproomError } from 'keeproom';
import { h, iconButton } from './dom.js';

/** What a person has to be told: errors in words, with what they can do. */
export interface Notices {
  readonly node: HTMLElement;
  readonly tell: (text: string, code?: string) => void;
  readonly fail: (error: unknown) => void;
  /** Runs what may be refused; a refusal is told, and null given. */
  readonly attempt: <T>(run: () => T) => T | null;
}

/** Older ones give way: nobody reads a wall of them. */
const maxShown = 3;

export function createNotices(): Notices {
  const node = h('div', { className: 'notices', role: 'alert' });
  const tell: Notices['tell'] = (text, code) => {
    for (const shown of [...node.children]) if (shown.firstChild?.textContent === text) shown.remove();
    const notice = h('div', { className: 'notice' }, h('p', {}, text), code === undefined ? null : h('code', {}, code));
    notice.append(iconButton('close', 'Dismiss', () => notice.remove()));
    node.append(notice);
    if (node.children.length > maxShown) node.firstElementChild?.remove();
  };
  const fail = (error: unknown): void => {
    if (isKeeproomError(error)) {
      // Somebody changed their mind; they know.
      if (error.code !== 'aborted') tell(error.action, error.code);
      return;
    }
    console.error(error);
    tell('Something went wrong here that should not. Reload the page.');
  };
  const attempt = <T>(run: () => T): T | null => {
    try {
      return run();
    } catch (error) {
      fail(error);
      return null;
    }
  };
  return { node, tell, fail, attempt };
}
