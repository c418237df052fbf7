/** Pages in which LiveKit transports live, driven from here as the peers of the contract suite. */
import type { Browser, BrowserContext, Page } from '@playwright/test';
import type { Room } from 'livekit-client';
import type { Transport } from 'keeproom';
import { createLog, type ContractEvent, type ContractPeer } from '../../src/transport/contract.kit.js';
import { startLivekit, type TestLivekit } from '../support/livekit.js';
import { startStatic, type StaticServer } from '../support/static-server.js';

/** Whose call a transport uses: `borrowed` is `livekit(call)`, `own` is `livekitData`. */
export type Kind = 'borrowed' | 'own';

/** A peer in a page; `source` names its transport and its call there. */
export interface StagePeer extends ContractPeer {
  readonly source: string;
  readonly page: Page;
  readonly identity: string;
}

export interface Stage {
  readonly server: TestLivekit;
  readonly pages: readonly [Page, Page];
  /** All that the pages wrote to their consoles or threw. */
  readonly said: readonly string[];
  /** How often each identity asked for a token. */
  readonly asked: ReadonlyMap<string, number>;
  /** Opens a transport in a page. `token` replaces the good one. */
  readonly open: (
    kind: Kind,
    at: { page: Page; room: string; identity: string; token?: () => Promise<string> },
  ) => Promise<StagePeer>;
  /** Another use of the transport of `peer`. */
  readonly again: (peer: StagePeer) => Promise<StagePeer>;
  readonly close: () => Promise<void>;
}

/** What lies on the window of a page. */
interface PageSide {
  readonly transports: Record<string, Transport>;
  readonly links: Record<string, ReturnType<Transport['open']>>;
  readonly calls: Record<string, Room>;
  readonly channels: RTCDataChannel[];
}
declare global {
  interface Window {
    stage: PageSide;
    tellTest: (id: string, event: ContractEvent) => Promise<void>;
    askForToken: (id: string) => Promise<string>;
  }
}

/** Runs what it is given one after the other. */
function queue(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const mine = last.then(run);
    last = mine.catch(() => undefined);
    return mine;
  };
}

/** Firefox opens a page in a window that it looks for: one that is being closed meanwhile is an error. */
const inTurn = queue();

/** A server, and two pages in contexts of their own. */
export async function openStage(browser: Browser): Promise<Stage> {
  const server = await startLivekit();
  const files = await startStatic();
  const contexts = [await browser.newContext(), await browser.newContext()] as const;
  const said: string[] = [];
  const asked = new Map<string, number>();
  const peers = new Map<string, StagePeer>();
  const tokens = new Map<string, () => Promise<string>>();
  const pages = [await openPage(contexts[0], files), await openPage(contexts[1], files)] as const;
  for (const page of pages) {
    page.on('console', (message) => said.push(`${new Date().toISOString()} ${message.text()}`));
    page.on('pageerror', (error) => said.push(String(error)));
    await page.exposeFunction('tellTest', (id: string, event: ContractEvent) => peers.get(id)?.log.push(event));
    await page.exposeFunction('askForToken', (id: string) => tokens.get(id)?.());
    await page.goto(files.origin);
  }
  let opened = 0;

  // Firefox opens one socket per server at a time: many joins at once can stand in each other's way until they time out.
  const afterOthers = queue();

  const use = async (page: Page, source: string, identity: string): Promise<StagePeer> => {
    const id = `use-${opened++}`;
    const peer = remotePeer(page, { id, identity, source });
    peers.set(id, peer);
    await page.evaluate(openUse, [source, id] as const);
    return peer;
  };

  return {
    server,
    pages,
    said,
    asked,
    open: async (kind, { page, room, identity, token = () => server.token(room, identity) }) => {
      const source = `transport-${opened++}`;
      tokens.set(source, () => {
        asked.set(identity, (asked.get(identity) ?? 0) + 1);
        return token();
      });
      return afterOthers(async () => {
        await page.evaluate(makeTransport, [kind, source, server.url] as const);
        const peer = await use(page, source, identity);
        if (kind === 'borrowed') await page.evaluate(connectCall, [source, server.url, await token()] as const);
        // Something is told in any case: that it is up, or what is wrong.
        await peer.log.until('anything', (events) => events.length > 0);
        return peer;
      });
    },
    again: (peer) => use(peer.page, peer.source, peer.identity),
    close: async () => {
      // A browser that is merely ended leaves ghosts in the rooms.
      await Promise.all(pages.map((page) => page.evaluate(leaveAll)));
      await inTurn(() => Promise.all(contexts.map((context) => context.close())));
      await files.close();
      await server.stop();
    },
  };
}

