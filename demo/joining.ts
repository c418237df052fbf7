import type { Join, JoinState } from 'keeproom';
import { button, h } from './dom.js';
import type { DemoSchema } from './schema.js';

const steps = [
  { step: 'connecting', text: 'Looking for somebody in the room' },
  { step: 'waiting-for-host', text: 'Asking to be let in' },
  { step: 'loading', text: 'Receiving keys and history' },
] as const satisfies readonly { step: JoinState['step']; text: string }[];

/** How long a join may take before it is worth saying what it may be waiting for. */
const patienceMs = 5_000;

/** A join under way, step by step; `again` leads back when it was cancelled or failed. */
export function createJoinView(join: Join<DemoSchema>, again: () => void): HTMLElement {
  const items = steps.map(({ text }) => h('li', {}, text));
  const bar = h('progress', { max: 1, value: 0, ariaLabel: 'How far the join got' });
  const words = h('p', { role: 'status' });
  const hint = h('p', { role: 'status' });
  const leave = button('Cancel', () => {
    join.cancel();
    again();
  });
  const timer = setTimeout(() => {
    hint.textContent =
      'Nobody has answered yet. Somebody who is in the room must have it open, online, for you to get in. Leave this open: it goes on asking.';
  }, patienceMs);
  const endHint = (): void => {
    clearTimeout(timer);
    hint.textContent = '';
  };
  join.state.subscribe(({ step, progress, error }) => {
    const at = steps.findIndex((known) => known.step === step);
    items.forEach((item, n) => {
      item.classList.toggle('done', step === 'joined' || n < at);
      item.ariaCurrent = n === at ? 'step' : 'false';
    });
    bar.value = progress;
    // Before that there is nothing to measure.
    bar.hidden = step !== 'loading';
    if (step !== 'connecting' && step !== 'waiting-for-host') endHint();
    // The steps are seen in the list; here they are said to people who hear the page.
    words.className = step === 'failed' ? 'went-wrong' : 'visually-hidden';
    words.textContent = step === 'failed' ? (error?.action ?? 'The join did not work.') : (steps[at]?.text ?? '');
    if (error !== null) words.append(' ', h('code', {}, error.code));
    if (step === 'failed') leave.textContent = 'Try again';
  });
  return h(
    'div',
    { className: 'lobby' },
    h('h3', {}, 'Joining'),
    h('ol', { className: 'steps' }, ...items),
    bar,
    hint,
    words,
    leave,
  );
}
