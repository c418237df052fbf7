/** Everything that can go wrong with an invite: exactly one grant, or a typed failure, and nobody sees the secret. */
import { createHash } from 'node:crypto';
import { expect, test, type BrowserContext } from '@playwright/test';
import type { FromProbe, ToProbe } from './pages/probe.js';
import type { Outcome, Via } from './pages/room.js';
import {
  attachSaid,
  openPage,
  pagePath,
  peer,
  probeWorker,
  ready,
  startHarness,
  type Peer,
} from './support/keeproom-page.js';
import type { StaticServer } from './support/static-server.js';

let server: StaticServer;
let channels = 0;
test.beforeAll(async () => {
  server = await startHarness();
});
test.afterAll(() => server.close());
test.afterEach(({ context }, info) => attachSaid(info, [context]));

/** JOIN_ASK and JOIN_ANSWER (X6). */
const [askType, answerType] = [0x0501, 0x0502];

const nextNetwork = (): Via => ({ via: 'broadcast', channel: `invite-${channels++}` });

/** A host with a room, in a page of its own. */
async function host(context: BrowserContext, network: Via, worker?: string): Promise<Peer> {
  const ada = await peer(await openPage(context, server), 'ada', worker === undefined ? {} : { worker });
  await ada.create({ key: 'room', networks: [network] });
  return ada;
}

const names = async (of: Peer): Promise<string[]> => (await of.members()).map(({ name }) => name).sort();
const codeOf = (outcome: Outcome<string>): string => (outcome.ok ? 'joined' : outcome.code);

/** How a join ends that nobody can answer: it waits, shown as such, until it is called off. */
async function waitsInVain(joiner: Peer): Promise<string> {
  const step = (): Promise<string | undefined> =>
    joiner.page.evaluate((who) => window.kr.devices[who]?.join?.state.value.step, joiner.name);
  await expect.poll(step).toBe('waiting-for-host');
  await joiner.page.evaluate((who) => window.kr.devices[who]?.join?.cancel(), joiner.name);
  const outcome = await joiner.joined();
  expect(await step()).toBe('failed');
  return codeOf(outcome);
}

test('[S16] a single-use invite used twice at once lets exactly one in', async ({ context, browserName }) => {
  const network = nextNetwork();
  const ada = await host(context, network);
  const page = await openPage(context, server);
  const rounds = 5;
  for (let round = 0; round < rounds; round++) {
    const { code, usesLeft } = await ada.invite({ role: 'editor', maxUses: 1 });
    expect(usesLeft).toBe(1);
    const pair = [await peer(page, `left-${round}`), await peer(page, `right-${round}`)];
    await Promise.all(pair.map((one) => one.join(code, [network])));
    const outcomes = await Promise.all(pair.map((one) => one.joined()));
    expect(outcomes.map(codeOf).sort()).toEqual(['invite/used', 'joined']);
    expect(await ada.members()).toHaveLength(2 + round);
    await expect.poll(() => ada.page.evaluate(() => window.kr.room('ada').invites.value.length)).toBe(0);
    await Promise.all(pair.map((one) => one.close()));
  }
  console.log(`[S16] ${browserName}: ${rounds} single-use invites used twice at once: ${rounds} grants`);
});

test('[S16] one request, answered by two admitters that may both: one grant', async ({ context }) => {
  const network = nextNetwork();
  const ada = await host(context, network);
  const { code } = await ada.invite({ role: 'editor' });
  const bob = await peer(await openPage(context, server), 'bob');
  await bob.join(code, [network]);
  expect(await bob.joined()).toMatchObject({ ok: true });
  const cem = await peer(bob.page, 'cem');
  await cem.join(code, [network]);
  expect(await cem.joined()).toMatchObject({ ok: true });
  for (const one of [ada, bob, cem]) await expect.poll(() => names(one)).toEqual(['ada', 'bob', 'cem']);
});

