import type { Store } from '../../../src/ports/index.js';
import { StoreError } from '../../../src/ports/index.js';
import type { EnginePorts, ServedEngine } from '../../engine/index.js';
import { durability } from '../../storage/idb/index.js';
import type { StartEngine } from '../../tabs/index.js';
import type { LoadCurves } from '../../vault/index.js';
import { createDeflate, createRandom, createVault } from '../../vault/index.js';
import { browserTime } from './time.js';

/** Makes an engine of its parts. Rejects when it cannot start. */
export type CreateEngine = (ports: EnginePorts) => Promise<ServedEngine>;

/** The row of the vault's data key (X10), in table `client`. */
const atRestKey = ['at-rest'];

/** What the entry of a worker brings: its engine, and the way to what lies beside it. */
export interface Brought {
  readonly createEngine: CreateEngine;
  readonly loadCurves: LoadCurves;
}

/** Engines over the parts that a worker of a web page has. */
export function engineStarter({ createEngine, loadCurves }: Brought, storage: 'indexeddb' | 'memory'): StartEngine {
  return async (store, generation) => {
    const random = createRandom();
    const vault = await openVault(store, { random, loadCurves });
    const safety = storage === 'memory' ? 'memory' : await durability(navigator.storage);
    const deflate = createDeflate();
    return createEngine({ store, vault, time: browserTime, random, deflate, generation, durability: safety });
  };
}

/** The vault whose key lies in this store, or a new one. A key that does not open is not replaced: the data is sealed with it. */
async function openVault(
  store: Store,
  o: { readonly random: EnginePorts['random']; readonly loadCurves: LoadCurves },
): Promise<EnginePorts['vault']> {
  const opened = await createVault({ ...o, atRest: await store.get('client', atRestKey) });
  if (!opened.ok) throw new StoreError('broken', `keys at rest: ${opened.fault.code}, ${opened.fault.detail}`);
  const { vault, newRow } = opened.value;
  if (newRow !== null) {
    await store.commit([{ do: 'put', table: 'client', key: atRestKey, value: newRow }], { strict: true });
  }
  return vault;
}
