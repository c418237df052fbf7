/** Stable codes of the API: what to do is decided by them, never by a message. */
export type ErrorCode =
  | 'access/forbidden'
  | 'invite/busy'
  | 'invite/expired'
  | 'invite/used'
  | 'invite/revoked'
  | 'invite/invalid'
  | 'record/not-found'
  | 'record/invalid'
  | 'transact/crosses-domains'
  | 'schema/conflict'
  | 'schema/not-published'
  | 'device/blocked'
  | 'room/closed'
  | 'storage/blocked'
  | 'storage/full'
  | 'storage/broken'
  | 'transport/identity-taken'
  | 'transport/removed'
  | 'transport/stalled'
  | 'transport/token-refused'
  | 'transport/unavailable'
  | 'upgrade/required'
  | 'worker/not-started'
  | 'worker/taken-over'
  | 'aborted';

/** What a person can do about an error, and whether the same call may succeed later. */
export interface Advice {
  readonly action: string;
  readonly retryable: boolean;
}

const never = (action: string): Advice => ({ action, retryable: false });
const later = (action: string): Advice => ({ action, retryable: true });

/** For errors that arise on a page. */
export function adviceOnPage(code: ErrorCode): Advice {
  switch (code) {
    case 'access/forbidden':
      return never('Ask for a role that may do this.');
    case 'invite/invalid':
      return never('Ask for a new invite.');
    case 'record/not-found':
      return never('Go on without it.');
    case 'record/invalid':
      return never('Change the value.');
    case 'transact/crosses-domains':
      return never('Write to one domain at a time.');
    case 'schema/not-published':
      return later('Ask an owner to open the room with this version of the app.');
    case 'device/blocked':
      return never('Leave the room, and join it again with a new invite.');
    case 'room/closed':
      return never('Open it again.');
    case 'worker/not-started':
    case 'upgrade/required':
      return later('Reload the page.');
    case 'transport/identity-taken':
      return never('Give each device an identity of its own.');
    case 'transport/removed':
      return never('Ask to be let in again.');
    case 'transport/stalled':
      return later('Connect again.');
    case 'transport/token-refused':
      return later('Wait for the next try.');
    case 'transport/unavailable':
      return later('Check the connection, or use another browser.');
    default:
      return later('Try again.');
  }
}

/** For errors that come from an engine. */
export function adviceOf(code: ErrorCode): Advice {
  switch (code) {
    case 'invite/busy':
      return later('Try again in a moment.');
    case 'invite/expired':
    case 'invite/used':
    case 'invite/revoked':
      return never('Ask for a new invite.');
    case 'schema/conflict':
      return never('Update the app.');
    case 'storage/blocked':
    case 'worker/taken-over':
      return later('Close the other tabs of this site.');
    case 'storage/full':
      return later('Free some space on this device.');
    case 'storage/broken':
      return later('Reload the page; if that does not help, restart the browser.');
    default:
      return adviceOnPage(code);
  }
}

const known: ReadonlySet<string> = new Set<ErrorCode>([
  'access/forbidden',
  'invite/busy',
  'invite/expired',
  'invite/used',
  'invite/revoked',
  'invite/invalid',
  'record/not-found',
  'record/invalid',
  'transact/crosses-domains',
  'schema/conflict',
  'schema/not-published',
  'device/blocked',
  'room/closed',
  'storage/blocked',
  'storage/full',
  'storage/broken',
  'transport/stalled',
  'upgrade/required',
  'worker/not-started',
  'worker/taken-over',
  'aborted',
]);

/** Faults of the core that say: not yours to write. */
const forbidden =
  /^(entry\/(forbidden|owner|creator|scope|cap|no-grant|grant-void)|control\/(forbidden|escalation|cap))$/;

/**
 * The public code for a code of the engine. Faults of the core stay out of the API: there are many, peers may know more,
 * and who meets one can only ask for rights, for the schema to be published, or mend the value.
 */
export function publicCode(code: string): ErrorCode {
  if (isPublic(code)) return code;
  if (forbidden.test(code)) return 'access/forbidden';
  if (code === 'entry/missing-schema') return 'schema/not-published';
  return code.startsWith('storage/') ? 'storage/broken' : 'record/invalid';
}

function isPublic(code: string): code is ErrorCode {
  return known.has(code);
}
