/**
 * Several tabs, one engine (tabs.md): the worker of each tab wishes for one Web Lock; its holder raises the generation,
 * starts the engine and serves the others over a BroadcastChannel. A leader that goes to sleep gives up, one that dies
 * loses its lock to the next in line, one that stops without any event is silent for 4 s and has it stolen by a tab that
 * waits for an answer. The generation row refuses whatever a stopped leader still writes when it wakes.
 * Everything of the platform is an argument. It does not know what the engine does; nothing asked is kept here: after a
 * change of leader the page asks again, and every request is made so that asking twice is safe (X11).
 */
export type { Channel } from './life.js';
export type { LockManagerLike } from './locks.js';
export type { Tabs, TabsOptions } from './tabs.js';
export { createTabs } from './tabs.js';
export type { StartEngine } from './term.js';
