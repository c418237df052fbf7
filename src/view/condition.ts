import { settle } from './settle.js';

/** In the order in which values are sorted; lists and maps last. */
const kinds = ['boolean', 'number', 'string', 'object'];

/** null, then false and true, numbers, texts; lists and maps last and in no order among themselves. */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a !== typeof b || typeof a === 'object') return kindOf(a) - kindOf(b);
  // Of one type that has an order.
  if ((a as string) < (b as string)) return -1;
  return (a as string) > (b as string) ? 1 : 0;
}

function kindOf(value: unknown): number {
  return value === null ? -1 : kinds.indexOf(typeof value);
}

const operators: Readonly<Record<string, (value: unknown, bound: unknown) => boolean>> = {
  in: (value, list) => Array.isArray(list) && list.some((item) => isEqual(value, item)),
  not: (value, other) => !isEqual(value, other),
  gt: (value, bound) => compareWith(value, bound) > 0,
  gte: (value, bound) => compareWith(value, bound) >= 0,
  lt: (value, bound) => compareWith(value, bound) < 0,
  lte: (value, bound) => compareWith(value, bound) <= 0,
};

/** Whether a query may ask this way. */
export function isOperator(name: string): boolean {
  return Object.hasOwn(operators, name);
}

/** Whether this is asked by operators, not by a value to be equal to. */
export function isOperators(condition: unknown): condition is object {
  return Object.keys(Object(condition) as object).some(isOperator);
}

/** What tells whether a value fulfils the condition. */
export function testOf(condition: unknown): (value: unknown) => boolean {
  if (!isOperators(condition)) return (value) => isEqual(value, condition);
  const bounds = Object.entries(condition);
  return (value) => bounds.every(([name, bound]) => bound === undefined || operators[name]?.(value, bound) === true);
}

/** Absent values, and those of another kind, are neither above nor below anything. */
function compareWith(value: unknown, bound: unknown): number {
  return value !== null && kindOf(value) === kindOf(bound) ? compareValues(value, bound) : NaN;
}

function isEqual(a: unknown, b: unknown): boolean {
  return settle(a, b) === a;
}
