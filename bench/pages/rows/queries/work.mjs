/** Records in groups, one live query per group, and updates each of which moves one record to the top of its group. */
import { checksumOf, createRandom } from '../../work.mjs';

const SCORE_RANGE = 1_000_000;

/** Rows that a query shows. */
export const LIMIT = 50;

/** @returns records to begin with, and the updates of a sample */
export function createWork({ records: count, queries, updates: updateCount }) {
  const random = createRandom(3);
  const records = Array.from({ length: count }, (_, i) => ({
    label: `record ${i}`,
    group: i % queries,
    score: Math.floor(random() * SCORE_RANGE),
  }));
  // Each record once, and none that is on top already: every update changes the order of one list.
  const tops = new Set(
    Array.from({ length: queries }, (_, group) => {
      const mine = records.map((one, i) => [one.score, i]).filter(([, i]) => i % queries === group);
      return mine.reduce((best, one) => (one[0] > best[0] ? one : best))[1];
    }),
  );
  const order = records
    .map((_, i) => [random(), i])
    .sort(([a], [b]) => a - b)
    .map(([, i]) => i)
    .filter((i) => !tops.has(i));
  const updates = order.slice(0, updateCount).map((record, i) => ({ record, score: SCORE_RANGE + i }));
  return { records, updates };
}

/** What all queries show, in order. */
export function checksumOfQueries(lists) {
  return checksumOf(
    lists.flatMap((rows, group) =>
      rows.map(({ label, score }, place) => [`${group}/${String(place).padStart(3, '0')}`, `${label} ${score}`]),
    ),
  );
}
