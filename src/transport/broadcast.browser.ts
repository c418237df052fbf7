import { describe, expect, test } from 'vitest';
import { broadcastBed } from './broadcast-bed.kit.js';
import { lastChange, lastState, observe, transportContract, untilFrame, untilHere, untilUp } from './contract.kit.js';
import { broadcastChannel } from './index.js';

let beds = 0;

describe('broadcast channel in a page: contract', () => {
  for (const { title, run } of transportContract) test(title, () => run(broadcastBed(`page-${beds++}`)));
});

describe('broadcast channel and the life of a page', () => {
  test('goes down with a goodbye when the page is put away, and comes back with it', async () => {
    const ada = observe(broadcastChannel('turn'));
    await untilUp(ada);
    const script = new BroadcastChannel('keeproom/bus/turn');
    const heard: string[] = [];
    script.onmessage = ({ data }) => void heard.push(data.kind);
    script.postMessage({ kind: 'hello', from: 'other' });
    await untilHere(ada, 'other');

    dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
    expect(lastState(ada.log.events)).toBe('down');
    expect(await ada.self()).toBe('');
    await expect(ada.send('x', 'all')).rejects.toMatchObject({ code: 'transport/down' });
    await expect.poll(() => heard).toEqual(['here', 'gone']);
    script.postMessage({ kind: 'frame', from: 'other', to: 'all', bytes: Uint8Array.from([65]) });

    dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
    await expect.poll(() => heard).toEqual(['here', 'gone', 'hello']);
    expect(lastState(ada.log.events)).toBe('up');
    script.postMessage({ kind: 'here', from: 'other', to: [await ada.self()] });
    await ada.log.until(
      'here again',
      (events) => events.filter((event) => event.t === 'peer' && event.address === 'other').length === 2,
    );
    expect(ada.log.events.some(({ t }) => t === 'frame')).toBe(false);
    await ada.close();
    dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
    expect(lastChange(ada.log.events, 'other')).toBe('here');
    script.close();
  });

  test('reaches a worker of the same origin', async () => {
    const ada = observe(broadcastChannel('thread'));
    await untilUp(ada);
    const code = `const channel = new BroadcastChannel('keeproom/bus/thread');
      channel.onmessage = ({ data }) => channel.postMessage({ ...data, from: 'worker' });
      channel.postMessage({ kind: 'hello', from: 'worker' });`;
    const worker = new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
    await untilHere(ada, 'worker');
    await ada.send('echo', 'all', 14_999);
    await untilFrame(ada, 'echo');
    worker.terminate();
    await ada.close();
  });
});
