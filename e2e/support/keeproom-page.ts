/**
 * Drives e2e/pages/room: what all the specs of the built package have in common. Every page it opens has a
 * `crypto.subtle` that throws, so that each of them also proves that the page leaves cryptography to its worker.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, type BrowserContext, type Page, type TestInfo } from '@playwright/test';
import ts from 'typescript';
import type { FromProbe, Probed, ToProbe } from '../pages/probe.js';
import type { EngineStats, Harness, Outcome, Role, Via } from '../pages/room.js';
import { startStatic, type StaticOptions, type StaticServer } from './static-server.js';

export const pagePath = '/pages/room.html';

/** The package's worker behind e2e/pages/probe: as `worker` of a device. */
export const probeWorker = '/pages/probe-worker.js';
const probeWorkerScript = `import './probe.js';\nimport '/dist/worker.js';\n`;

/** A device in a page. Waits are bounded; a refusal comes back as its code. */
export interface Peer {
  readonly page: Page;
  readonly name: string;
  readonly create: (o?: { key?: string; title?: string; networks?: readonly Via[] }) => Promise<string>;
  readonly open: (idOrKey: string, networks?: readonly Via[]) => Promise<boolean>;
  /** Begins to join. */
  readonly join: (invite: string, networks?: readonly Via[]) => Promise<void>;
  /** How the join ended; an error of the test when it does not end. */
  readonly joined: (patienceMs?: number) => Promise<Outcome<string>>;
  readonly invite: (o: { role: Role; maxUses?: number; expiresInMs?: number }) => ReturnType<Harness['invite']>;
  readonly attach: (network: Via) => Promise<void>;
  readonly detachAll: () => Promise<void>;
  /** One transaction per text; resolves when all are saved. */
  readonly write: (...texts: readonly string[]) => Promise<void>;
  readonly texts: () => Promise<readonly string[]>;
  /** Waits until the cards show exactly these texts, in this order. */
  readonly shows: (texts: readonly string[], patienceMs?: number) => Promise<void>;
  readonly members: () => Promise<readonly { readonly name: string; readonly role: string }[]>;
  readonly status: () => Promise<{ readonly network: string; readonly unsaved: number; readonly undelivered: number }>;
  readonly stats: () => Promise<EngineStats>;
  /** Fault code → count, of its one room. */
  readonly faults: () => Promise<Readonly<Record<string, number>>>;
  readonly rejected: () => Promise<readonly { readonly code: string; readonly collection: string }[]>;
  /** Every frame that passed its networks, in base64. */
  readonly frames: () => Promise<readonly { readonly way: 'in' | 'out'; readonly base64: string }[]>;
  readonly close: () => Promise<void>;
}

export interface PeerOptions {
  readonly namespace?: string;
  readonly person?: string;
  readonly storage?: 'indexeddb' | 'memory';
  readonly worker?: string;
}

/** The harness with the built package behind it; `KEEPROOM_DIST` names another build to test. */
export function startHarness(options: StaticOptions = {}): Promise<StaticServer> {
  const dist = process.env['KEEPROOM_DIST'];
  return startStatic({
    ...options,
    folders: { ...(dist === undefined ? {} : { '/dist/': dist }), ...options.folders },
    files: {
      '/pages/room.js': compiled('../pages/room.ts'),
      '/pages/probe.js': compiled('../pages/probe.ts'),
      [probeWorker]: probeWorkerScript,
      ...options.files,
    },
  });
}

/** A script of e2e as a browser takes it. `path` is relative to this file. */
export function compiled(path: string): string {
  const source = readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');
  const { ES2022, ESNext } = { ES2022: ts.ScriptTarget.ES2022, ESNext: ts.ModuleKind.ESNext };
  return ts.transpileModule(source, { compilerOptions: { target: ES2022, module: ESNext, verbatimModuleSyntax: true } })
    .outputText;
}

/** Opens the harness. `fragment` is what follows the address. */
export async function openPage(context: BrowserContext, server: StaticServer, fragment = ''): Promise<Page> {
  const page = await context.newPage();
  listen(page);
  await page.addInitScript(forbidSubtle);
  await page.goto(`${server.origin}${pagePath}${fragment}`);
  await ready(page);
  return page;
}

/** Also after a reload. */
export async function ready(page: Page): Promise<void> {
  await page.locator('html[data-ready=yes]').waitFor({ state: 'attached', timeout: 10_000 });
}

const said = new WeakMap<Page, string[]>();

