import { expect, test } from 'vitest';
import { toHex } from '../../src/core/base/index.js';
import { createReassembly } from '../../src/core/flow/index.js';
import { decodePack, type SealedPack } from '../../src/core/pack/index.js';
import { toClockEntries } from '../../src/core/reconcile/index.js';
import { decodeFragment, decodeSyncDone, frameTypes, type SyncReq } from '../../src/core/wire/index.js';
import { domainNamed, insertOf, payloadOf } from './content.kit.js';
import { act, foundCore, linkTo, memberCore, peerOf, unitsOf } from './core.kit.js';
import { domainOf, domainsInOrder } from './replica/index.js';
import { sendEpoch, type RoomCore } from './room/core.js';
import { mintEpoch } from './room/epochs.js';
import { ingestUnit } from './room/ingest.js';
import { takeWrites } from './room/local.js';
import { clockOf, summaryOf } from './room/net/lacking.js';
import { serve } from './room/net/source.js';

const base = 0x7_0000;

/** So many records of a collection of that domain, each with a text in this field: of 300 the pack is served as it lies. */
async function write(core: RoomCore, [domain, collection, field]: readonly string[], count: number): Promise<void> {
  const domainHex = domainNamed(core, domain ?? '');
  const from = (core.marks.get('page') ?? 0) + 1;
  const writes = Array.from({ length: count }, (_, i) => {
    const payload = payloadOf(insertOf(core, collection ?? '', { [field ?? '']: `${'x'.repeat(200)} ${String(i)}` }));
    return { tab: 'page', prev: 0, n: from + i, domainHex, payload };
  });
  await act(core, (step) => takeWrites(core, step, { writes, isCleared: true }));
}

function requestOf({ state }: RoomCore): SyncReq {
  const domains = domainsInOrder(state).flatMap((key) => {
    const domain = domainOf(state, key);
    const window = { after: null, upTo: null };
    return domain === null ? [] : [{ ...summaryOf(domain), entries: toClockEntries(clockOf(domain)), window }];
  });
  const whom = { want: 1, prefer: null, exclude: [], controlOnly: false };
  return { reqId: new Uint8Array(16), attempt: 0, ...whom, transfer: base, domains, held: [] };
}

/** What `of` is served by a source whose window is full once: before the first pack, until `meanwhile` is over. */
async function served(
  core: RoomCore,
  of: RoomCore,
  meanwhile: () => Promise<void>,
): Promise<{ readonly packs: readonly SealedPack[]; readonly complete: boolean | null }> {
  const { netLink, clear, sent } = linkTo(core, [peerOf(of)]);
  let isOpen = false;
  const window = { ...netLink.windowOf('a'), canSend: () => isOpen };
  const windowMoved = async (): Promise<boolean> => {
    // Long enough for everything that is read ahead to be here.
    await new Promise((resolve) => setTimeout(resolve, 200));
    await meanwhile();
    return (isOpen = true);
  };
  const link = { ...netLink, windowOf: () => window };
  await serve(core, { req: requestOf(of), peer: peerOf(of), netLink: link, transfer: base, floors: [], windowMoved })
    .done;
  const reassembly = createReassembly();
  reassembly.grant(base);
  const packs = clear.flatMap((frame) => {
    const fragment = decodeFragment(frame);
    const added = fragment.ok ? reassembly.add(fragment.value) : fragment;
    const pack = added.ok && added.value.pack !== null ? decodePack(added.value.pack) : null;
    return pack?.ok === true ? [pack.value] : [];
  });
  const end = sent.find(({ type }) => type === frameTypes.syncDone);
  const done = end && decodeSyncDone(end.body);
  return { packs, complete: done?.ok === true ? done.value.complete : null };
}

const main = ['main', 'cards', 'text'];
const chat = ['chat', 'chat', 'body'];

test('[X5] under which key a pack leaves is decided in its turn, however early it was read', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  await write(ada, main, 300);
  await write(ada, chat, 300);
  const { packs } = await served(ada, bob, () => act(ada, (step) => mintEpoch(ada, step)).then(() => undefined));
  const kid = toHex(sendEpoch(ada)?.kid ?? new Uint8Array());
  // The first had been made when the window was full.
  expect(packs.map(({ count, sealKid }) => [count, toHex(sealKid) === kid])).toEqual([
    [300, false],
    [300, true],
  ]);
}, 60_000);

test('[SYN-3] what was not stored yet when it was read ahead is read again in its turn', async () => {
  const ada = await foundCore();
  const [bob, dan] = [await memberCore(ada), await memberCore(ada)];
  await write(ada, main, 300);
  await write(dan, chat, 10);
  const inChat = domainNamed(ada, 'chat');
  const units = (await unitsOf(dan)).filter(
    ({ author, domainId }) => toHex(author) === dan.device && toHex(domainId) === inChat,
  );
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const stepped = act(ada, async (step) => {
    for (const unit of units) await ingestUnit(ada, step, { unit, bytes: 500 });
    await ended;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const { packs, complete } = await served(ada, bob, async () => {
    end();
    await stepped;
  });
  expect([packs.map(({ count }) => count).sort((a, b) => a - b), complete]).toEqual([[1, 10, 300], true]);
}, 60_000);
