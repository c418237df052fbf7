import { TransportError } from '../index.js';
import { endReason, type CallLike } from './call.js';
import { after } from './guard.js';
import type { Connection, Source } from './share.js';
import { watchCall } from './watch.js';

/**
 * Longest absence of a call that was connected before it is called stalled. The SDK's own tries take up to 40 s and in
 * Firefox can hang for ever (livekit.md V1, V7); a person should hear of it sooner.
 */
const stallAfterMs = 20_000;

/**
 * A call of the app's: used while it is connected, never connected or disconnected from here.
 * Away for {@link stallAfterMs}, or connected without taking frames, it is `stalled`: its owner has to connect it again.
 * A call that was ended on purpose is merely `down`.
 */
export function borrowCall(call: CallLike, on: Source): Connection {
  let cancelStall = (): void => undefined;
  const stall = (): void => {
    on.state('stalled');
    on.error(new TransportError('transport/stalled', 'the call does not come back; connect it again'));
  };
  const expect = (): void => {
    cancelStall();
    cancelStall = after(stallAfterMs, stall);
  };
  const watched = watchCall(call, {
    frame: on.frame,
    peer: on.peer,
    state: (state) => {
      cancelStall();
      if (state === 'stalled') {
        stall();
        return;
      }
      on.state(state);
      if (state === 'down') expect();
    },
    barred: (error) => {
      cancelStall();
      on.error(error);
    },
    ended: (reason) => {
      const error = finalError(reason);
      if (error === null && reason !== endReason.clientInitiated) return;
      cancelStall();
      on.state('down');
      if (error !== null) on.error(error);
    },
  });
  // Reconnecting when it is handed to us: it has been away for some time already.
  if (call.state !== 'connected' && call.state !== 'disconnected') expect();
  return {
    self: () => call.localParticipant.identity,
    send: watched.send,
    ignored: watched.ignored,
    close: () => {
      cancelStall();
      watched.detach();
    },
  };
}

/** Why a call is over for good, or null when it makes sense to connect it again. */
export function finalError(reason: number | undefined): TransportError | null {
  switch (reason) {
    case endReason.duplicateIdentity:
      return new TransportError('transport/identity-taken', 'somebody else joined the call under the same identity');
    case endReason.participantRemoved:
      return new TransportError('transport/removed', 'this participant was removed from the call');
    case endReason.roomDeleted:
      return new TransportError('transport/removed', 'the call was ended by its server');
    default:
      return null;
  }
}
