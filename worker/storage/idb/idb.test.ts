import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { storageContract } from '../contract.kit.js';
import { databaseSuite } from './database.kit.js';
import { durability, usedBytes } from './index.js';
import { databaseRig } from './rig.kit.js';

storageContract('IndexedDB in Node', databaseRig);
databaseSuite('in Node');

test('used bytes and durability are what the browser says, and modest where it says nothing', async () => {
  const storage = { estimate: async () => ({ usage: 5 }), persisted: async () => true };
  expect([await usedBytes(storage), await durability(storage)]).toEqual([5, 'durable']);
  expect([await usedBytes(undefined), await durability(undefined)]).toEqual([0, 'evictable']);
  expect([await usedBytes({}), await durability({})]).toEqual([0, 'evictable']);
  const failing = { estimate: () => Promise.reject(new Error('no')), persisted: () => Promise.reject(new Error('no')) };
  expect([await usedBytes(failing), await durability(failing)]).toEqual([0, 'evictable']);
});
