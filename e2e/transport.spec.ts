/** The LiveKit transports against a real livekit-server: the contract of all transports, and what goes wrong in practice. */
import { expect, test, type Browser, type TestInfo } from '@playwright/test';
import { AccessToken } from 'livekit-server-sdk';
import {
  lastChange,
  lastState,
  textsOf,
  transportContract,
  untilFrame,
  untilHere,
  untilUp,
  type ContractBed,
  type ContractEvent,
} from '../src/transport/contract.kit.js';
import { openStage, type Kind, type Stage, type StagePeer } from './transport/stage.js';

let rooms = 0;

/** Pages and a server of its own: several cases end the server, or leave a page in an odd state. */
async function onStage(browser: Browser, info: TestInfo, run: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = await openStage(browser);
  try {
    await run(stage);
  } catch (error) {
    await info.attach('what the pages said', { body: stage.said.join('\n') });
    throw error;
  } finally {
    await stage.close();
  }
}

/** Runs all, a few at a time: most of their time they wait, for the server to announce peers, or for something to be given up. */
async function aFewAtATime<T>(all: readonly T[], run: (one: T) => Promise<void>): Promise<void> {
  const waiting = [...all];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await run(next);
  };
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, worker));
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  expect(waiting).toEqual([]);
}
const atOnce = 4;

/** Peers of one new LiveKit room, in the two pages by turns. */
function bed(stage: Stage, kind: Kind): ContractBed {
  const room = `contract-${rooms++}`;
  let opened = 0;
  const open = (): Promise<StagePeer> => {
    const n = opened++;
    return stage.open(kind, { page: stage.pages[n % 2 === 0 ? 0 : 1], room, identity: `peer-${n}` });
  };
  return {
    open,
    openTwice: async () => {
      const one = await open();
      return [one, await stage.again(one)];
    },
    disturb: async (to) => {
      const peer = to as StagePeer;
      const before = await peer.ignored();
      const count = await stage.pages[0].evaluate(makeNoise, [
        room,
        stage.server.url,
        await hiddenToken(stage, room),
      ] as const);
      await expect.poll(async () => (await peer.ignored()) - before).toBe(count);
      return count;
    },
  };
}

/** A participant nobody sees: the server names no sender for what it says. */
function hiddenToken(stage: Stage, room: string): Promise<string> {
  const token = new AccessToken(stage.server.apiKey, stage.server.apiSecret, { identity: 'hidden', ttl: 60 });
  token.addGrant({ room, roomJoin: true, hidden: true, canPublishData: true });
  return token.toJwt();
}

/** Says all sorts of things in the room; the result is how many of them are on our topic and no frames. */
async function makeNoise([name, url, token]: readonly [string, string, string]): Promise<number> {
  const { Room } = await import('livekit-client');
  const room = new Room();
  // It leaves with the others: what is sent right before a goodbye may be lost.
  window.stage.calls[`noise in ${name}`] = room;
  await room.connect(url, token);
  const me = room.localParticipant;
  const bytes = new Uint8Array(100);
  await me.publishData(bytes, { reliable: true });
  await me.publishData(bytes, { reliable: true, topic: 'keeproom2' });
  await me.publishData(bytes, { reliable: false, topic: 'chat' });
  await me.publishData(new Uint8Array(63_000), { reliable: true, topic: '' });
  await me.sendText('hello', { topic: 'keeproom' });
  for (let n = 0; n < 3; n++) await me.publishData(bytes, { reliable: true, topic: 'keeproom' });
  return 3;
}

for (const kind of ['borrowed', 'own'] as const) {
  test(`${kind === 'own' ? 'livekitData' : 'livekit(call)'} keeps the contract of all transports`, async ({
    browser,
  }, info) => {
    test.setTimeout(120_000);
    await onStage(browser, info, (stage) =>
      aFewAtATime(transportContract, ({ title, run }) => test.step(title, () => run(bed(stage, kind)))),
    );
  });
}

type Pair = readonly [StagePeer, StagePeer];

