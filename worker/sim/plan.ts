import type { Chance } from './random.js';

/** What one seed may do to its world, beside the hostile, who are everywhere. Each seed has some: faults hide each other when all are on. */
const faultNames = [
  'latency',
  'loss',
  'duplication',
  'reorder',
  'partition',
  'offline',
  'crash',
  'fail-over',
  'two engines',
  'slow disk',
  'full disk',
  'skew',
  'backup',
] as const;

export type FaultName = (typeof faultNames)[number];

/** How likely a seed has a fault. */
const shares: Readonly<Record<FaultName, number>> = {
  latency: 0.8,
  loss: 0.5,
  duplication: 0.5,
  reorder: 0.4,
  partition: 0.5,
  offline: 0.5,
  crash: 0.6,
  'fail-over': 0.4,
  'two engines': 0.4,
  'slow disk': 0.5,
  'full disk': 0.2,
  skew: 0.4,
  backup: 0.4,
};

/** Chooses the faults of a seed. */
export function chooseFaults(chance: Chance): ReadonlySet<FaultName> {
  return new Set(faultNames.filter((name) => chance.is(shares[name])));
}
