import { connect } from 'node:net';
import { expect, test, type Page } from '@playwright/test';
import { startLivekit } from './support/livekit.js';
import { startStatic } from './support/static-server.js';

test.describe('the livekit-server of the tests', () => {
  test('starts on loopback, answers, and ends with its own process only', async () => {
    const server = await startLivekit();
    const other = await startLivekit();
    try {
      expect((await fetch(server.httpUrl)).status).toBe(200);
      expect(isAlive(server.pid)).toBe(true);

      const { pid } = server;
      await server.stop();
      await server.stop();
      expect(isAlive(pid)).toBe(false);
      expect(server.pid).toBeUndefined();
      expect(await answers(server.httpUrl)).toBe(false);
      expect(isAlive(other.pid)).toBe(true);

      await server.start();
      expect((await fetch(server.httpUrl)).status).toBe(200);
      await server.kill();
      expect(await answers(server.httpUrl)).toBe(false);
    } finally {
      await server.stop();
      await other.stop();
    }
  });

  test('two pages meet in a room, the server lists both, and data goes from one to the other', async ({ browser }) => {
    const server = await startLivekit();
    const files = await startStatic();
    const contexts = [await browser.newContext(), await browser.newContext()];
    try {
      // One after the other: Firefox can fail to make two at once.
      const [ada, bob] = [await contexts[0]!.newPage(), await contexts[1]!.newPage()];
      for (const [page, identity] of [[ada, 'ada'] as const, [bob, 'bob'] as const]) {
        await page.goto(files.origin);
        await join(page, server.url, await server.token('meeting', identity));
      }
      expect(await server.participants('meeting')).toEqual(['ada', 'bob']);
      expect(await server.participants('elsewhere')).toEqual([]);

      await ada.evaluate(() => (window as unknown as Meeting).send('hello'));
      await expect.poll(() => bob.evaluate(() => (window as unknown as Meeting).received)).toEqual(['ada: hello']);

      await server.stop();
      expect(await answers(server.httpUrl)).toBe(false);
    } finally {
      await Promise.all(contexts.map((context) => context.close()));
      await files.close();
      await server.stop();
    }
  });
});

interface Meeting {
  received: string[];
  send: (text: string) => Promise<void>;
}

/** Joins with the bare SDK and leaves on the window what the test looks at. */
async function join(page: Page, url: string, token: string): Promise<void> {
  await page.evaluate(
    async ([url, token]) => {
      const { Room, RoomEvent } = await import('livekit-client');
      const room = new Room();
      const meeting: Meeting = {
        received: [],
        send: (text) => room.localParticipant.publishData(new TextEncoder().encode(text), { reliable: true }),
      };
      room.on(RoomEvent.DataReceived, (bytes, participant) => {
        meeting.received.push(`${String(participant?.identity)}: ${new TextDecoder().decode(bytes)}`);
      });
      await room.connect(url, token);
      Object.assign(window, meeting);
    },
    [url, token] as const,
  );
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Whether anybody listens there: a refused connection, not merely an error of HTTP. */
function answers(httpUrl: string): Promise<boolean> {
  const { hostname, port } = new URL(httpUrl);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
