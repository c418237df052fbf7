import type { Profile, Signal, Transport } from 'keeproom';
import type { Call } from './call.js';
import type { Notices } from './notices.js';
import type { DemoRoom } from './schema.js';

/** A device on this page: whose it is and what it can reach. */
export interface Device {
  /** Its own keys and its own database. */
  readonly namespace: string;
  readonly profile: Profile;
  /** What its room is opened with. */
  readonly transports: readonly Transport[];
  readonly isWireCut: Signal<boolean>;
  readonly call: DeviceCall | null;
}

/** The call as a device has it. */
export interface DeviceCall extends Call {
  /** Whether it is among the transports already; otherwise the person may switch it on. */
  readonly isJoined: boolean;
}

/** What the parts of a pane stand on. */
export interface PaneParts {
  readonly room: DemoRoom;
  readonly notices: Notices;
  /** Says something to people who hear the page. */
  readonly announce: (text: string) => void;
}
