import { createBoard } from './board.js';
import { createChat } from './chat.js';
import type { Device, PaneParts } from './device.js';
import { h } from './dom.js';
import type { Notices } from './notices.js';
import { createPeople } from './people.js';
import type { DemoRoom } from './schema.js';
import { createSharing } from './sharing.js';
import { networkWords, safetyWords, type Words } from './status.js';

export interface Pane {
  readonly node: HTMLElement;
  /** Closes the room's handle; its subscriptions end with it. */
  readonly end: () => void;
}

/** A room as one person sees it. */
export function createPane(room: DemoRoom, { device, notices }: { device: Device; notices: Notices }): Pane {
  const voice = h('p', { className: 'visually-hidden', role: 'status' });
  const parts: PaneParts = { room, notices, announce: (text) => (voice.textContent = text) };
  const ends = new Set<() => void>();

  room.on('error', notices.fail);
  room.on('rejected', ({ code, values }) => {
    notices.tell(`An edit of yours did not count for the others and was taken back. ${lostText(values)}`, code);
  });
  const sharing = createSharing(parts, device);
  ends.add(sharing.end);
  const node = h(
    'div',
    { className: 'room' },
    createStatusLine(parts, device, ends),
    createBoard(parts),
    createChat(parts),
    h('div', { className: 'side' }, createPeople(parts), sharing.node),
    voice,
  );
  return {
    node,
    end: () => {
      for (const end of ends) end();
      void room.close();
    },
  };
}

/** A state that lasts this long is worth saying aloud; shorter ones come with every edit. */
const calmMs = 1_000;

/** The room's state in two phrases: are my edits safe, and whom do I reach. */
function createStatusLine({ room, announce }: PaneParts, device: Device, ends: Set<() => void>): HTMLElement {
  const safety = h('span', { className: 'chip' });
  const network = h('span', { className: 'chip' });
  let said = '';
  let timer = 0;
  const say = (): void => {
    const text = `${device.profile.name}: ${safety.textContent}. ${network.textContent}.`;
    if (text !== said) announce(text);
    said = text;
  };
  const render = (): void => {
    const online = room.members.value.filter(({ id, online }) => online && id !== room.me.value.id);
    const around = {
      memberCount: room.members.value.length,
      online: online.map(({ profile }) => profile.name),
      isWireCut: device.isWireCut.value,
    };
    setWords(safety, safetyWords(room.status.value, around));
    setWords(network, networkWords(room.status.value, around));
    clearTimeout(timer);
    timer = setTimeout(say, calmMs);
  };
  room.status.subscribe(render);
  room.members.subscribe(render);
  ends.add(device.isWireCut.subscribe(render));
  ends.add(() => clearTimeout(timer));
  return h('p', { className: 'status-line' }, safety, network);
}

function setWords(chip: HTMLElement, { tone, text }: Words): void {
  chip.className = `chip ${tone}`;
  if (chip.textContent !== text) chip.textContent = text;
}

/** What the person had written, so that no text is lost with a rejected edit. */
function lostText(values: unknown): string {
  const texts: unknown[] = typeof values === 'object' && values !== null ? Object.values(values) : [];
  const text = texts.find((value) => typeof value === 'string' && value !== '');
  return typeof text === 'string' ? `You had written: “${text}”` : '';
}