function listen(page: Page): void {
  const lines: string[] = [];
  said.set(page, lines);
  page.on('console', (message) => lines.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => lines.push(`thrown: ${String(error)}`));
}

/** What the pages of a context wrote to their consoles or threw: attached to a test that fails. */
export async function attachSaid(info: TestInfo, contexts: readonly BrowserContext[]): Promise<void> {
  if (info.status === info.expectedStatus) return;
  const lines = contexts.flatMap((context) => context.pages()).flatMap((page) => said.get(page) ?? []);
  await info.attach('what the pages said', { body: lines.join('\n') });
}

/** In the page, before any script of it. Workers have a `crypto` of their own. */
export function forbidSubtle(): void {
  // A blank page is no secure context, and has nothing to forbid.
  if (!('SubtleCrypto' in window)) return;
  for (const name of Object.getOwnPropertyNames(SubtleCrypto.prototype)) {
    if (name === 'constructor') continue;
    const value = (): never => {
      throw new Error(`crypto.subtle.${name} was called on the page`);
    };
    Object.defineProperty(SubtleCrypto.prototype, name, { configurable: true, value });
  }
}

/** Puts a device into a page. */
export async function peer(page: Page, name: string, o: PeerOptions = {}): Promise<Peer> {
  const options = { namespace: name, ...o };
  await page.evaluate(([who, given]) => window.kr.device(who, given), [name, options] as const);
  return peerOf(page, name);
}

/** A device that the page has already. */
export function peerOf(page: Page, name: string): Peer {
  const texts = (): Promise<readonly string[]> => page.evaluate((who) => window.kr.texts(who), name);
  const stats = (): Promise<EngineStats> => page.evaluate((who) => window.kr.stats(who), name);
  return {
    page,
    name,
    create: (given = {}) => page.evaluate(([who, o]) => window.kr.create(who, o), [name, given] as const),
    open: (id, networks = []) =>
      page.evaluate(([who, room, nets]) => window.kr.open(who, room, nets), [name, id, networks] as const),
    join: (invite, networks = []) =>
      page.evaluate(([who, code, nets]) => window.kr.join(who, code, nets), [name, invite, networks] as const),
    joined: (patienceMs = 20_000) =>
      page.evaluate(([who, ms]) => window.kr.joined(who, ms), [name, patienceMs] as const),
    invite: (given) => page.evaluate(([who, o]) => window.kr.invite(who, o), [name, given] as const),
    attach: (network) => page.evaluate(([who, net]) => window.kr.attach(who, net), [name, network] as const),
    detachAll: () => page.evaluate((who) => window.kr.detachAll(who), name),
    write: (...given) => page.evaluate(([who, all]) => window.kr.write(who, all), [name, given] as const),
    texts,
    shows: async (wanted, timeout = 20_000) => {
      await expect.poll(texts, { timeout, intervals: [50], message: `${name}'s cards` }).toEqual(wanted);
    },
    members: () =>
      page.evaluate(
        (who) => window.kr.room(who).members.value.map(({ profile, role }) => ({ name: profile.name, role })),
        name,
      ),
    status: () =>
      page.evaluate((who) => {
        const { network, unsaved, undelivered } = window.kr.room(who).status.value;
        return { network, unsaved, undelivered };
      }, name),
    stats,
    faults: async () => Object.values((await stats()).faults)[0] ?? {},
    rejected: () =>
      page.evaluate(
        (who) => window.kr.devices[who]!.rejected.map(({ code, collection }) => ({ code, collection })),
        name,
      ),
    frames: () =>
      page.evaluate((who) => {
        const all = window.kr.devices[who]!.taps.flatMap((tap) => tap.frames);
        return all.map(({ way, bytes }) => ({ way, base64: btoa(String.fromCharCode(...bytes)) }));
      }, name),
    close: () => page.evaluate((who) => window.kr.close(who), name),
  };
}

/** What the worker of a device with {@link probeWorker} has done so far. */
export function probed({ page, name }: Peer): Promise<Probed> {
  return page.evaluate((who) => {
    const worker = window.kr.devices[who]?.worker;
    return new Promise<Probed>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the probe does not answer')), 10_000);
      worker?.addEventListener('message', function hear({ data }: MessageEvent<FromProbe | { readonly t: string }>) {
        if (!('probe' in data) || data.probe !== 'told') return;
        clearTimeout(timer);
        worker.removeEventListener('message', hear);
        resolve(data.probed);
      });
      const ask: ToProbe = { probe: 'tell' };
      worker?.postMessage(ask);
    });
  }, name);
}
