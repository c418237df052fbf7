import { h, iconButton, keyed, type Item } from './dom.js';
import type { PaneParts } from './device.js';
import type { Message } from './schema.js';

/** The chat. Messages are owned: only who wrote one, or who looks after the room, can delete it. */
export function createChat(parts: PaneParts): HTMLElement {
  const { room, notices } = parts;
  const list = h('ol', { className: 'messages-list' });
  const log = h('div', { className: 'messages', role: 'log', ariaLabel: 'Messages', tabIndex: 0 }, list);
  const field = h('input', { className: 'grow', maxLength: 500, ariaLabel: 'Message', autocomplete: 'off' });
  const send = h('button', { type: 'submit', className: 'primary' }, 'Send');
  const form = h('form', { className: 'say' }, field, send);
  const show = keyed<Message>(list, (message) => createMessage(message, parts));

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const body = field.value.trim();
    if (body === '') return;
    if (notices.attempt(() => room.data.messages.insert({ body })) !== null) field.value = '';
  });
  let lastShown = '';
  const render = (): void => {
    const messages = room.data.messages.value;
    show(messages);
    const last = messages.at(-1)?.id ?? '';
    if (last !== lastShown) log.scrollTop = 0;
    lastShown = last;
    const maySay = room.can('write', 'messages');
    field.disabled = send.disabled = !maySay;
    field.placeholder = maySay ? 'Say something' : 'You can read along here';
  };
  room.data.messages.subscribe(render);
  room.members.subscribe(render);
  room.status.subscribe(render);
  return h('section', { className: 'chat' }, h('h3', {}, 'Chat'), log, form);
}

function createMessage({ id }: Message, { room, notices }: PaneParts): Item<Message> {
  const by = h('span', { className: 'by' });
  const body = h('p');
  const remove = iconButton('close', 'Delete message', () => notices.attempt(() => room.data.messages.delete(id)));
  const node = h('li', { className: 'message' }, by, body, remove);
  return {
    node,
    update: (message) => {
      const meta = room.data.messages.meta(id);
      const author = room.members.value.find((member) => member.id === meta?.createdBy);
      const isMine = author?.id === room.me.value.id;
      const isHereOnly = meta?.delivered === false && room.members.value.length > 1;
      node.classList.toggle('mine', isMine);
      node.classList.toggle('here-only', isHereOnly);
      node.style.setProperty('--who', author?.profile.color ?? '');
      body.textContent = message.body;
      const when = meta === null ? '' : timeWords(meta.createdAt);
      by.textContent = [isMine ? 'You' : (author?.profile.name ?? 'Somebody'), isHereOnly ? 'only here' : when].join(
        ' · ',
      );
      remove.hidden = !isMine && !room.can('manageRecords');
    },
  };
}

function timeWords(at: Date): string {
  return at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}