/** Two peers of a new room, one in each page, who see each other. */
async function openTwo(stage: Stage, kind: Kind): Promise<Pair & { readonly room: string }> {
  const room = `pair-${rooms++}`;
  const ada = await stage.open(kind, { page: stage.pages[0], room, identity: 'ada' });
  const bob = await stage.open(kind, { page: stage.pages[1], room, identity: 'bob' });
  await Promise.all([untilUp(ada), untilUp(bob)]);
  await Promise.all([untilHere(ada, 'bob'), untilHere(bob, 'ada')]);
  return Object.assign([ada, bob] as const, { room });
}

/** A frame each way, of a text not sent before. */
async function exchange([ada, bob]: Pair, text: string): Promise<void> {
  await ada.send(`${text} from ada`, ['bob']);
  await bob.send(`${text} from bob`, 'all');
  await Promise.all([untilFrame(bob, `${text} from ada`), untilFrame(ada, `${text} from bob`)]);
}

function untilState(peer: StagePeer, state: 'up' | 'down' | 'stalled', withinMs?: number): Promise<void> {
  return peer.log.until(state, (events) => lastState(events) === state, withinMs);
}

function untilError(peer: StagePeer, code: string, withinMs?: number): Promise<void> {
  return peer.log.until(code, (events) => codesOf(events).includes(code), withinMs);
}

function codesOf(events: readonly ContractEvent[]): readonly string[] {
  return events.flatMap((event) => (event.t === 'error' ? [event.code] : []));
}

function statesOf(peer: StagePeer): readonly string[] {
  return peer.log.events.flatMap((event) => (event.t === 'state' ? [event.state] : []));
}

interface Trouble {
  readonly title: string;
  readonly run: (stage: Stage) => Promise<void>;
}
const troubles: Trouble[] = [];

/** What goes wrong in practice; run by the one test at the end. With `@chromium` in its title, there alone. */
function trouble(title: string, run: Trouble['run']): void {
  troubles.push({ title, run });
}

trouble(
  'a borrowed call whose SDK does not come back is stalled, and up again once its owner has connected it',
  async (stage) => {
    const pair = await openTwo(stage, 'borrowed');
    await exchange(pair, 'before');
    await stage.server.kill();
    try {
      await Promise.all(pair.map((peer) => untilState(peer, 'down', 40_000)));
      const downMs = Date.now();
      await Promise.all(pair.map((peer) => untilState(peer, 'stalled', 60_000)));
      console.log(`stalled ${Date.now() - downMs} ms after it went down`);
      for (const peer of pair) {
        await untilError(peer, 'transport/stalled');
        expect(await peer.self()).toBe('');
        await expect(peer.send('late', 'all')).rejects.toMatchObject({ code: 'transport/stalled' });
      }
    } finally {
      await stage.server.start();
    }
    for (const peer of pair) {
      const token = await stage.server.token(pair.room, peer.identity);
      await peer.page.evaluate(
        async ([source, url, token]) => {
          await window.stage.calls[source]?.disconnect();
          await window.stage.calls[source]?.connect(url, token);
        },
        [peer.source, stage.server.url, token] as const,
      );
    }
    await Promise.all(pair.map(untilUp));
    await exchange(pair, 'after');
    for (const peer of pair) expect(codesOf(peer.log.events)).toEqual(['transport/stalled']);
    expect(textsOf(pair[0])).toEqual(['before from bob', 'after from bob']);
  },
);

trouble('livekitData is back within seconds after its server was killed and started again', async (stage) => {
  const pair = await openTwo(stage, 'own');
  await exchange(pair, 'before');
  await stage.server.kill();
  try {
    await Promise.all(pair.map((peer) => untilState(peer, 'down')));
    await expect(pair[0].send('into the void', 'all')).rejects.toMatchObject({ code: 'transport/down' });
    // Down long enough for several tries to have failed.
    await expect.poll(() => stage.asked.get('ada')).toBeGreaterThan(3);
  } finally {
    await stage.server.start();
  }
  const startedMs = Date.now();
  await Promise.all(pair.map((peer) => untilState(peer, 'up', 30_000)));
  const upMs = Date.now() - startedMs;
  await exchange(pair, 'after');
  console.log(`livekitData up again ${upMs} ms after the server was, frames at ${Date.now() - startedMs} ms`);
  expect(Date.now() - startedMs).toBeLessThan(30_000);
  expect(textsOf(pair[1])).not.toContain('into the void');
  expect(statesOf(pair[0])).toEqual(['up', 'down', 'up']);
});

