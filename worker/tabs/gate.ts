import type { Store } from '../../src/ports/index.js';
import { StoreError } from '../../src/ports/index.js';

/** A store that can be taken from its engine. */
export interface Gate {
  readonly store: Store;
  /** From here on, and for what is under way, every answer is `fenced`: a demoted engine writes nothing and waits for nothing. */
  readonly shut: () => void;
}

/** `onFenced` is called once, when the disk itself says that another engine has taken over. */
export function gateStore(store: Store, onFenced: () => void): Gate {
  const waiting = new Set<() => void>();
  let isShut = false;
  let isTold = false;

  const told = (error: unknown): void => {
    if (isShut || isTold || !(error instanceof StoreError) || error.failure !== 'fenced') return;
    isTold = true;
    onFenced();
  };
  const through = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isShut) throw fenced();
    let leave = (): void => undefined;
    const shut = new Promise<never>((_, reject) => {
      leave = () => reject(fenced());
      waiting.add(leave);
    });
    try {
      return await Promise.race([work(), shut]);
    } catch (error) {
      told(error);
      throw error;
    } finally {
      waiting.delete(leave);
    }
  };

  return {
    store: {
      commit: (ops, o) => through(() => store.commit(ops, o)),
      get: (table, key) => through(() => store.get(table, key)),
      list: (table, prefix, from) => through(() => store.list(table, prefix, from)),
      keys: (table, prefix) => through(() => store.keys(table, prefix)),
      close: async () => {
        const closing = store.close();
        // A commit that the database never ends must not keep the demoted engine.
        if (!isShut) await closing;
      },
    },
    shut: () => {
      isShut = true;
      for (const leave of waiting) leave();
      waiting.clear();
    },
  };
}

function fenced(): StoreError {
  return new StoreError('fenced', 'tabs: this engine has been replaced');
}
