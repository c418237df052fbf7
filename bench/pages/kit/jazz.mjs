/** Jazz by its core: the one peer that also signs and encrypts. */
import { cojsonInternals, ControlledAgent, LocalNode } from 'cojson';
import { WasmCrypto } from 'cojson/crypto/WasmCrypto';
import { getIndexedDBStorage } from 'cojson-storage-indexeddb';
import { keyName, mapSets, transactions } from '../work.mjs';

let crypto = null;
let secret = null;

/** A node of the same person on a device of its own; with `storageName`, kept in IndexedDB. */
export async function startNode(storageName = null, knownSecret = null) {
  crypto ??= await WasmCrypto.create();
  secret ??= knownSecret ?? crypto.newRandomAgentSecret();
  const agent = new ControlledAgent(secret, crypto);
  const node = new LocalNode(agent.agentSecret, crypto.newRandomSessionID(crypto.getAgentID(secret)), crypto);
  if (storageName !== null) node.setStorage(await getIndexedDBStorage(storageName));
  return node;
}

/** A private map after all sets, one Jazz transaction per transaction. */
export async function writeJazz(node, { ops, keys, perTransaction, seed }) {
  const map = node.createGroup().createMap();
  const sets = mapSets({ ops, keys, seed });
  for (const [from, to] of transactions(ops, perTransaction)) {
    const changes = [];
    for (let i = from; i < to; i++) changes.push({ op: 'set', key: keyName(sets.keys[i]), value: sets.values[i] });
    map.core.makeTransaction(changes, 'private');
    // Its queues work between tasks.
    if (from % 10_000 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  return map.core.getCurrentContent();
}

/** Who all nodes of this page are, for a page that comes after it. */
export function agentSecret() {
  return secret;
}

/** Connects two nodes of one page: `server` serves `client`. */
export function connectNodes(client, server) {
  const [toClient, toServer] = cojsonInternals.connectedPeers('client', 'server', {
    peer1role: 'client',
    peer2role: 'server',
  });
  server.syncManager.addPeer(toClient);
  client.syncManager.addPeer(toServer);
}

/** Ops in a map, to see whether all have come. */
export function countTransactions(map) {
  return Object.values(map.core.knownState().sessions).reduce((sum, n) => sum + n, 0);
}
