/**
 * What an app holds in its hands: clients, rooms, joins and invites over the view, and the link to the worker behind
 * them. The link is plain messages rather than an RPC library: what is asked has to survive a change of engine (calls
 * are asked again, rooms reopened, unconfirmed writes sent again, in order) and travels on over a BroadcastChannel, so
 * proxies and ports would be of no use.
 * Judges nothing: the view refuses what every peer would refuse, and the engine has the last word.
 */
export { createClient } from './client.js';
export { takeInvite } from './invite.js';
export type {
  Client,
  ClientOptions,
  ClientStatus,
  Invite,
  Join,
  JoinState,
  Member,
  Profile,
  Room,
  RoomEvents,
  RoomOptions,
  RoomStatus,
  RoomSummary,
  StorageState,
} from './types.js';
