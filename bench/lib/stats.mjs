/** Medians, and how far the samples lie apart. */

/** The value that half of them do not exceed; NaN of none. */
export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const at = (sorted.length - 1) * q;
  const below = Math.floor(at);
  const above = Math.ceil(at);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

export function median(values) {
  return quantile(values, 0.5);
}

/**
 * @param {number[][]} runs samples of one contestant, run by run
 * @returns the median of all, the tenth and the ninetieth percentile, and each run's own median
 */
export function summarize(runs) {
  const all = runs.flat();
  return {
    samples: all.length,
    median: median(all),
    low: quantile(all, 0.1),
    high: quantile(all, 0.9),
    medians: runs.filter((run) => run.length > 0).map(median),
  };
}

/** Ratio of the medians within each run (their conditions are the same), and the median of those. */
export function ratioOf(mine, theirs) {
  const ratios = mine.medians.flatMap((value, run) => {
    const other = theirs.medians[run];
    // Growth may come out as none, or less: no ratio says anything of it.
    return other === undefined || other <= 0 ? [] : [value / other];
  });
  return { ratio: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) };
}
