import { test } from 'vitest';
import { fromHex } from '../../src/core/base/index.js';
import { encodeDeclaration } from '../../src/core/schema/index.js';
import { createMemoryNetwork } from '../../src/transport/index.js';
import type { MemoryDisk } from '../storage/index.js';
import { act } from './core.kit.js';
import { createRoomCore } from './room/core.js';
import { mintEpoch } from './room/epochs.js';
import { loadRoom } from './room/load.js';
import { readRoomRow } from './room/rows.js';
import { createStepLoop } from './room/step.js';
import { nodeTime, startDevice, testDeclaration, until, type RigRoom } from './rig.kit.js';

const declaration = encodeDeclaration(testDeclaration);
const zeros32 = new Uint8Array(32);

/** What a device that is alone with itself makes of many concurrent grants. */
async function mintAlone(disk: MemoryDisk, room: string, count: number): Promise<void> {
  const { ports, engine } = await startDevice({ disk });
  const row = readRoomRow(await ports.store.get('rooms', [room]), ports.vault);
  const keys = row && (await ports.vault.openDeviceKeys(row.handle));
  if (!row || !keys) throw new TypeError('mintAlone: no room');
  const report = (error: unknown): never => {
    throw error;
  };
  const loop = createStepLoop({ store: ports.store, report, committed: () => undefined, failed: report });
  const boot = fromHex(row.boots.at(-1) ?? '') ?? zeros32;
  const core = createRoomCore({ ports, roomId: fromHex(room) ?? zeros32, keys, boot, row, loop });
  await loadRoom(core);
  for (let i = 0; i < count; i++) await act(core, (step) => mintEpoch(core, step));
  await engine.stop();
}

test.for([
  { of: 'one', mints: [4, 0] as const },
  { of: 'both', mints: [5, 6] as const },
])('[X5] epochs that $of made while nobody met cut nobody off, however many', async ({ mints }) => {
  const network = createMemoryNetwork({ random: () => 0.5, schedule: (ms, run) => nodeTime.after(ms, run) });
  const devices = [await startDevice(), await startDevice()];
  const tabs = devices.map((device) => device.tab());
  const create = { request: 'aa'.repeat(16), key: null, title: 'Plans', declaration };
  const { room } = (await tabs[0]?.call('create', { ...create, profile: { name: 'Ada', color: null } })) ?? {
    room: '',
  };
  for (const [i, tab] of tabs.entries()) tab.lend(room, network.transport(String(i)));
  const made = { room, request: '1', role: { rank: 20, perms: 7, write: null }, maxUses: 5, expiresInMs: 600_000 };
  const link = (await tabs[0]?.call('createInvite', made))?.code ?? '';
  await tabs[1]?.call('join', { join: 'j', link, declaration, profile: { name: 'Bob', color: null } });
  await until(() => tabs.every((tab) => tab.room(room).info().undelivered === 0));
  for (const [i, device] of devices.entries()) {
    tabs[i]?.gone();
    await device.engine.stop();
    await mintAlone(device.disk, room, mints[i] ?? 0);
  }

  const again: RigRoom[] = [];
  const engines = [];
  for (const [i, { disk }] of devices.entries()) {
    const device = await startDevice({ disk });
    const tab = device.tab();
    await tab.call('open', { room, declaration });
    tab.lend(room, network.transport(`again ${String(i)}`));
    again.push(tab.room(room));
    engines.push(device.engine);
  }
  for (const [i, one] of again.entries()) one.insertCard(String(i));
  await until(() => again.every((one) => one.rows('cards').size === 2), { ms: 20_000, what: 'both see both' });
  for (const engine of engines) await engine.stop();
});
