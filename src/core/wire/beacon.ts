import type { Bytes, Result } from '../base/index.js';
import type { Form } from '../codec/index.js';
import { fieldsOf, held, uintTo } from '../codec/index.js';
import { byDomain, idForm, perDomain, readMessage, u48Form, writeMessage } from './shape.js';

/** Domains that one BEACON names: who has more chooses. */
export const maxBeaconDomains = 180;

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

const summaryForm: Form<DomainSummary> = fieldsOf({ domainId: idForm, root: idForm, count: u48Form });
const form: Form<Beacon> = held(
  fieldsOf<{ domains: Beacon['domains']; flags: number }>({
    domains: perDomain(summaryForm, maxBeaconDomains),
    flags: uintTo(flagServe + flagHidden),
  }),
  ({ domains, flags }) => ({ domains, serve: (flags & flagServe) !== 0, hidden: (flags & flagHidden) !== 0 }),
  ({ domains, serve, hidden }) => ({ domains, flags: (serve ? flagServe : 0) + (hidden ? flagHidden : 0) }),
);

/** The message; its signature comes after it. */
export function encodeBeacon(beacon: Beacon): Bytes {
  const domains = byDomain('domains', beacon.domains).slice(0, maxBeaconDomains);
  return writeMessage({ ...beacon, domains }, form);
}

/** Code: 'frame/malformed'. */
export function decodeBeacon(message: Bytes): Result<Beacon> {
  return readMessage(message, form);
}