trouble(
  'a borrowed call that its SDK repairs goes down and up, with everybody announced anew @chromium',
  async (stage) => {
    for (const scenario of ['signal-reconnect', 'full-reconnect'] as const) {
      const pair = await openTwo(stage, 'borrowed');
      await pair[0].page.evaluate(
        async ([source, scenario]) => {
          await window.stage.calls[source]?.simulateScenario(scenario);
        },
        [pair[0].source, scenario] as const,
      );
      await pair[0].log.until('up again', () => statesOf(pair[0]).length >= 3);
      await untilHere(pair[0], 'bob');
      await exchange(pair, scenario);
      expect(statesOf(pair[0])).toEqual(['up', 'down', 'up']);
    }
  },
);

for (const kind of ['own', 'borrowed'] as const) {
  trouble(
    `${kind === 'own' ? 'livekitData' : 'a borrowed call'} says that its identity was taken, and does not fight for it`,
    async (stage) => {
      const pair = await openTwo(stage, kind);
      const [ada, bob] = pair;
      const asked = stage.asked.get('ada');
      const thief = await stage.open('own', { page: stage.pages[1], room: pair.room, identity: 'ada' });
      await untilUp(thief);
      await untilError(ada, 'transport/identity-taken');
      await untilState(ada, 'down');
      await expect(ada.send('late', 'all')).rejects.toMatchObject({ code: 'transport/down' });
      // The others are told of a new session under the address, which takes the server seconds; a fight would show by then.
      await bob.log.until('the new session', (events) => events.filter(isAdaHere).length >= 2);
      await exchange([thief, bob], 'now');
      expect(statesOf(thief)).toEqual(['up']);
      expect(statesOf(ada)).toEqual(['up', 'down']);
      expect(lastChange(bob.log.events, 'ada')).toBe('here');
      if (kind === 'own') expect(stage.asked.get('ada')).toBe((asked ?? 0) + 1);
    },
  );
}

trouble('livekitData that is thrown out says so and stays away', async (stage) => {
  const pair = await openTwo(stage, 'own');
  const [ada, bob] = pair;
  const asked = stage.asked.get('ada');
  await stage.server.remove(pair.room, 'ada');
  await untilError(ada, 'transport/removed');
  await untilState(ada, 'down');
  await bob.log.until('the goodbye', (events) => lastChange(events, 'ada') === 'gone');
  expect(await stage.server.participants(pair.room)).toEqual(['bob']);
  expect(stage.asked.get('ada')).toBe(asked);
});

for (const [what, spoil] of [
  ['an expired token', { ttl: -300 }],
  ['a token of another server', { secret: 'of-another-server-altogether-0123456789' }],
] as const) {
  trouble(
    `${what} is reported without the token; the next one is asked for, and a good one connects`,
    async (stage) => {
      const room = `token-${rooms++}`;
      const bad = new AccessToken(stage.server.apiKey, 'secret' in spoil ? spoil.secret : stage.server.apiSecret, {
        identity: 'ada',
        ttl: 'ttl' in spoil ? spoil.ttl : 600,
      });
      bad.addGrant({ room, roomJoin: true });
      const badToken = await bad.toJwt();
      let isGood = false;
      const ada = await stage.open('own', {
        page: stage.pages[0],
        room,
        identity: 'ada',
        token: async () => (isGood ? stage.server.token(room, 'ada') : badToken),
      });
      await untilError(ada, 'transport/token-refused');
      const askedAtFirst = stage.asked.get('ada') ?? 0;
      await expect.poll(() => stage.asked.get('ada')).toBeGreaterThan(askedAtFirst + 1);
      // Told once, not at each try.
      expect(codesOf(ada.log.events)).toEqual(['transport/token-refused']);
      for (const part of badToken.split('.')) expect(JSON.stringify(ada.log.events)).not.toContain(part);
      isGood = true;
      await untilUp(ada);
    },
  );
}

