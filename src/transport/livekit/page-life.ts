/** What happens to the page that a connection lives in. */
export interface PageLifeEvents {
  /** Frozen or put into the back/forward cache: timers and sockets stop, without a word to others. */
  readonly away: () => void;
  /** A good moment to try: back from away, online again, or looked at again. */
  readonly wake: () => void;
}

/** Listens until the result is called. Where there is no page (a worker, Node) nothing ever happens. */
export function watchPageLife({ away, wake }: PageLifeEvents): () => void {
  if (typeof window === 'undefined' || typeof document === 'undefined') return () => undefined;
  const look = (): void => {
    if (document.visibilityState === 'visible') wake();
  };
  const listening: readonly (readonly [EventTarget, string, () => void])[] = [
    [window, 'pagehide', away],
    [document, 'freeze', away],
    [window, 'pageshow', wake],
    [document, 'resume', wake],
    [window, 'online', wake],
    [document, 'visibilitychange', look],
  ];
  for (const [target, type, run] of listening) target.addEventListener(type, run);
  return () => {
    for (const [target, type, run] of listening) target.removeEventListener(type, run);
  };
}