test('[S16] an expired, a revoked and a used invite say so', async ({ context }) => {
  const network = nextNetwork();
  const ada = await host(context, network);
  const page = await openPage(context, server);
  const { code: expired } = await ada.invite({ role: 'editor', expiresInMs: 1 });
  const { code: revoked, id } = await ada.invite({ role: 'editor' });
  await ada.page.evaluate((invite) => window.kr.room('ada').invites.revoke(invite).saved(), id);
  const { code: used } = await ada.invite({ role: 'viewer', maxUses: 1 });
  const first = await peer(page, 'first');
  await first.join(used, [network]);
  expect(codeOf(await first.joined())).toBe('joined');
  for (const [name, code, wanted] of [
    ['late', expired, 'invite/expired'],
    ['unwanted', revoked, 'invite/revoked'],
    ['second', used, 'invite/used'],
  ] as const) {
    const joiner = await peer(page, name);
    await joiner.join(code, [network]);
    expect(codeOf(await joiner.joined())).toBe(wanted);
    // And it left nothing behind on the device that was refused.
    expect(await page.evaluate((who) => window.kr.devices[who]!.client.rooms.value, name)).toEqual([]);
  }
  expect(await names(ada)).toEqual(['ada', 'first']);
});

/** An invite's code in its parts (X9): 1 | room 32 | secret 16 | first 4 of SHA-256 of all before. */
function withParts(code: string, change: (parts: { room: Buffer; secret: Buffer }) => void): string {
  const bytes = Buffer.from(code, 'base64url');
  change({ room: bytes.subarray(1, 33), secret: bytes.subarray(33, 49) });
  createHash('sha256').update(bytes.subarray(0, 49)).digest().copy(bytes, 49, 0, 4);
  return bytes.toString('base64url');
}

test('[S16] a tampered code, and a code for another room, are refused or wait in vain', async ({ context }) => {
  const network = nextNetwork();
  const ada = await host(context, network);
  const { code } = await ada.invite({ role: 'editor' });
  const other = await peer(await openPage(context, server), 'other');
  await other.create({ networks: [network] });
  const { code: elsewhere } = await other.invite({ role: 'editor' });
  const page = await openPage(context, server);

  const mistyped = [code.slice(1), `${code}A`, code.slice(0, -6), '', 'nonsense', ...flippedCharacters(code)];
  const cem = await peer(page, 'cem');
  for (const wrong of mistyped) {
    const outcome = await page.evaluate(
      ([text, net]) => window.kr.attempt(async () => window.kr.join('cem', text, [net])),
      [wrong, network] as const,
    );
    expect(outcome.ok ? codeOf(await cem.joined()) : outcome.name).toBe(wrong === '' ? 'RangeError' : 'invite/invalid');
  }
  expect(await cem.frames()).toEqual([]);

  const guessed = withParts(code, ({ secret }) => secret.set([secret[0]! ^ 1]));
  const roomOfOther = Buffer.from(elsewhere, 'base64url').subarray(1, 33);
  const misdirected = withParts(code, ({ room }) => room.set(roomOfOther));
  for (const [name, wrong] of Object.entries({ guessed, misdirected })) {
    const joiner = await peer(page, name);
    await joiner.join(wrong, [network]);
    expect(await waitsInVain(joiner)).toBe('aborted');
  }
  expect(await names(ada)).toEqual(['ada']);
  expect(await names(other)).toEqual(['other']);
  for (const one of [ada, other]) expect((await one.faults())['join/unknown-invite']).toBeGreaterThan(0);
  console.log(
    `[S16] ${mistyped.length} mistyped codes refused before anything was sent; 2 that look right wait in vain`,
  );
});

function flippedCharacters(code: string): string[] {
  return [0, 1, 7, 30, 44, 50, 60, code.length - 2].map(
    (at) => code.slice(0, at) + (code[at] === 'A' ? 'B' : 'A') + code.slice(at + 1),
  );
}