trouble('no token, or one that does not let it publish data, is told once and never up', async (stage) => {
  const room = `token-${rooms++}`;
  const barred = (identity: string) => async (): Promise<string> =>
    stage.server.token(room, identity, { canPublishData: false });
  let token = (): Promise<string> => Promise.reject(new Error('the endpoint is down'));
  const ada = await stage.open('own', { page: stage.pages[0], room, identity: 'ada', token: () => token() });
  const bob = await stage.open('borrowed', { page: stage.pages[1], room, identity: 'bob', token: barred('bob') });
  await expect.poll(() => stage.asked.get('ada')).toBeGreaterThan(2);
  token = barred('ada');
  await untilError(ada, 'transport/token-refused');
  const asked = stage.asked.get('ada') ?? 0;
  await expect.poll(() => stage.asked.get('ada')).toBeGreaterThan(asked + 1);
  expect(codesOf(ada.log.events)).toEqual(['transport/unavailable', 'transport/token-refused']);
  expect(codesOf(bob.log.events)).toEqual(['transport/token-refused']);
  expect([...statesOf(ada), ...statesOf(bob)]).toEqual([]);
  token = async () => stage.server.token(room, 'ada');
  await untilUp(ada);
});

trouble(
  'livekitData makes a new connection when its data channel has died under a call that looks well',
  async (stage) => {
    const pair = await openTwo(stage, 'own');
    await exchange(pair, 'before');
    await pair[0].page.evaluate(() => {
      const open = window.stage.channels.filter(
        (channel) => channel.label === '_reliable' && channel.readyState === 'open',
      );
      if (open.length === 0) throw new Error('no channel to close');
      for (const channel of open) channel.close();
    });
    const closedMs = Date.now();
    await pair[0].log.until('a new connection', () => statesOf(pair[0]).length >= 3);
    console.log(`a dead channel was replaced after ${Date.now() - closedMs} ms`);
    expect(statesOf(pair[0])).toEqual(['up', 'down', 'up']);
    await exchange(pair, 'after');
  },
);

for (const [what, away, back] of [
  ['put away', 'pagehide', 'pageshow'],
  ['frozen', 'freeze', 'resume'],
] as const) {
  // The events alone: a browser driven from outside neither freezes a page nor puts it away.
  trouble(`livekitData leaves when its page is ${what} and is back with it`, async (stage) => {
    const pair = await openTwo(stage, 'own');
    await tellPage(pair[0], away);
    await untilState(pair[0], 'down');
    await pair[1].log.until('the goodbye', (events) => lastChange(events, 'ada') === 'gone');
    expect(statesOf(pair[0])).toEqual(['up', 'down']);
    await tellPage(pair[0], back);
    await untilUp(pair[0]);
    await untilHere(pair[1], 'ada');
    await exchange(pair, 'after');
  });
}

test('what goes wrong in practice, each on a server and pages of its own', async ({ browser, browserName }, info) => {
  test.setTimeout(180_000);
  const here = troubles.filter(({ title }) => browserName === 'chromium' || !title.endsWith('@chromium'));
  await aFewAtATime(here, ({ title, run }) => test.step(title, () => onStage(browser, info, run)));
  console.log(`${browserName}: ${here.length} troubles of LiveKit transports`);
});

function isAdaHere(event: ContractEvent): boolean {
  return event.t === 'peer' && event.address === 'ada' && event.change === 'here';
}

async function tellPage(peer: StagePeer, type: string): Promise<void> {
  await peer.page.evaluate((type) => {
    const isOfWindow = type.startsWith('page');
    (isOfWindow ? window : document).dispatchEvent(new Event(type));
  }, type);
}
