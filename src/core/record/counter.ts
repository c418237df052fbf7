/** An exact sum: a number while it is a safe integer, which is nearly always, else a bigint. */
export type Sum = number | bigint;

/** `by` is a safe integer. Exact, so the order of additions makes no difference (F21). */
export function addToSum(sum: Sum, by: number): Sum {
  if (typeof sum === 'number') {
    const next = sum + by;
    // Both terms are safe: when rounding happened at all, the result is not below 2^53 and so not safe.
    return Number.isSafeInteger(next) ? next : BigInt(sum) + BigInt(by);
  }
  const next = sum + BigInt(by);
  const rounded = Number(next);
  return Number.isSafeInteger(rounded) ? rounded : next;
}

/** The sum as a value: beyond the safe range, where a number would be inexact and has no encoding, the range's end. */
export function sumToNumber(sum: Sum): number {
  if (typeof sum === 'number') return sum;
  return sum > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
}
