import type { FromWorker, ToEngine, WireError } from '../../src/bridge/index.js';
import type { Time } from '../../src/ports/index.js';
import { blockedError, upgradeError } from './errors.js';
import type { TabMessage } from './messages.js';
import { createSilence } from './silence.js';
import { createWork } from './work.js';

/** A tab that is served by the engine of another one, or waits for one. */
export interface Follower {
  readonly hear: (message: TabMessage) => void;
  /** A worker of another version spoke: its leader lives, but cannot serve this tab. */
  readonly hearStranger: () => void;
  /** From the page. Dropped while there is no engine: the page asks everything again on `ready`. */
  readonly deliver: (message: ToEngine) => void;
  readonly end: () => void;
}

export interface FollowerOptions {
  readonly tab: string;
  readonly life: string;
  readonly time: Time;
  readonly send: (message: TabMessage) => void;
  /** To the page. */
  readonly post: (message: FromWorker) => void;
  /** Why this tab does not lead, when that is a failure. */
  readonly error: WireError | null;
  /** The highest generation heard of so far, and a higher one. */
  readonly highest: () => number;
  readonly onGeneration: (generation: number) => void;
  /** The leader has been silent for so long that its lock has to be taken. */
  readonly onSilence: () => void;
}

/** Where this tab stands with the leader. */
type Bond =
  /** No leader known. */
  | { readonly at: 'alone' }
  /** Said hello; `beats` heard since without a welcome. */
  | { readonly at: 'hello'; readonly generation: number; readonly session: string; beats: number }
  | {
      readonly at: 'attached';
      readonly generation: number;
      readonly session: string;
      sent: number;
      received: number;
      /** `sent` as last told to the leader. */
      counted: number;
    };

export function createFollower(o: FollowerOptions): Follower {
  const work = createWork();
  const silence = createSilence({
    tab: o.tab,
    time: o.time,
    isNeedy: () => bond.at !== 'attached' || work.isOutstanding(),
    ask: () => o.send({ m: 'ask', from: o.tab }),
    onSilence: o.onSilence,
  });
  let bond: Bond = { at: 'alone' };
  let sessions = 0;
  let shown: WireError | null = null;

  const show = (state: 'waiting' | 'ready' | 'serving', error: WireError | null): void => {
    shown = error;
    o.post({ t: 'engine', state, generation: o.highest(), leader: false, error });
  };
  const hello = (generation: number): void => {
    const session = `${o.life}/${++sessions}`;
    bond = { at: 'hello', generation, session, beats: 0 };
    work.clear();
    o.send({ m: 'hello', from: o.tab, session, life: o.life });
  };

  const onBeat = (message: TabMessage & { m: 'beat' }): void => {
    const { generation, blocked } = message;
    const mine = message.sent[o.tab];
    if (bond.at === 'alone' || bond.generation !== generation) {
      hello(generation);
      return;
    }
    if (bond.at === 'hello') {
      // The first beat may have been on its way when we said hello.
      if (++bond.beats > 1) hello(generation);
      return;
    }
    if (mine?.session !== bond.session || mine.count !== bond.received) {
      hello(generation);
      return;
    }
    if (bond.sent !== bond.counted) {
      bond.counted = bond.sent;
      o.send({ m: 'count', from: o.tab, sent: { session: bond.session, count: bond.sent } });
    }
    if (blocked !== (shown === blockedError)) show('serving', blocked ? blockedError : null);
  };

  const onDown = (message: TabMessage & { m: 'down' }): void => {
    if (bond.at !== 'attached' || bond.session !== message.session) return;
    if (message.seq !== bond.received) {
      hello(bond.generation);
      return;
    }
    bond.received++;
    work.answered(message.body);
    o.post(message.body);
  };

  o.send({ m: 'ask', from: o.tab });
  show('waiting', o.error);

  return {
    hearStranger: () => {
      silence.heard();
      if (bond.at === 'alone' && shown !== upgradeError) show('waiting', upgradeError);
    },
    deliver: (message) => {
      if (bond.at !== 'attached') return;
      work.asked(message);
      const { generation, session } = bond;
      o.send({ m: 'up', from: o.tab, generation, session, seq: bond.sent++, body: message });
    },
    hear: (message) => {
      switch (message.m) {
        case 'beat':
          if (message.generation < o.highest()) return;
          o.onGeneration(message.generation);
          silence.heard(message.generation);
          onBeat(message);
          return;
        case 'taking':
          silence.heard();
          if (bond.at !== 'alone' || message.blocked !== (shown === blockedError)) {
            bond = { at: 'alone' };
            show('waiting', message.blocked ? blockedError : null);
          }
          return;
        case 'leaving':
          if (message.generation >= o.highest()) silence.heardLeaving(message.generation);
          return;
        case 'ask':
          silence.heardAsk(message.from);
          return;
        case 'welcome':
          if (message.to !== o.tab || bond.at !== 'hello' || bond.session !== message.session) return;
          silence.heard(message.generation);
          bond = {
            at: 'attached',
            generation: bond.generation,
            session: bond.session,
            sent: 0,
            received: 0,
            counted: 0,
          };
          show('ready', null);
          return;
        case 'down':
          if (message.to !== o.tab || message.generation < o.highest()) return;
          silence.heard(message.generation);
          onDown(message);
          return;
        case 'again':
          if (message.to === o.tab && bond.at === 'attached' && bond.session === message.session)
            hello(bond.generation);
          return;
        case 'hello':
        case 'up':
        case 'count':
        case 'bye':
          return;
      }
    },
    end: () => silence.end(),
  };
}
