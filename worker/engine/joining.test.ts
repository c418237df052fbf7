import { expect, test, vi } from 'vitest';
import { copyBytes, type Bytes } from '../../src/core/base/index.js';
import { kidOf, sha256 } from '../../src/core/crypto/index.js';
import { decodeInviteCode, inviteKeys, joinAnswerMessage } from '../../src/core/invite/index.js';
import { frameType, frameTypes, joinSigned, openJoinAsk, sealJoinAnswer } from '../../src/core/wire/index.js';
import { encodeDeclaration } from '../../src/core/schema/index.js';
import { createMemoryNetwork, type MemoryNetwork } from '../../src/transport/index.js';
import { writeControl } from './room/author.js';
import { createMemoryDisk } from '../storage/index.js';
import type { Store } from '../../src/ports/index.js';
import { createRoomCore, myGrant } from './room/core.js';
import { loadRoom } from './room/load.js';
import { foundCore, memberCore } from './core.kit.js';
import { canAct } from './room/local.js';
import type { RoomEngine } from './room/room.js';
import { nodeTime, startDevice, testDeclaration, until, type RigDevice, type RigTab } from './rig.kit.js';

const declaration = encodeDeclaration(testDeclaration);
const profile = { name: 'Bob', color: null };
const role = { rank: 20, perms: 7, write: null };

const engines = vi.hoisted(() => [] as unknown[]);

vi.mock(import('./room/room.js'), async (original) => {
  const real = await original();
  return {
    ...real,
    createRoomEngine: (...args) => {
      const engine = real.createRoomEngine(...args);
      engines.push(engine);
      return engine;
    },
  };
});

interface Host {
  readonly device: RigDevice;
  readonly tab: RigTab;
  readonly room: string;
  readonly network: MemoryNetwork;
  readonly link: string;
}

async function startHost(): Promise<Host> {
  const network = createMemoryNetwork({ random: () => 0.5, schedule: (ms, run) => nodeTime.after(ms, run) });
  const device = await startDevice();
  const tab = device.tab();
  const create = { request: 'aa'.repeat(16), key: 'k', title: 'Plans', declaration };
  const { room } = await tab.call('create', { ...create, profile: { name: 'Ada', color: null } });
  tab.lend(room, network.transport('host'));
  const made = { room, request: '1', role, maxUses: 5, expiresInMs: 600_000 };
  return { device, tab, room, network, link: (await tab.call('createInvite', made)).code ?? '' };
}

/** Begins to join; gives the engine of that room once the grant has effect there. */
async function beginJoin(host: Host, guest: RigDevice, address: string): Promise<RoomEngine> {
  const [tab, before] = [guest.tab(), engines.length];
  tab.lend(host.room, host.network.transport(address));
  tab.call('join', { join: 'j', link: host.link, declaration, profile }).catch(() => undefined);
  const begun = (): RoomEngine | undefined => engines[before] as RoomEngine | undefined;
  await until(() => {
    const engine = begun();
    return engine !== undefined && myGrant(engine.core) !== null;
  });
  return begun() as RoomEngine;
}

test('[F10] a join signs nothing before it is stored that it is over; one that was interrupted is taken up where it was', async () => {
  const host = await startHost();
  const disk = createMemoryDisk();
  const store = disk.open((await disk.raiseGeneration()) + 1);
  let isEnding = false;
  const commit: Store['commit'] = (ops, o) => {
    isEnding ||= ops.some(({ table }) => table === 'rooms');
    return isEnding ? new Promise(() => undefined) : store.commit(ops, o);
  };
  const guest = await startDevice({ disk, ports: { store: { ...store, commit } } });
  const first = await beginJoin(host, guest, 'guest');
  await until(() => isEnding);
  expect([first.net.isCleared(), canAct(first.core, first.net.isCleared())]).toEqual([false, false]);

  const again = await startDevice({ disk: disk.copy() });
  const second = await beginJoin(host, again, 'guest again');
  expect(second.core.device).toBe(first.core.device);
  expect([...second.core.faults]).toEqual([]);
  await until(() => second.net.isCleared());
  await until(() => second.core.row.title === 'Plans');
  const { entries } = await second.act((step) => writeControl(second.core, step, { kind: 'fold' }));
  expect(entries[0]?.seq).toBe(0);
  await again.engine.stop();
  await host.device.engine.stop();
});

test('[F10] what came during a join opens after it was interrupted: the key of the answer is stored with what lies under it', async () => {
  const ada = await foundCore();
  const { ports, keys, boot, row, loop, roomId } = await memberCore(ada);
  const again = createRoomCore({ ports, keys, boot, row, loop, roomId });
  await loadRoom(again);
  expect([[...again.faults], myGrant(again) !== null, again.epochKeys.size]).toEqual([[], true, 1]);
});

test('[X9] somebody else with the link who answers every request keeps nobody out', async () => {
  const host = await startHost();
  const code = decodeInviteCode(host.link);
  if (!code.ok) throw new TypeError(code.fault.code);
  const { roomId } = code.value;
  const { psk } = inviteKeys(code.value);
  const { vault, random } = host.device.ports;
  const zeros32 = new Uint8Array(32);
  let lies = 0;
  for (const name of ['evil', 'worse', 'worst']) {
    const evil = await vault.createDeviceKeys();
    const answer = async (frame: Bytes, from: string): Promise<void> => {
      const ask = openJoinAsk(frame, { roomId, psk });
      const once = await vault.createDeviceKeys();
      const shared = ask.ok ? await vault.agree(once, ask.value.x25519) : null;
      if (shared === null) return;
      const [key, askHash] = [random.bytes(32), sha256(frame)];
      const said = { status: 'granted', grantId: random.bytes(32), kid: kidOf(roomId, zeros32, key), key } as const;
      const sealed = { ephemeral: once.x25519, admitter: evil.deviceId, answer: said, random32: random.bytes(32) };
      const unsigned = sealJoinAnswer({ roomId, askHash, psk, shared }, sealed);
      const sig = await vault.sign(evil, joinAnswerMessage({ roomId, askHash, unsigned }));
      lies++;
      await open.send(joinSigned(unsigned, sig), [from], { lossy: false });
    };
    const open = host.network.transport(name).open({
      frame: (bytes, from) => {
        if (frameType(copyBytes(bytes)) === frameTypes.joinAsk) void answer(copyBytes(bytes), from);
      },
      peer: () => undefined,
      state: () => undefined,
    });
  }
  const guest = await startDevice();
  const tab = guest.tab();
  tab.lend(host.room, host.network.transport('guest'));
  expect(await tab.call('join', { join: 'j', link: host.link, declaration, profile })).toEqual({ room: host.room });
  expect(lies).toBeGreaterThan(2);
  await guest.engine.stop();
  await host.device.engine.stop();
}, 20_000);
