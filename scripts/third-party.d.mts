import type { Rolldown } from 'tsdown';

/** Writes the licences of what was bundled. */
export function thirdParty(target?: string): Rolldown.Plugin;
