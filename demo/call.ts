import type { Signal, Transport } from 'keeproom';
import { livekitData } from 'keeproom/livekit';
import { createCell } from './cell.js';

export type CallState = 'off' | 'connecting' | 'up' | 'down' | 'stalled';

/** The way of one device through a LiveKit server. */
export interface Call {
  readonly state: Signal<CallState>;
  /** Carries the room's sealed frames through the LiveKit room `name`. One use at a time. */
  readonly transport: (name: string) => Transport;
}

/** Makes the call of a device; null where the server that serves this page has no LiveKit to offer. */
export type CallMaker = (namespace: string) => Call;

export async function findCall(): Promise<CallMaker | null> {
  const url = await readUrl().catch(() => null);
  return url === null ? null : (namespace) => createCall(url, namespace);
}

async function readUrl(): Promise<string | null> {
  const config: unknown = await (await fetch('config.json')).json();
  const livekit = fieldOf(config, 'livekit');
  const url = fieldOf(livekit, 'url');
  return typeof url === 'string' ? url : null;
}

function createCall(url: string, namespace: string): Call {
  const state = createCell<CallState>('off');
  // Another with each page, so that a page that is slow to go does not throw out the one that comes.
  const identity = `${namespace}-${crypto.randomUUID().slice(0, 8)}`;
  const transport = (name: string): Transport => {
    const { type, open } = livekitData({ url, token: () => fetchToken(name, identity) });
    return {
      type,
      open: (on) => {
        state.set('connecting');
        const line = open({
          ...on,
          state: (now) => {
            state.set(now);
            on.state(now);
          },
        });
        return {
          get self() {
            return line.self;
          },
          maxFrameBytes: line.maxFrameBytes,
          send: line.send,
          close: () => {
            state.set('off');
            line.close();
          },
        };
      },
    };
  };
  return { state, transport };
}

async function fetchToken(room: string, identity: string): Promise<string> {
  const answer: unknown = await (await fetch(`token?${String(new URLSearchParams({ room, identity }))}`)).json();
  const token = fieldOf(answer, 'token');
  if (typeof token !== 'string') throw new Error('the server gave no token');
  return token;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : null;
}
