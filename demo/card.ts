import { bindText, h, icon, iconButton, type Item } from './dom.js';
import { makeMovable } from './move.js';
import type { PaneParts } from './device.js';
import type { Card } from './schema.js';
import { count } from './status.js';

interface CardParts extends PaneParts {
  readonly surface: HTMLElement;
  /** The card is about to go, and must not take the focus with it. */
  readonly leave: (card: HTMLElement) => void;
}

/** One card. It is moved by the bar on top: dragged, or with the arrow keys when the bar has the focus. */
export function createCard({ id }: Card, parts: CardParts): Item<Card> {
  const { room, notices, announce, surface, leave } = parts;
  const { cards } = room.data;
  const grip = h('button', { type: 'button', className: 'grip' });
  const text = h('textarea', { maxLength: 140, placeholder: 'Write something', ariaLabel: 'Text of the card' });
  const maker = h('span', { className: 'maker' });
  const vote = h('button', { type: 'button', className: 'vote' });
  const remove = iconButton('close', 'Delete card', () => {
    leave(node);
    notices.attempt(() => cards.delete(id));
  });
  // Grows with the text: what stands behind the field is as high as what is written in it.
  const body = h('div', { className: 'card-body' }, text);
  const node = h('li', { className: 'card' }, grip, body, h('footer', {}, vote, maker, remove));
  node.dataset['id'] = id;

  vote.onclick = () => notices.attempt(() => cards.increment(id, 'votes'));
  const showText = bindText(text, (value) => notices.attempt(() => cards.update(id, { text: value })));
  const grow = (): void => {
    body.dataset['text'] = text.value;
  };
  text.addEventListener('input', grow);
  const showPlace = makeMovable(node, {
    grip,
    surface,
    moved: (to) => {
      notices.attempt(() => cards.update(id, to));
      announce(`Card is ${percent(to.x)} across and ${percent(to.y)} down`);
    },
  });
  return {
    node,
    update: (card) => {
      const meta = cards.meta(id);
      const creator = room.members.value.find((member) => member.id === meta?.createdBy)?.profile;
      const isHereOnly = meta?.delivered === false && room.members.value.length > 1;
      const name = card.text === '' ? 'empty card' : `“${card.text}”`;
      showText(card.text);
      grow();
      showPlace(card);
      node.style.setProperty('--who', creator?.color ?? '');
      node.classList.toggle('here-only', isHereOnly);
      maker.textContent = isHereOnly ? 'only here' : (creator?.name ?? '');
      grip.ariaLabel = `Move ${name} with the arrow keys`;
      vote.ariaLabel = `Vote for ${name}: ${count(card.votes, 'vote')}`;
      vote.replaceChildren(icon('up'), String(card.votes));
      const mayWrite = room.can('write', 'cards');
      text.readOnly = !mayWrite;
      for (const control of [grip, vote, remove]) control.disabled = !mayWrite;
    },
  };
}

function percent(fraction: number): string {
  return `${Math.round(fraction * 100)} %`;
}
