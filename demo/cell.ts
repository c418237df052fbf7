import type { Signal } from 'keeproom';

/** A signal of the demo's own, with the same contract as the library's. */
export interface Cell<T> extends Signal<T> {
  readonly set: (value: T) => void;
}

export function createCell<T>(first: T): Cell<T> {
  const watchers = new Set<(value: T) => void>();
  let current = first;
  return {
    get value() {
      return current;
    },
    set: (value) => {
      if (Object.is(value, current)) return;
      current = value;
      for (const run of watchers) run(value);
    },
    subscribe: (run) => {
      // A function of its own, so that subscribing the same one twice is two subscriptions.
      const watcher = (value: T): void => run(value);
      watchers.add(watcher);
      run(current);
      return () => watchers.delete(watcher);
    },
  };
}

/** A switch that stays as it is over a reload, and is the same in every tab. */
export function createSwitch(name: string): Cell<boolean> {
  const key = `keeproom-demo/${name}`;
  const cell = createCell(localStorage.getItem(key) !== null);
  addEventListener('storage', (event) => {
    if (event.key === key) cell.set(event.newValue !== null);
  });
  return {
    get value() {
      return cell.value;
    },
    subscribe: (run) => cell.subscribe(run),
    set: (on) => {
      if (on) localStorage.setItem(key, 'on');
      else localStorage.removeItem(key);
      cell.set(on);
    },
  };
}
