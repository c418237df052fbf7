/**
 * As much of a LiveKit `Room` as is used here (called `call` everywhere, since a room is ours). A `Room` of
 * livekit-client ≥ 2.22.4 is one. Events are named by text: this file imports nothing of the SDK at run time.
 */
export interface CallLike {
  readonly state: string;
  readonly localParticipant: {
    readonly identity: string;
    /** What the server lets this participant do; known once connected. */
    readonly permissions?: { readonly canPublishData: boolean } | undefined;
    readonly publishData: (
      data: Uint8Array<ArrayBuffer>,
      o: { reliable?: boolean; topic?: string; destinationIdentities?: string[] },
    ) => Promise<void>;
  };
  readonly remoteParticipants: ReadonlyMap<string, { readonly identity: string; readonly sid: string }>;
  // The SDK types these by enums and tuples of its own; only `any` accepts them without importing it.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly on: (event: any, fn: (...args: any[]) => void) => unknown;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly off: (event: any, fn: (...args: any[]) => void) => unknown;
}

/** The one topic of all our packets. Topics are visible to the server, so they say nothing. */
export const frameTopic = 'keeproom';

/** `RoomEvent` by value. */
export const callEvent = {
  stateChanged: 'connectionStateChanged',
  disconnected: 'disconnected',
  dataReceived: 'dataReceived',
  participantConnected: 'participantConnected',
  participantActive: 'participantActive',
  participantDisconnected: 'participantDisconnected',
  permissionsChanged: 'participantPermissionsChanged',
} as const;

/** `DisconnectReason` by value, as far as it decides anything here. */
export const endReason = { clientInitiated: 1, duplicateIdentity: 2, participantRemoved: 4, roomDeleted: 5 } as const;
