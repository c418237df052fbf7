type Child = Node | string | null;

/** An element with its properties and children: as much of a view library as this page needs. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
}

export function button(label: string, onclick: () => void, className = ''): HTMLButtonElement {
  return h('button', { type: 'button', onclick, className }, label);
}

/** A button that shows a picture; `label` is its name for everybody who does not see it, and its tooltip. */
export function iconButton(name: IconName, label: string, onclick: () => void): HTMLButtonElement {
  return h('button', { type: 'button', onclick, className: 'icon-button', ariaLabel: label, title: label }, icon(name));
}

const iconPaths = {
  reload: 'M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3',
  close: 'M4 4l8 8M12 4l-8 8',
  plus: 'M8 3v10M3 8h10',
  up: 'M8 13V3.5M4 7.5l4-4 4 4',
  scissors: 'M5.5 5.5L14 13M5.5 10.5L14 3M4 6a2 2 0 1 1 0-4 2 2 0 0 1 0 4zM4 14a2 2 0 1 1 0-4 2 2 0 0 1 0 4z',
  join: 'M2 8h4M10 8h4M6 5.5v5M10 5.5v5',
} as const;

export type IconName = keyof typeof iconPaths;

export function icon(name: IconName): SVGSVGElement {
  const picture = svg('svg', { viewBox: '0 0 16 16', class: 'icon', 'aria-hidden': 'true' });
  picture.append(svg('path', { d: iconPaths[name] }));
  return picture;
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>>,
): SVGElementTagNameMap[K] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** One row of a list on the page. */
export interface Item<T> {
  readonly node: HTMLElement;
  readonly update: (row: T) => void;
}

/** Keeps a list in step with rows: one node per id, moved only when its place changed, so that focus stays where it is. */
export function keyed<T extends { readonly id: string }>(
  list: HTMLElement,
  make: (row: T) => Item<T>,
): (rows: readonly T[]) => void {
  const items = new Map<string, Item<T>>();
  return (rows) => {
    const ids = new Set(rows.map(({ id }) => id));
    for (const [id, { node }] of items) {
      if (ids.has(id)) continue;
      node.remove();
      items.delete(id);
    }
    for (const [at, row] of rows.entries()) {
      const item = items.get(row.id) ?? make(row);
      items.set(row.id, item);
      item.update(row);
      const there = list.children[at] ?? null;
      if (there !== item.node) list.insertBefore(item.node, there);
    }
  };
}

/** How long somebody who types must rest before what they typed is written. */
const pauseMs = 400;

/**
 * A field that two people may write: what is typed goes to `commit` at a pause, and when the field is left; what others
 * write is shown unless something is being typed. Returns the way to show it.
 */
export function bindText(
  field: HTMLInputElement | HTMLTextAreaElement,
  commit: (text: string) => void,
): (text: string) => void {
  let shown = field.value;
  let timer = 0;
  const flush = (): void => {
    clearTimeout(timer);
    if (field.value === shown) return;
    commit(field.value);
    // Refused: what holds is shown again.
    if (field.value !== shown) field.value = shown;
  };
  field.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(flush, pauseMs);
  });
  field.addEventListener('change', flush);
  return (text) => {
    const isTyping = field.value !== shown;
    shown = text;
    if (!isTyping && field.value !== text) field.value = text;
  };
}