test('[S16] requests and answers that were changed on the way are counted, and the true ones go through', async ({
  context,
}) => {
  const network = nextNetwork();
  const ada = await host(context, network);
  const { code } = await ada.invite({ role: 'editor', maxUses: 1 });
  const bob = await peer(await openPage(context, server), 'bob');

  // The host gets every variant of the request first, each from an address of its own, and only then the request.
  await ada.page.evaluate((type) => {
    const [tap] = window.kr.devices['ada']!.taps;
    tap!.filter = ({ way, bytes }) => {
      if (way !== 'in' || bytes[0]! * 256 + bytes[1]! !== type) return true;
      tap!.filter = () => true;
      for (let at = 2; at < bytes.length; at += 7) {
        const changed = bytes.slice();
        changed[at]! ^= 0x10;
        tap!.inject(changed, `mischief-${at}`);
      }
      for (const length of [2, 19, 20, 44, bytes.length - 1]) tap!.inject(bytes.slice(0, length), `cut-${length}`);
      tap!.inject(bytes, 'another-address');
      return true;
    };
  }, askType);
  // The joiner gets changed answers first.
  const answers = bob.page.evaluate(
    (type) =>
      new Promise<number>((resolve) => {
        const wait = (): void => {
          const [tap] = window.kr.devices['bob']?.taps ?? [];
          if (tap === undefined) {
            setTimeout(wait, 5);
            return;
          }
          tap.filter = ({ way, bytes, from }) => {
            if (way !== 'in' || bytes[0]! * 256 + bytes[1]! !== type) return true;
            tap.filter = () => true;
            let count = 0;
            for (let at = 4; at < bytes.length; at += 7, count++) {
              const changed = bytes.slice();
              changed[at]! ^= 0x10;
              tap.inject(changed, from);
            }
            resolve(count);
            return true;
          };
        };
        wait();
      }),
    answerType,
  );
  await bob.join(code, [network]);
  expect(await bob.joined()).toMatchObject({ ok: true });
  // The profile comes from the joiner itself, later.
  await expect.poll(() => names(ada)).toEqual(['ada', 'bob']);
  const faults = await ada.faults();
  expect(Object.keys(faults).filter((fault) => !fault.startsWith('join/') && !fault.startsWith('frame/'))).toEqual([]);
  for (const fault of ['join/malformed', 'join/unknown-invite', 'join/bad-seal', 'join/bad-proof'])
    expect(faults[fault], fault).toBeGreaterThan(0);
  const refused = (await bob.faults())['join/bad-proof'] ?? 0;
  expect(refused).toBe(await answers);
  console.log(`[S16] changed requests: ${JSON.stringify(faults)}; ${refused} changed answers refused`);
});

/** Waits for what the probe in the host's worker, or a tap, has been told to look out for. */
function caught(ada: Peer): Promise<void> {
  return ada.page.evaluate(() => (window as unknown as { caught: Promise<void> }).caught);
}

/** The host comes back from its disk; gives who is a member there, before any network is up. */
async function reload(ada: Peer): Promise<{ again: Peer; onDisk: string[] }> {
  await ada.page.reload();
  await ready(ada.page);
  const again = await peer(ada.page, 'ada');
  expect(await again.open('room')).toBe(true);
  return { again, onDisk: await names(again) };
}

test('[S16] host reloaded between check and write: the same request gets one grant', async ({ context }) => {
  const network = nextNetwork();
  const ada = await host(context, network, probeWorker);
  const { code } = await ada.invite({ role: 'editor', maxUses: 1 });
  await ada.page.evaluate((type) => {
    const { taps, worker } = window.kr.devices['ada']!;
    const stop: ToProbe = { probe: 'stop-at-next-commit' };
    taps[0]!.filter = ({ way, bytes }) => {
      // The next commit of an engine that has nothing else to do is the grant's.
      if (way === 'in' && bytes[0]! * 256 + bytes[1]! === type) worker!.postMessage(stop);
      return true;
    };
    Object.assign(window, {
      caught: new Promise<void>((resolve) => {
        worker!.addEventListener('message', ({ data }: MessageEvent<FromProbe>) => {
          if (data.probe === 'stopped') resolve();
        });
      }),
    });
  }, askType);
  const bob = await peer(await openPage(context, server), 'bob');
  await bob.join(code, [network]);
  await caught(ada);
  const { again, onDisk } = await reload(ada);
  expect(onDisk).toEqual(['ada']);
  await again.attach(network);
  expect(await bob.joined(30_000)).toMatchObject({ ok: true });
  for (const one of [again, bob]) await expect.poll(() => names(one)).toEqual(['ada', 'bob']);
});

