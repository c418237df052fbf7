/**
 * The place of one field write in the order that decides last-writer-wins (F21). A device's HLC rises strictly, so an
 * honest one is unique; neither seq nor entry id is in it, so that signing a draft changes no outcome.
 */
export interface Stamp {
  readonly hlcMs: number;
  readonly hlcCtr: number;
  /** Device id, lower-case hex: ordered as the bytes are. */
  readonly author: string;
  /** Index of the op in its entry. */
  readonly opIndex: number;
}

/** <0, 0 or >0; the larger stamp wins. */
export function compareStamps(a: Stamp, b: Stamp): number {
  if (a.hlcMs !== b.hlcMs) return a.hlcMs - b.hlcMs;
  if (a.hlcCtr !== b.hlcCtr) return a.hlcCtr - b.hlcCtr;
  if (a.author !== b.author) return a.author < b.author ? -1 : 1;
  return a.opIndex - b.opIndex;
}
