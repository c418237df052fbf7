/**
 * The host in a dedicated worker of a web page: the database, the vault, the clock and the tabs of this browser,
 * composed around an engine. It decides nothing; each part says in its own room what it does.
 */
export type { Brought, CreateEngine } from './engine.js';
export type { WorkerScope } from './host.js';
export { runWebWorker } from './host.js';
