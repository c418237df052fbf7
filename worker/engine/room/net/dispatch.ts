import { equalBytes, type Bytes, type Result } from '../../../../src/core/base/index.js';
import type { Peer, SessionAction } from '../../../../src/core/session/index.js';
import {
  decodeAck,
  decodeBeacon,
  decodeResume,
  decodeSyncClaim,
  decodeSyncGrant,
  decodeSyncReq,
  frameType,
  frameTypes,
  isSealedType,
} from '../../../../src/core/wire/index.js';
import { bump, countFault, type RoomCore } from '../core.js';
import type { Step } from '../step.js';
import { takeAck, takeBeacon } from './acks.js';
import type { Admitter } from './admit-joiner.js';
import type { Beacons } from './beacons.js';
import type { Claims } from './claims.js';
import { isToMe, type Clearance } from './clearance.js';
import { openFrame, openHello, type OpenedFrame } from './inbound.js';
import type { Greetings } from './greetings.js';
import type { Intake } from './intake.js';
import type { NetLink } from './link.js';
import type { Pull } from './pull.js';
import type { Reach, Roster } from './roster.js';

/** The parts a frame can be for. */
export interface DispatchHost {
  readonly roster: Roster;
  readonly intake: Intake;
  readonly claims: Claims;
  readonly pull: Pull;
  readonly beacons: Beacons;
  readonly admitter: Admitter;
  readonly clearance: Clearance;
  readonly greetings: Pick<Greetings, 'told'>;
  readonly session: (netLink: NetLink, actions: readonly SessionAction[]) => void;
  /** Somebody unknown speaks from this address: asks who is there. */
  readonly suspect: (netLink: NetLink, address: string) => void;
  /** Somebody here writes under an epoch that is not known here: its control entries will bring it (F12). */
  readonly missingKey: (netLink: NetLink, address: string) => void;
  readonly fetchFrom: (device: Bytes) => void;
  readonly considerPull: () => void;
  readonly joinAnswer: (netLink: NetLink, frame: Bytes, from: string) => Promise<void> | null;
}

/** What a frame is given as. */
export interface ReceivedFrame {
  readonly bytes: Bytes;
  readonly from: string;
}

/** Every frame ends here in exactly one typed outcome (docs/protocol.md §Frames). */
export type Dispatch = (step: Step, netLink: NetLink, frame: ReceivedFrame) => Promise<void>;

