import type { Member } from 'keeproom';
import { button, h, keyed, type Item } from './dom.js';
import type { PaneParts } from './device.js';
import { initialOf, roleWords } from './status.js';

/** Who is in the room, what they may do, and whether they are here now. */
export function createPeople(parts: PaneParts): HTMLElement {
  const { room } = parts;
  const list = h('ul', { className: 'people-list' });
  const show = keyed<Member>(list, () => createPerson(parts));
  room.members.subscribe(show);
  return h('section', { className: 'people' }, h('h3', {}, 'People'), list);
}

function createPerson({ room, notices }: PaneParts): Item<Member> {
  const face = h('span', { className: 'avatar small', ariaHidden: 'true' });
  const name = h('span', { className: 'name' });
  const detail = h('span', { className: 'hint' });
  const rename = button('Rename', () => edit(true), 'quiet');
  const field = h('input', { className: 'grow', ariaLabel: 'Your name', maxLength: 64, required: true });
  const form = h('form', { className: 'rename', hidden: true }, field, h('button', { type: 'submit' }, 'Save'));
  const words = h('div', { className: 'person-words' }, name, detail);
  const node = h('li', { className: 'person' }, face, words, form, rename);

  let isEditing = false;
  const edit = (isOn: boolean): void => {
    isEditing = isOn;
    form.hidden = !isOn;
    words.hidden = rename.hidden = isOn;
    if (!isOn) return;
    field.value = room.me.value.profile.name;
    field.select();
  };
  const stop = (): void => {
    edit(false);
    rename.focus();
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    notices.attempt(() => room.setProfile({ ...room.me.value.profile, name: field.value.trim() }));
    stop();
  });
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') stop();
  });
  return {
    node,
    update: ({ id, profile, role, online }) => {
      const isMe = id === room.me.value.id;
      face.textContent = initialOf(profile.name);
      node.style.setProperty('--who', profile.color ?? '');
      node.classList.toggle('online', online || isMe);
      name.textContent = profile.name === '' ? 'Somebody' : profile.name;
      detail.textContent = [isMe ? 'you' : online ? 'here now' : 'out of reach', roleWords(role)].join(' · ');
      rename.hidden = !isMe || isEditing;
    },
  };
}
