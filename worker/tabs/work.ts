import type { FromEngine, ToEngine } from '../../src/bridge/index.js';

/** What a tab has asked of the engine and not seen answered. Only such a tab may take the lock from a silent leader. */
export interface Work {
  readonly asked: (message: ToEngine) => void;
  readonly answered: (message: FromEngine) => void;
  readonly isOutstanding: () => boolean;
  readonly clear: () => void;
}

export function createWork(): Work {
  const calls = new Set<number>();
  /** Room → highest write not yet saved. */
  const writes = new Map<string, number>();
  return {
    asked: (message) => {
      if (message.t === 'call') calls.add(message.id);
      if (message.t === 'write') writes.set(message.room, message.n);
    },
    answered: (message) => {
      if (message.t === 'reply' || message.t === 'reply-error') calls.delete(message.id);
      if (message.t === 'view' && message.update.savedUpTo >= (writes.get(message.room) ?? 0)) {
        writes.delete(message.room);
      }
      if (message.t === 'room-error') writes.delete(message.room);
    },
    isOutstanding: () => calls.size > 0 || writes.size > 0,
    clear: () => {
      calls.clear();
      writes.clear();
    },
  };
}