test('[S16] host reloaded between write and answer: the same request gets the same grant', async ({ context }) => {
  const network = nextNetwork();
  const ada = await host(context, network);
  const { code } = await ada.invite({ role: 'editor', maxUses: 1 });
  await ada.page.evaluate((type) => {
    Object.assign(window, {
      caught: new Promise<void>((resolve) => {
        window.kr.devices['ada']!.taps[0]!.filter = ({ way, bytes }) => {
          const isAnswer = way === 'out' && bytes[0]! * 256 + bytes[1]! === type;
          if (isAnswer) resolve();
          return !isAnswer;
        };
      }),
    });
  }, answerType);
  const bob = await peer(await openPage(context, server), 'bob');
  await bob.join(code, [network]);
  await caught(ada);
  const { again, onDisk } = await reload(ada);
  // The profile comes from the joiner itself, later.
  expect(onDisk).toHaveLength(2);
  await again.attach(network);
  expect(await bob.joined(30_000)).toMatchObject({ ok: true });
  for (const one of [again, bob]) await expect.poll(() => names(one)).toEqual(['ada', 'bob']);
  expect(Object.values((await again.stats()).counters)[0]).not.toHaveProperty('grantsWritten');
});

test('[S16] a joiner that reloads after the grant is the same joiner', async ({ context }) => {
  const network = nextNetwork();
  const ada = await host(context, network);
  const { code } = await ada.invite({ role: 'editor', maxUses: 1 });
  await ada.page.evaluate((type) => {
    const [tap] = window.kr.devices['ada']!.taps;
    tap!.filter = ({ way, bytes }) => way === 'in' || bytes[0]! * 256 + bytes[1]! !== type;
  }, answerType);
  const bob = await peer(await openPage(context, server), 'bob');
  await bob.join(code, [network]);
  await expect.poll(async () => (await ada.members()).length).toBe(2);
  await bob.page.reload();
  await ready(bob.page);
  await ada.page.evaluate(() => (window.kr.devices['ada']!.taps[0]!.filter = () => true));
  const again = await peer(bob.page, 'bob');
  await again.join(code, [network]);
  expect(await again.joined()).toMatchObject({ ok: true });
  for (const one of [ada, again]) await expect.poll(() => names(one)).toEqual(['ada', 'bob']);
});

test('[S16] the secret is in no frame, and not in the address bar once it is taken', async ({
  context,
  browserName,
}) => {
  const network = nextNetwork();
  const ada = await host(context, network);
  const { code, link } = await ada.invite({ role: 'editor' });
  expect(link).toBe(`${server.origin}${pagePath}#keeproom=${code}`);

  const page = await openPage(context, server, `#a=b&keeproom=${code}&c=d`);
  const before = await page.evaluate(() => history.length);
  const taken = await page.evaluate(() => [window.kr.takeInvite(), window.kr.takeInvite()]);
  expect(taken).toEqual([code, null]);
  expect(page.url()).toBe(`${server.origin}${pagePath}#a=b&c=d`);
  expect(await page.evaluate(() => history.length)).toBe(before);
  await page.goto(link);
  await page.reload();
  await ready(page);
  expect(await page.evaluate(() => window.kr.takeInvite())).toBe(code);
  expect(page.url()).toBe(`${server.origin}${pagePath}`);
  await page.reload();
  await ready(page);
  expect(await page.evaluate(() => window.kr.takeInvite())).toBe(null);

  const bob = await peer(page, 'bob');
  await bob.join(code, [network]);
  expect(await bob.joined()).toMatchObject({ ok: true });
  await bob.write('hello');
  await ada.shows(['hello']);
  const frames = [...(await ada.frames()), ...(await bob.frames())].map(({ base64 }) => Buffer.from(base64, 'base64'));
  const secret = Buffer.from(code, 'base64url').subarray(33, 49);
  const forms = [
    secret,
    ...(['hex', 'base64', 'base64url'] as const).map((form) => Buffer.from(secret.toString(form))),
  ];
  for (const form of [...forms, Buffer.from(code)]) expect(frames.filter((frame) => frame.includes(form))).toEqual([]);
  expect(frames.some((frame) => frame.readUInt16BE() === askType)).toBe(true);
  // No server was told either: a fragment is never sent.
  expect(server.requests.filter((path) => path.includes(code.slice(0, 20)))).toEqual([]);
  console.log(`[S16] ${browserName}: secret and code in none of ${frames.length} frames`);
});
