/** How badly the network behaves. Rates are shares of frames, 0 to 1; times are milliseconds. */
export interface MemoryFaults {
  readonly minLatencyMs: number;
  readonly maxLatencyMs: number;
  readonly lossRate: number;
  readonly duplicateRate: number;
  /** Share of frames that leave the line and take up to twice the largest latency more, so that later ones overtake. */
  readonly reorderRate: number;
}

export const noFaults: MemoryFaults = {
  minLatencyMs: 0,
  maxLatencyMs: 0,
  lossRate: 0,
  duplicateRate: 0,
  reorderRate: 0,
};

/** Throws RangeError for faults that make no sense: a mistake of the test. */
export function checkFaults(faults: MemoryFaults): void {
  for (const rate of ['lossRate', 'duplicateRate', 'reorderRate'] as const) {
    if (!(faults[rate] >= 0 && faults[rate] <= 1)) {
      throw new RangeError(`faults.${rate} must be between 0 and 1, got ${faults[rate]}`);
    }
  }
  if (!(faults.minLatencyMs >= 0 && faults.maxLatencyMs >= faults.minLatencyMs)) {
    throw new RangeError(
      `faults: latency must be 0 <= min <= max, got ${faults.minLatencyMs} and ${faults.maxLatencyMs} ms`,
    );
  }
}

/** The chance and time of a network, as it was given them. */
export interface Weather {
  readonly random: () => number;
  readonly schedule: (delayMs: number, run: () => void) => () => void;
  readonly faults: () => MemoryFaults;
}

/** Things that arrive one after the other, each later by a random latency, in the order they were put in. */
export interface Line {
  /** In order, whatever the faults say. */
  readonly put: (run: () => void) => void;
  /** In order, but for what the faults do to it. */
  readonly risk: (run: () => void) => void;
}

/**
 * Order without a clock: each thing put in starts a timer of its own, and each timer that fires delivers the head of the
 * line, whichever it is. So nothing overtakes, and nothing takes longer than the largest latency.
 */
export function createLine({ random, schedule, faults }: Weather): Line {
  const waiting: (() => void)[] = [];
  const latencyMs = (): number => {
    const { minLatencyMs, maxLatencyMs } = faults();
    return maxLatencyMs === minLatencyMs ? minLatencyMs : minLatencyMs + random() * (maxLatencyMs - minLatencyMs);
  };
  // No chance is drawn for a fault that is off: switching one on leaves the others' draws as they were before it.
  const happens = (rate: number): boolean => rate > 0 && random() < rate;
  const put = (run: () => void): void => {
    waiting.push(run);
    schedule(latencyMs(), () => waiting.shift()?.());
  };
  const risk = (run: () => void): void => {
    const { lossRate, duplicateRate, reorderRate, maxLatencyMs } = faults();
    if (happens(lossRate)) return;
    if (happens(reorderRate)) schedule(latencyMs() + 2 * random() * maxLatencyMs, run);
    else put(run);
    if (happens(duplicateRate)) put(run);
  };
  return { put, risk };
}
