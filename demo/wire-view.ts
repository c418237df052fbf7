import { h, icon, svg } from './dom.js';
import type { Wire } from './wire.js';

/** How long the wire glows after a frame. */
const glowMs = 500;

/** The wire between two panes, drawn: one button that cuts and mends it. `jump` stands beside it. */
export function createWireView(wire: Wire, jump: HTMLElement): HTMLElement {
  const label = h('span', { className: 'wire-label' });
  const carried = h('p', { className: 'wire-carried' });
  const cable = drawCable();
  const toggle = h('button', {
    type: 'button',
    className: 'wire-button',
    onclick: () => wire.isCut.set(!wire.isCut.value),
  });
  toggle.append(cable, label);
  const node = h('section', { className: 'wire', ariaLabel: 'The wire between the devices' }, toggle, carried, jump);

  wire.isCut.subscribe((isCut) => {
    node.classList.toggle('cut', isCut);
    label.replaceChildren(icon(isCut ? 'join' : 'scissors'), isCut ? 'Mend the wire' : 'Cut the wire');
  });
  let timer = 0;
  wire.carriedBytes.subscribe((bytes) => {
    carried.textContent = bytes === 0 ? 'Carries sealed bytes only' : `${sizeWords(bytes)} carried, all sealed`;
    clearTimeout(timer);
    node.classList.toggle('busy', bytes > 0);
    timer = setTimeout(() => node.classList.remove('busy'), glowMs);
  });
  return node;
}

function drawCable(): SVGSVGElement {
  const cable = svg('svg', { viewBox: '0 0 120 64', class: 'cable', 'aria-hidden': 'true' });
  // Two halves that meet in the middle, each hung up at its own end.
  cable.append(
    svg('path', { d: 'M0 20 C 22 20 30 38 60 38', class: 'half left' }),
    svg('path', { d: 'M120 20 C 98 20 90 38 60 38', class: 'half right' }),
    svg('circle', { cx: '0', cy: '20', r: '5', class: 'plug' }),
    svg('circle', { cx: '120', cy: '20', r: '5', class: 'plug' }),
  );
  return cable;
}

function sizeWords(bytes: number): string {
  return bytes < 1_000 ? `${bytes} B` : `${(bytes / 1_000).toFixed(bytes < 10_000 ? 1 : 0)} kB`;
}
