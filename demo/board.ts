import { createCard } from './card.js';
import { bindText, button, h, icon, keyed } from './dom.js';
import { apart, freePlace } from './place.js';
import type { Card } from './schema.js';
import type { PaneParts } from './device.js';

/** The shared board: cards that anybody who may edit can move, write on, vote for and delete. */
export function createBoard(parts: PaneParts): HTMLElement {
  const { room, notices } = parts;
  const surface = h('ul', { className: 'board', ariaLabel: 'Cards' });
  const empty = h('p', { className: 'board-empty' }, 'No cards yet.');
  const add = button('Add card', addCard, 'primary');
  add.prepend(icon('plus'));
  const show = keyed<Card>(surface, (card) => createCard(card, { ...parts, surface, leave }));

  function addCard(): void {
    const inserted = notices.attempt(() => room.data.cards.insert(freePlace(surface, room)));
    if (inserted !== null) surface.querySelector<HTMLElement>(`[data-id="${inserted.id}"] textarea`)?.focus();
  }
  /** Focus goes to the neighbour of a card that is about to go. */
  function leave(card: HTMLElement): void {
    const next = (card.nextElementSibling ?? card.previousElementSibling)?.querySelector('textarea');
    (next ?? add).focus();
  }

  const render = (): void => {
    const cards = apart(room.data.cards.value);
    show(cards);
    empty.hidden = cards.length > 0;
    add.disabled = !room.can('write', 'cards');
  };
  room.data.cards.subscribe(render);
  // Who made a card, how far it got and what I may do here is shown too.
  room.members.subscribe(render);
  room.status.subscribe(render);
  return h(
    'section',
    { className: 'board-section' },
    h('header', { className: 'section-head' }, createTitle(parts), add),
    h('div', { className: 'board-frame' }, surface, empty),
  );
}

/** The room's title: a heading for most, a field for who may change it. */
function createTitle({ room, notices }: PaneParts): HTMLElement {
  const field = h('input', { className: 'room-title', ariaLabel: 'Title of the room', maxLength: 60 });
  const show = bindText(field, (title) => notices.attempt(() => room.rename(title.trim())));
  room.title.subscribe(show);
  room.me.subscribe(() => (field.readOnly = !room.can('manageRecords')));
  return field;
}
