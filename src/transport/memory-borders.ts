/** Which addresses of a memory network reach which. Borders are known to everybody, cuts to nobody. */
export interface Borders {
  readonly partition: (groups: readonly (readonly string[])[]) => void;
  readonly cut: (from: string, to: string) => void;
  readonly mend: (from: string, to: string) => void;
  /** Whether both lie on one side of every border. */
  readonly areTogether: (a: string, b: string) => boolean;
  /** Whether a frame gets through in this direction. */
  readonly isOpen: (from: string, to: string) => boolean;
}

/** No border and no cut at first. */
export function createBorders(): Borders {
  const cuts = new Map<string, Set<string>>();
  let groupOf: ReadonlyMap<string, number> = new Map();
  const areTogether = (a: string, b: string): boolean => groupOf.get(a) === groupOf.get(b);
  return {
    partition: (groups) => {
      groupOf = new Map(groups.flatMap((group, index) => group.map((address) => [address, index] as const)));
    },
    cut: (from, to) => {
      cuts.set(from, new Set(cuts.get(from)).add(to));
    },
    mend: (from, to) => {
      cuts.get(from)?.delete(to);
    },
    areTogether,
    isOpen: (from, to) => areTogether(from, to) && cuts.get(from)?.has(to) !== true,
  };
}