async function openPage(context: BrowserContext, files: StaticServer): Promise<Page> {
  const page = await inTurn(() => context.newPage());
  await page.addInitScript(() => {
    const channels: RTCDataChannel[] = [];
    const create = RTCPeerConnection.prototype.createDataChannel;
    RTCPeerConnection.prototype.createDataChannel = function (...args) {
      const channel = create.apply(this, args);
      channels.push(channel);
      return channel;
    };
    window.stage = { transports: {}, links: {}, calls: {}, channels };
  });
  await page.goto(files.origin);
  return page;
}

async function makeTransport([kind, source, url]: readonly [Kind, string, string]): Promise<void> {
  const { livekit, livekitData } = await import('keeproom/livekit');
  if (kind === 'own') {
    window.stage.transports[source] = livekitData({ url, token: () => window.askForToken(source) });
    return;
  }
  const { Room } = await import('livekit-client');
  const call = new Room();
  window.stage.calls[source] = call;
  window.stage.transports[source] = livekit(call);
}

async function connectCall([source, url, token]: readonly [string, string, string]): Promise<void> {
  await window.stage.calls[source]?.connect(url, token);
}

function openUse([source, id]: readonly [string, string]): void {
  const transport = window.stage.transports[source];
  if (transport === undefined) throw new Error(`no transport ${source}`);
  let isOpened = false;
  const tell = (event: ContractEvent): void => {
    if (!isOpened) void window.tellTest(id, { t: 'early' });
    void window.tellTest(id, event);
  };
  window.stage.links[id] = transport.open({
    frame: (bytes, from) => {
      const end = bytes.indexOf(0);
      const text = String.fromCharCode(...bytes.subarray(0, end < 0 ? Math.min(bytes.length, 256) : end));
      tell({ t: 'frame', text, length: bytes.length, from });
      bytes.fill(0xdd);
    },
    peer: (address, change) => tell({ t: 'peer', address, change }),
    state: (state) => tell({ t: 'state', state }),
    error: ({ code, message }) => tell({ t: 'error', code, message }),
  });
  isOpened = true;
}

function remotePeer(page: Page, { id, identity, source }: { id: string; identity: string; source: string }): StagePeer {
  const log = createLog();
  return {
    source,
    page,
    identity,
    log,
    self: () => page.evaluate((id) => window.stage.links[id]?.self ?? '', id),
    maxFrameBytes: () => page.evaluate((id) => window.stage.links[id]?.maxFrameBytes ?? 0, id),
    send: async (text, to, length = text.length) => {
      const failure = await page.evaluate(sendText, [id, text, to, length] as const);
      if (failure !== null) throw Object.assign(new Error(failure.message), failure);
    },
    close: () => page.evaluate((id) => window.stage.links[id]?.close(), id),
    leave: () =>
      page.evaluate(
        async ([id, source]) => {
          window.stage.links[id]?.close();
          await window.stage.calls[source]?.disconnect();
        },
        [id, source] as const,
      ),
    ignored: () => page.evaluate((id) => window.stage.links[id]?.ignored?.() ?? 0, id),
  };
}

interface Failure {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

async function sendText([id, text, to, length]: readonly [
  string,
  string,
  readonly string[] | 'all',
  number,
]): Promise<Failure | null> {
  const frame = new Uint8Array(length + 16).subarray(8, 8 + length);
  frame.set(Uint8Array.from(text, (char) => char.charCodeAt(0)));
  const sent = window.stage.links[id]?.send(frame, to, { lossy: false });
  frame.fill(0xee);
  try {
    await sent;
    return null;
  } catch (error) {
    const { name, message, code } = error as Error & { readonly code?: string };
    return { name, message, code: code ?? '' };
  }
}

async function leaveAll(): Promise<void> {
  for (const link of Object.values(window.stage.links)) link.close();
  await Promise.all(Object.values(window.stage.calls).map((call) => call.disconnect()));
}
