import { requireWithin } from '../base/index.js';

const maxLength = 2 ** 32 - 1;

/**
 * Length after PADMÉ padding: leaks O(log log length) bits about the length and adds at most 12 %.
 * Lengths below 2 stay as they are; those of 2^32 and more are refused.
 */
export function padme(length: number): number {
  requireWithin('length', length, 0, maxLength);
  if (length < 2) return length;
  const exponent = 31 - Math.clz32(length);
  const exponentBits = 32 - Math.clz32(exponent);
  const step = 2 ** (exponent - exponentBits);
  return step <= 1 ? length : Math.ceil(length / step) * step;
}
