import type { Bytes, Result } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { asArray, asUint, encodeValue } from '../codec/index.js';
import { asId, asU48, byDomain, isAscending, listOf, readMessage } from './shape.js';

/** Domains that one BEACON names; of more, those with the lowest ids, control among them. */
const maxBeaconDomains = 180;

/** What a domain looks like from outside: equal roots, equal sets. */
export interface DomainSummary {
  readonly domainId: Bytes;
  readonly root: Bytes;
  /** Entries held. */
  readonly count: number;
}

/** What I hold, to everybody, on change (0x0101). Signed. */
export interface Beacon {
  readonly domains: readonly DomainSummary[];
  /** Whether I would serve others: only such devices are ranked in an election. */
  readonly serve: boolean;
  /** My tab is hidden and its timers are slow. */
  readonly hidden: boolean;
}

const flagServe = 1;
const flagHidden = 2;

/** The message; its signature comes after it. */
export function encodeBeacon(beacon: Beacon): Bytes {
  const domains = byDomain('domains', beacon.domains).slice(0, maxBeaconDomains);
  const flags = (beacon.serve ? flagServe : 0) + (beacon.hidden ? flagHidden : 0);
  return encodeValue([domains.map(({ domainId, root, count }) => [domainId, root, count]), flags]);
}

/** Code: 'frame/malformed'. */
export function decodeBeacon(message: Bytes): Result<Beacon> {
  return readMessage(message, 2, (fields) => {
    const domains = listOf(fields[0], maxBeaconDomains, readSummary);
    const flags = asUint(fields[1], flagServe + flagHidden);
    if (domains === null || flags === null || !isAscending(domains)) return null;
    return { domains, serve: (flags & flagServe) !== 0, hidden: (flags & flagHidden) !== 0 };
  });
}

function readSummary(item: Value): DomainSummary | null {
  const fields = asArray(item, 3);
  if (fields === null) return null;
  const [domainId, root, count] = [asId(fields[0]), asId(fields[1]), asU48(fields[2])];
  return domainId === null || root === null || count === null ? null : { domainId, root, count };
}
