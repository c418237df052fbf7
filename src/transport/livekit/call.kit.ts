/** A call whose events a test fires by hand, in the order and with the arguments the SDK fires them. */
import { callEvent, frameTopic, type CallLike } from './call.js';

type Handler = (...args: readonly unknown[]) => void;

export interface Published {
  readonly bytes: Uint8Array;
  readonly topic: string | undefined;
  readonly reliable: boolean | undefined;
  readonly to: readonly string[] | undefined;
}

export interface ScriptedCall extends CallLike {
  state: string;
  readonly localParticipant: CallLike['localParticipant'] & {
    identity: string;
    permissions?: { readonly canPublishData: boolean };
  };
  readonly remoteParticipants: Map<string, { readonly identity: string; readonly sid: string }>;
  readonly published: Published[];
  /** What publishing does from now on. */
  publish: () => Promise<void>;
  /** How many handlers are on the call. */
  readonly handlers: () => number;
  readonly goTo: (state: string) => void;
  /** As the SDK ends: the state first, then the reason. */
  readonly end: (reason?: number) => void;
  readonly join: (identity: string, sid: string) => void;
  readonly activate: (identity: string, sid: string) => void;
  readonly part: (identity: string) => void;
  /** `arguments` as the SDK gives them. */
  readonly fire: (event: string, ...args: readonly unknown[]) => void;
  readonly data: (bytes: Uint8Array, from: string, o?: { topic?: string; isKnown?: boolean }) => void;
}

export function createScriptedCall(identity: string): ScriptedCall {
  const handlers = new Map<string, Set<Handler>>();
  const fire = (event: string, ...args: readonly unknown[]): void => {
    for (const run of [...(handlers.get(event) ?? [])]) run(...args);
  };
  const call: ScriptedCall = {
    state: 'disconnected',
    localParticipant: {
      identity,
      publishData: (bytes, { topic, reliable, destinationIdentities: to }) => {
        call.published.push({ bytes: bytes.slice(), topic, reliable, to });
        return call.publish();
      },
    },
    remoteParticipants: new Map(),
    published: [],
    publish: () => Promise.resolve(),
    handlers: () => [...handlers.values()].reduce((sum, set) => sum + set.size, 0),
    on: (event: string, run: Handler) => void handlers.set(event, new Set(handlers.get(event)).add(run)),
    off: (event: string, run: Handler) => void handlers.get(event)?.delete(run),
    fire,
    goTo: (state) => {
      call.state = state;
      fire(callEvent.stateChanged, state);
    },
    end: (reason) => {
      call.goTo('disconnected');
      fire(callEvent.disconnected, reason);
    },
    join: (identity, sid) => {
      call.remoteParticipants.set(identity, { identity, sid });
      fire(callEvent.participantConnected, { identity, sid });
    },
    activate: (identity, sid) => {
      call.remoteParticipants.set(identity, { identity, sid });
      fire(callEvent.participantActive, { identity, sid });
    },
    part: (identity) => {
      const participant = call.remoteParticipants.get(identity);
      call.remoteParticipants.delete(identity);
      fire(callEvent.participantDisconnected, participant);
    },
    data: (bytes, from, { topic = frameTopic, isKnown = true } = {}) => {
      fire(callEvent.dataReceived, bytes, isKnown ? { identity: from, sid: 's' } : undefined, 0, topic, 0, from);
    },
  };
  return call;
}
