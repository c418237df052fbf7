/** A place on the board, from 0 to 1 of the room there is each way. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** What an arrow key moves, and with Shift held. */
const step = 0.04;
const bigStep = 0.2;

const arrows: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/**
 * Lets `node` be moved over `surface` by its `grip`, with a pointer or with the arrow keys. A whole drag, or a key held
 * down, is one move: `moved` is told at its end; Escape takes it back. Returns the way to show where others moved it.
 */
export function makeMovable(
  node: HTMLElement,
  o: { readonly grip: HTMLElement; readonly surface: HTMLElement; readonly moved: (to: Place) => void },
): (place: Place) => void {
  const { grip, surface, moved } = o;
  let kept: Place = { x: 0, y: 0 };
  /** Where it is while it is being moved. */
  let loose: Place | null = null;

  const show = ({ x, y }: Place): void => {
    node.style.setProperty('--x', String(x));
    node.style.setProperty('--y', String(y));
  };
  const move = (place: Place): void => {
    loose = { x: clamp(place.x), y: clamp(place.y) };
    show(loose);
  };
  const settle = (isWanted: boolean): void => {
    node.classList.remove('held');
    const to = loose;
    loose = null;
    if (to !== null && isWanted && (to.x !== kept.x || to.y !== kept.y)) moved(to);
    // Where it is now: moved, or refused and back.
    show(kept);
  };

  grip.addEventListener('pointerdown', (down) => {
    if (down.button !== 0) return;
    grip.setPointerCapture(down.pointerId);
    node.classList.add('held');
    const start = kept;
    const space = { x: surface.clientWidth - node.offsetWidth, y: surface.clientHeight - node.offsetHeight };
    const drag = (event: PointerEvent): void =>
      move({
        x: start.x + (event.clientX - down.clientX) / Math.max(space.x, 1),
        y: start.y + (event.clientY - down.clientY) / Math.max(space.y, 1),
      });
    const end = (event: Event): void => {
      grip.removeEventListener('pointermove', drag);
      settle(event.type === 'pointerup');
    };
    grip.addEventListener('pointermove', drag);
    grip.addEventListener('pointerup', end, { once: true });
    grip.addEventListener('pointercancel', end, { once: true });
  });
  grip.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') settle(false);
    const arrow = arrows[event.key];
    if (arrow === undefined) return;
    event.preventDefault();
    const by = event.shiftKey ? bigStep : step;
    const from = loose ?? kept;
    move({ x: from.x + arrow[0] * by, y: from.y + arrow[1] * by });
  });
  grip.addEventListener('keyup', (event) => {
    if (arrows[event.key] !== undefined) settle(true);
  });
  grip.addEventListener('blur', () => settle(true));

  return (place) => {
    kept = { x: place.x, y: place.y };
    if (loose === null) show(kept);
  };
}

/** A thousandth of the board is finer than anybody sees. */
function clamp(fraction: number): number {
  return Math.round(Math.min(1, Math.max(0, fraction)) * 1_000) / 1_000;
}
