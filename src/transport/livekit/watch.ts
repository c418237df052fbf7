import { copyBytes, type Bytes } from '../../core/base/index.js';
import { maxForeignFrameBytes, TransportError, type TransportState } from '../index.js';
import { callEvent, frameTopic, type CallLike } from './call.js';
import { after, guard } from './guard.js';
import { createOutbox } from './outbox.js';

/** Failed publishes in a row, while connected, after which the call is called stalled. */
const maxFailures = 3;

/** From a failed publish to the next probe, while it is still open whether the call is stalled. */
const probeDelayMs = 1_000;

/** Between probes of a stalled call. */
const stalledProbeDelayMs = 5_000;

/** What a watched call tells. Frames and peers may come in any state: they count while it is `up`. */
export interface WatchEvents {
  /** The bytes are a copy of their own. */
  readonly frame: (bytes: Bytes, from: string) => void;
  readonly peer: (address: string, change: 'here' | 'gone') => void;
  /**
   * `up`: connected and taking frames; `down`: not connected; `stalled`: connected, but publishing fails or hangs.
   * The first may come before `watchCall` returns.
   */
  readonly state: (state: TransportState) => void;
  /**
   * Connected, but the token of the call does not grant publishing data: the server drops such packets without a word.
   * Comes after `state('down')`; `up` when the server changes its mind.
   */
  readonly barred: (error: TransportError) => void;
  /** The SDK has stopped; its reason by number, if it gave one. Comes after `state('down')`. */
  readonly ended: (reason: number | undefined) => void;
}

export interface WatchedCall {
  readonly send: (frame: Bytes, to: readonly string[] | 'all') => Promise<void>;
  readonly ignored: () => number;
  /** Takes all handlers off the call and drops what waits. The call itself is left as it is. */
  readonly detach: () => void;
}

/** Follows one call, whoever owns it: its state, its people, its packets, and whether publishing gets anywhere. */
export function watchCall(call: CallLike, on: WatchEvents): WatchedCall {
  const sids = new Map<string, string>();
  let state: TransportState = 'down';
  let ignored = 0;
  let failures = 0;
  let cancelProbe = (): void => undefined;

  const outbox = createOutbox((frame, to) => publish(call, frame, to), {
    sent: () => {
      failures = 0;
      if (state === 'stalled') setState('up');
    },
    failed: () => {
      if (++failures >= maxFailures) setState('stalled');
      probeLater();
    },
    hung: () => {
      setState('stalled');
      // Whatever waited behind the one that hangs was rejected with it; probes start anew.
      outbox.drop(notUp('stalled'));
      probeLater();
    },
  });

  const probeLater = (): void => {
    cancelProbe();
    cancelProbe = after(state === 'stalled' ? stalledProbeDelayMs : probeDelayMs, () => {
      // To ourselves: the server hands it to nobody, and the SDK treats it as any other packet.
      outbox.send(new Uint8Array(0), [call.localParticipant.identity]).catch(() => undefined);
    });
  };

  const setState = (next: TransportState): void => {
    if (next === state) return;
    state = next;
    sids.clear();
    if (next !== 'up') outbox.drop(notUp(next));
    on.state(next);
    if (next === 'up') for (const participant of call.remoteParticipants.values()) meet(participant);
  };

  const look = (): void => {
    failures = 0;
    cancelProbe();
    const isConnected = call.state === 'connected';
    const isBarred = call.localParticipant.permissions?.canPublishData === false;
    setState(isConnected && !isBarred ? 'up' : 'down');
    if (isConnected && isBarred)
      on.barred(new TransportError('transport/token-refused', 'the token does not grant canPublishData'));
  };

  const meet = (participant: unknown): void => {
    if (!isParticipant(participant)) return;
    const { identity, sid } = participant;
    const known = sids.get(identity);
    if (known === sid) return;
    sids.set(identity, sid);
    // Who joins again under an identity replaces the older session; others see a new sid and no leave (V9).
    if (known !== undefined) on.peer(identity, 'gone');
    on.peer(identity, 'here');
  };

  const part = (participant: unknown): void => {
    if (isParticipant(participant) && sids.delete(participant.identity)) on.peer(participant.identity, 'gone');
  };

  const receive = (payload: unknown, participant: unknown, topic: unknown, identity: unknown): void => {
    if (topic !== frameTopic) return;
    // Data may outrun the join notice: then only the identity is there (V12).
    const from = isParticipant(participant) ? participant.identity : identity;
    const isFrame = payload instanceof Uint8Array && payload.length <= maxForeignFrameBytes;
    if (!isFrame || typeof from !== 'string' || from === '' || from === call.localParticipant.identity) ignored++;
    else on.frame(copyBytes(payload), from);
  };

  const handlers: readonly (readonly [string, (...args: unknown[]) => void])[] = [
    [callEvent.stateChanged, guard(look)],
    [callEvent.permissionsChanged, guard((_before, who) => who === call.localParticipant && look())],
    [callEvent.disconnected, guard((reason) => on.ended(typeof reason === 'number' ? reason : undefined))],
    [callEvent.participantConnected, guard(meet)],
    [callEvent.participantActive, guard(meet)],
    [callEvent.participantDisconnected, guard(part)],
    [
      callEvent.dataReceived,
      guard((bytes, who, _kind, topic, _encryption, identity) => receive(bytes, who, topic, identity)),
    ],
  ];
  for (const [event, run] of handlers) call.on(event, run);
  look();

  return {
    send: outbox.send,
    ignored: () => ignored,
    detach: () => {
      for (const [event, run] of handlers) call.off(event, run);
      cancelProbe();
      state = 'down';
      outbox.drop(new TransportError('transport/closed', 'send: the transport was closed'));
    },
  };
}

/** Always reliable: lossy packets are lost in bursts, silently. An empty list would be a broadcast (V11): never given. */
function publish(call: CallLike, frame: Bytes, to: readonly string[] | 'all'): Promise<void> {
  const how = { reliable: true, topic: frameTopic };
  if (to === 'all') return call.localParticipant.publishData(frame, how);
  if (to.length === 0) return Promise.resolve();
  return call.localParticipant.publishData(frame, { ...how, destinationIdentities: [...to] });
}

/** The rejection of what was sent at the wrong moment. */
export function notUp(state: TransportState): TransportError {
  return new TransportError(state === 'stalled' ? 'transport/stalled' : 'transport/down', `send: the call is ${state}`);
}

function isParticipant(value: unknown): value is { readonly identity: string; readonly sid: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'identity' in value &&
    typeof value.identity === 'string' &&
    value.identity !== '' &&
    'sid' in value &&
    typeof value.sid === 'string'
  );
}
