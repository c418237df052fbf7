/** The limit's worker. One message in, one out; what it keeps between them are keys and a database. */
import { deleteDatabase, getAll, openDatabase, putAll } from '../kit/idb.mjs';
import { checkUnit, decodeUnit, openBytes, openUnit, sealBytes, sealHistory } from './pack.mjs';
import { encodeState } from './state.mjs';

const CHAIN_BYTES = 32;

let keys = null;
let db = null;
let line = null;

/** Opens, checks, applies and stores units; answers with the state in one buffer. */
async function catchUp({ units }) {
  const names = [];
  const table = new Map();
  const chain = new Uint8Array(CHAIN_BYTES);
  // The next unit is opened while this one is applied.
  let next = openUnit(keys.seal, units[0]);
  const checks = [];
  for (let i = 0; i < units.length; i++) {
    const columns = await next;
    if (i + 1 < units.length) next = openUnit(keys.seal, units[i + 1]);
    decodeUnit(columns, chain, (keyColumn, valueColumn, fresh) => {
      for (const name of fresh) names.push(name);
      for (let op = 0; op < keyColumn.length; op++) table.set(names[keyColumn[op]], valueColumn[op]);
    });
    checks.push(checkUnit(keys.publicKey, units[i], chain.slice()));
  }
  if ((await Promise.all(checks)).includes(false)) throw new Error('limit: a signature is wrong');
  const state = encodeState(table);
  await putAll(db, units);
  return state;
}

/** Seals a snapshot of a state, and stores it. */
async function keepSnapshot({ state }) {
  await putAll(db, [await sealBytes(keys.seal, state)]);
  return null;
}

/** Reads the one snapshot, and opens it. */
async function readSnapshot() {
  const [sealed] = await getAll(db);
  const state = await openBytes(keys.seal, sealed);
  // Its buffer goes to the page, from its first byte.
  return state.byteLength === state.buffer.byteLength ? state : state.slice();
}

/** A line to the other worker: what comes is opened, checked, stored and told to the page. */
async function join({ channel }) {
  line = new BroadcastChannel(channel);
  line.onmessage = async ({ data: units }) => {
    const chain = new Uint8Array(CHAIN_BYTES);
    const parts = [];
    for (const unit of units) {
      decodeUnit(await openUnit(keys.seal, unit), chain, (keyColumn, values) => {
        parts.push({ keys: keyColumn, values: Int32Array.from(values, unzigzag) });
      });
      if (!(await checkUnit(keys.publicKey, unit, chain))) throw new Error('limit: a signature is wrong');
    }
    await putAll(db, units);
    for (const news of parts) self.postMessage({ news });
  };
  return null;
}

/** Seals, signs and stores edits of one op each, then hands them on. */
async function send({ keys: keyColumn, values }) {
  const sets = { keys: keyColumn, values: Uint32Array.from(values, zigzag) };
  const seen = new Set(keyColumn);
  const units = await sealHistory(
    { seal: keys.seal, author: keys },
    { sets, keyName: String, perTransaction: 1, seen },
  );
  await putAll(db, units);
  line.postMessage(units);
  return null;
}

const zigzag = (n) => (n < 0 ? -2 * n - 1 : 2 * n);
const unzigzag = (n) => (n % 2 === 1 ? -(n + 1) / 2 : n / 2);

const steps = {
  keys: async (given) => {
    keys = given;
    return null;
  },
  open: async ({ name }) => {
    db = await openDatabase(name);
    return null;
  },
  catchUp,
  keepSnapshot,
  readSnapshot,
  join,
  send,
  drop: async ({ name }) => {
    db.close();
    await deleteDatabase(name);
    return null;
  },
};

self.onmessage = async ({ data }) => {
  try {
    const value = await steps[data.step](data.input);
    const bytes = value instanceof Uint8Array ? [value.buffer] : [];
    self.postMessage({ value }, { transfer: bytes });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
