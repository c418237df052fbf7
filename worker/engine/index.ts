/**
 * The engine of one namespace: everything that happens to rooms, on one thread, through ports. Frames and page calls are
 * decoded, stepped through the core, committed once, and only then answered or sent. Hosts compose it (worker/hosts, the
 * simulator); it knows neither browsers nor tabs beyond the messages of the bridge.
 */
export type { EngineHooks } from './engine.js';
export { createEngine } from './engine.js';
export type { EnginePorts, Weakness } from './ports.js';
export type { ServedEngine, ServedTab } from './served.js';
