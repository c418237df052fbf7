import type { Invite } from 'keeproom';
import { createSwitch } from './cell.js';
import { button, h, keyed, type Item } from './dom.js';
import type { Device, DeviceCall, PaneParts } from './device.js';
import { count, roleWords } from './status.js';

/** Ways to bring somebody in: links, and the call that reaches other devices. */
export function createSharing(parts: PaneParts, device: Device): { node: HTMLElement; end: () => void } {
  const { call, namespace } = device;
  const switchOn = call === null ? null : createCallSwitch(parts, { namespace, call });
  const node = h('section', { className: 'sharing' }, createInvites(parts, call), switchOn?.node ?? null);
  return { node, end: () => switchOn?.end() };
}

const invitable = ['editor', 'guest', 'viewer'] as const;

function createInvites({ room, notices, announce }: PaneParts, call: DeviceCall | null): HTMLElement {
  const role = h('select', { ariaLabel: 'What the invited person may do' });
  role.append(...invitable.map((name) => h('option', { value: name }, roleWords(name))));
  const make = button('Make a link', () => {
    const chosen = invitable[role.selectedIndex] ?? 'viewer';
    room.invites.create({ role: chosen }).then(({ id }) => {
      made = id;
      reveal();
    }, notices.fail);
  });
  const list = h('ul', { className: 'invites' });
  /** The invite that was just made here and is not shown yet: the room may tell of it later than its maker hears. */
  let made = '';
  const reveal = (): void => {
    const row = list.querySelector(`[data-id="${made}"]`);
    if (row === null) return;
    made = '';
    row.scrollIntoView({ block: 'nearest' });
    announce('Link ready');
  };
  const linkOf = (invite: Invite): string => {
    const page = new URL(location.pathname, location.href);
    const { name } = room.data.call.value;
    // Without it the link leads nowhere outside of this browser.
    if (call !== null && name !== '') page.searchParams.set('call', name);
    return invite.link(page);
  };
  const show = keyed<Invite>(list, ({ id }) =>
    createInviteRow(id, { linkOf, revoke: (id) => notices.attempt(() => room.invites.revoke(id)), announce }),
  );
  const node = h('div', {}, h('h3', {}, 'Invite somebody who'), h('div', { className: 'row' }, role, make), list);
  const render = (): void => {
    // Only the device that made an invite knows its secret, and so its link.
    const known = room.invites.value.filter(({ code, usesLeft }) => code !== '' && usesLeft > 0);
    // All live equally long: the newest is the last to end.
    show(known.sort((a, b) => Number(b.expiresAt) - Number(a.expiresAt)));
    node.hidden = !room.can('invite');
    reveal();
  };
  room.invites.subscribe(render);
  room.data.call.subscribe(render);
  room.me.subscribe(render);
  return node;
}

function createInviteRow(
  id: string,
  o: {
    readonly linkOf: (invite: Invite) => string;
    readonly revoke: (id: string) => void;
    readonly announce: (text: string) => void;
  },
): Item<Invite> {
  const link = h('input', { readOnly: true, ariaLabel: 'Invite link' });
  const detail = h('p', { className: 'hint' });
  const copy = button('Copy', () => {
    link.select();
    // Where the clipboard is not to be had, the link is selected for the person to copy.
    navigator.clipboard.writeText(link.value).then(
      () => {
        copy.textContent = 'Copied';
        o.announce('Link copied');
      },
      () => o.announce('Press Ctrl+C to copy the link'),
    );
  });
  const stop = button('Stop', () => o.revoke(id), 'quiet');
  stop.ariaLabel = 'Stop this link from working';
  const ready = h('span', { className: 'chip good grow' }, 'Link ready');
  const node = h('li', {}, link, h('div', { className: 'row' }, ready, copy, stop), detail);
  node.dataset['id'] = id;
  return {
    node,
    update: (invite) => {
      link.value = o.linkOf(invite);
      const until = invite.expiresAt.toLocaleDateString([], { day: 'numeric', month: 'short' });
      const uses =
        invite.usesLeft > 100 ? 'any number of people' : count(invite.usesLeft, 'person').replace('persons', 'people');
      detail.textContent = `Who joins ${roleWords(invite.role)} · ${uses} · until ${until}`;
    },
  };
}

const callWords = {
  off: 'Off: links work in other tabs of this browser.',
  connecting: 'Connecting…',
  up: 'Connected: links work on other devices.',
  down: 'Not connected; trying again.',
  stalled: 'The connection does not come back by itself. Leave the call and join again.',
} as const;

/** Carries the room through LiveKit as well. The call's name lives in the room, so that all members find each other. */
function createCallSwitch(
  { room, notices }: PaneParts,
  { namespace, call }: { readonly namespace: string; readonly call: DeviceCall },
): { readonly node: HTMLElement; readonly end: () => void } {
  const isOn = createSwitch(`call/${namespace}`);
  const toggle = button('', () => {
    const mayGo = isOn.value || room.data.call.value.name !== '' || notices.attempt(nameCall) !== null;
    if (mayGo) isOn.set(!isOn.value);
  });
  const words = h('p', { className: 'hint', role: 'status' });
  const nameCall = (): unknown => room.data.call.update({ name: `keeproom-${crypto.randomUUID()}` });

  let attached = '';
  let detach = (): void => undefined;
  const follow = (): void => {
    toggle.textContent = isOn.value ? 'Leave the call' : 'Use the call';
    const wanted = isOn.value && !call.isJoined ? room.data.call.value.name : '';
    if (wanted === attached) return;
    detach();
    attached = wanted;
    detach = wanted === '' ? () => undefined : room.attach(call.transport(wanted));
  };
  room.data.call.subscribe(follow);
  const ends = [isOn.subscribe(follow), call.state.subscribe((state) => (words.textContent = callWords[state]))];
  return {
    node: h('div', {}, h('h3', {}, 'Call'), h('div', { className: 'row' }, call.isJoined ? null : toggle, words)),
    end: () => ends.forEach((end) => end()),
  };
}
