import { button } from './dom.js';
import type { Seat } from './seat.js';

/** Where the panes stand one above the other: leads from the one in view to the other. */
export function createJump(upper: Seat, lower: Seat): HTMLElement {
  let to = lower;
  const jump = button('', () => {
    to.node.focus({ preventScroll: true });
    to.node.scrollIntoView();
  });
  jump.className = 'jump';
  const aim = (isLowerInView: boolean): void => {
    to = isLowerInView ? upper : lower;
    jump.textContent = `${to.name} ${isLowerInView ? '↑' : '↓'}`;
    jump.ariaLabel = `Go to ${to.name}’s device`;
  };
  aim(false);
  // In view is what reaches into the upper half of the window.
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting } of entries) aim(isIntersecting);
    },
    { rootMargin: '0px 0px -50% 0px' },
  );
  watcher.observe(lower.node);
  return jump;
}