export function createDispatch(core: RoomCore, host: DispatchHost): Dispatch {
  /** The decoded message, or null when it was counted as malformed. */
  const read = <T>(decoded: Result<T>): T | null => {
    if (decoded.ok) return decoded.value;
    countFault(core, decoded.fault.code);
    return null;
  };
  const onClaim = (peer: Peer, message: Bytes): void => {
    const claim = read(decodeSyncClaim(message));
    if (claim === null) return;
    host.claims.onClaim(claim, peer.device);
    const isMine = equalBytes(claim.reqId, host.pull.reqId()) && equalBytes(claim.requester, core.keys.deviceId);
    if (isMine) host.pull.handle({ is: 'claim', claimer: peer.device, coverage: claim.coverage, load: claim.load });
  };
  const onResume = async ({ netLink, peer }: Reach, message: Bytes): Promise<void> => {
    const resume = read(decodeResume(message));
    if (resume === null) return;
    if (!isToMe(core, netLink, resume)) return countFault(core, 'frame/misdirected');
    const answer = await host.clearance.answered(peer.device, resume.heads);
    if (answer === 'behind') host.fetchFrom(peer.device);
    host.greetings.told(netLink, peer);
  };
  const onMember = async (step: Step, from: Reach, frame: OpenedFrame): Promise<void> => {
    const { netLink, peer } = from;
    switch (frame.type) {
      case frameTypes.live:
        return host.intake.live(step, from, frame.message);
      case frameTypes.beacon: {
        const beacon = read(decodeBeacon(frame.message));
        if (beacon === null) return;
        host.beacons.hear(peer.device, beacon);
        takeBeacon(core, step, beacon);
        return host.considerPull();
      }
      case frameTypes.syncReq: {
        const req = read(decodeSyncReq(frame.message));
        return req === null ? undefined : host.claims.onRequest(netLink, peer, req);
      }
      case frameTypes.syncClaim:
        return onClaim(peer, frame.message);
      case frameTypes.syncGrant: {
        const grant = read(decodeSyncGrant(frame.message));
        return grant === null ? undefined : host.claims.onGrant(netLink, peer, grant);
      }
      case frameTypes.syncDone:
        return host.intake.done(step, from, frame.message);
      case frameTypes.ack: {
        const ack = read(decodeAck(frame.message));
        if (ack === null) return;
        await takeAck(core, step, ack);
        return host.claims.onAck(netLink, peer, ack.transfers);
      }
      case frameTypes.resume:
        return onResume(from, frame.message);
      default:
        return; // ERROR: nothing hangs on it in this version
    }
  };
  /** A device whose grant is not known here may ask for control, hand it over when asked, and show what this one signed (X4, F10). */
  const onStranger = (step: Step, from: Reach, frame: OpenedFrame): Promise<void> | void => {
    const { netLink, peer } = from;
    const source = host.pull.source();
    switch (frame.type) {
      case frameTypes.syncDone:
        if (source !== null && equalBytes(source.device, peer.device))
          return host.intake.done(step, from, frame.message);
        break;
      case frameTypes.syncReq: {
        const req = read(decodeSyncReq(frame.message));
        // Who thinks to be a member, by a grant that has fallen (F6), learns of it this way.
        return req === null ? undefined : host.claims.onRequest(netLink, peer, { ...req, controlOnly: true });
      }
      case frameTypes.ack: {
        const ack = read(decodeAck(frame.message));
        return ack === null ? undefined : host.claims.onAck(netLink, peer, ack.transfers);
      }
      case frameTypes.beacon: {
        const beacon = read(decodeBeacon(frame.message));
        if (beacon !== null) host.beacons.hear(peer.device, beacon); // read only once its device is effective
        return;
      }
      case frameTypes.resume:
        // Its grant may not have arrived yet, or may be what was lost.
        return onResume({ netLink, peer }, frame.message);
    }
    countFault(core, 'frame/not-effective');
  };
  return async (step, netLink, frame) => {
    bump(core, 'framesIn');
    bump(core, 'bytesIn', frame.bytes.length);
    const type = frameType(frame.bytes);
    if (type === null) return countFault(core, 'frame/malformed');
    if (type === frameTypes.hello) {
      if (core.epochKeys.size === 0) return; // a joiner without an answer has nothing to say yet
      const actions = read(await openHello(core, netLink, frame));
      return actions === null ? undefined : host.session(netLink, actions);
    }
    if (type === frameTypes.fragment) return host.intake.fragment(step, netLink, frame);
    if (type === frameTypes.joinAsk) return host.admitter.onAsk(netLink, frame.bytes, frame.from);
    if (type === frameTypes.joinAnswer)
      return host.joinAnswer(netLink, frame.bytes, frame.from) ?? countFault(core, 'frame/unrequested');
    if (!isSealedType(type)) return countFault(core, 'frame/unknown-type');
    const opened = await openFrame(core, netLink, frame);
    if (!opened.ok) {
      countFault(core, opened.fault.code);
      if (opened.fault.code === 'frame/unbound-source') host.suspect(netLink, frame.from);
      if (opened.fault.code === 'frame/unknown-key') host.missingKey(netLink, frame.from);
      return;
    }
    const from = { netLink, peer: opened.value.peer };
    return host.roster.isEffective(from.peer.device)
      ? onMember(step, from, opened.value)
      : onStranger(step, from, opened.value);
  };
}
