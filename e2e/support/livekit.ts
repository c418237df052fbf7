/** The real livekit-server of a test: started on loopback, asked for tokens and for its own list of participants. */
import { AccessToken, RoomServiceClient } from 'livekit-server-sdk';
import { startLivekitServer, type LivekitServer } from '../../scripts/livekit.mjs';

export interface TokenOptions {
  /** Whether the holder may also publish tracks; data alone otherwise. */
  readonly media?: boolean;
  /** Data is refused too when false. */
  readonly canPublishData?: boolean;
  readonly ttlSeconds?: number;
}

export interface TestLivekit extends LivekitServer {
  readonly token: (room: string, identity: string, options?: TokenOptions) => Promise<string>;
  /** Identities in the room, sorted, as the server itself sees them; empty for a room it does not know. */
  readonly participants: (room: string) => Promise<string[]>;
  /** Throws `identity` out of `room`, as the owner of the server can. */
  readonly remove: (room: string, identity: string) => Promise<void>;
}

const DEFAULT_TTL_SECONDS = 600;

/** Starts a server on free ports. End it with `stop` in the test's own clean-up; it dies with this process in any case. */
export async function startLivekit(): Promise<TestLivekit> {
  const server = await startLivekitServer();
  const service = new RoomServiceClient(server.httpUrl, server.apiKey, server.apiSecret);
  const extras = {
    token: async (room: string, identity: string, options: TokenOptions = {}): Promise<string> => {
      const token = new AccessToken(server.apiKey, server.apiSecret, {
        identity,
        ttl: options.ttlSeconds ?? DEFAULT_TTL_SECONDS,
      });
      token.addGrant({
        room,
        roomJoin: true,
        canPublish: options.media ?? false,
        canSubscribe: true,
        canPublishData: options.canPublishData ?? true,
        canUpdateOwnMetadata: true,
      });
      return token.toJwt();
    },
    participants: async (room: string): Promise<string[]> => {
      const rooms = await service.listRooms([room]);
      if (rooms.length === 0) return [];
      const list = await service.listParticipants(room);
      return list.map(({ identity }) => identity).sort();
    },
    remove: (room: string, identity: string): Promise<void> => service.removeParticipant(room, identity),
  };
  // Not a spread: `pid` is a getter and must stay one.
  return Object.assign(server, extras);
}
