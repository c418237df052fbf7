/** A real livekit-server on loopback. */
export interface LivekitServer {
  /** For `Room.connect` and `livekitData`. */
  readonly url: string;
  readonly httpUrl: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** Of the running server; undefined while it is stopped. */
  readonly pid: number | undefined;
  readonly log: () => string;
  /** Starts it again after `stop` or `kill`, with the same ports and keys. */
  readonly start: () => Promise<void>;
  /** Ends the server for certain; safe to call twice. */
  readonly stop: () => Promise<void>;
  /** As a crash: no notice to anybody. */
  readonly kill: () => Promise<void>;
}

/** Resolves when the server is healthy and it is ours that answers. */
export function startLivekitServer(options?: {
  readonly path?: string;
  readonly port?: number;
  readonly apiKey?: string;
  readonly apiSecret?: string;
}): Promise<LivekitServer>;

export function freeTcpPort(): Promise<number>;
