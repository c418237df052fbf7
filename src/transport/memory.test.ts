import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  observe,
  lastChange,
  lastState,
  textsOf,
  transportContract,
  type ContractBed,
  type ContractPeer,
} from './contract.kit.js';
import { createMemoryNetwork, maxForeignFrameBytes, type MemoryFaults, type MemoryNetwork } from './index.js';

const realTimers = (delayMs: number, run: () => void): (() => void) => {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
};

function bed(faults: Partial<MemoryFaults>): ContractBed {
  const network = createMemoryNetwork({ random: seeded(1), schedule: realTimers, faults });
  let opened = 0;
  return {
    open: async () => observe(network.transport(`peer-${opened++}`)),
    openTwice: async () => {
      const transport = network.transport(`peer-${opened++}`);
      return [observe(transport), observe(transport)];
    },
    disturb: async (to) => {
      const oversized = new Uint8Array(maxForeignFrameBytes + 1);
      network.inject({ from: 'stranger', to: [await to.self()], bytes: oversized });
      network.inject({ from: 'stranger', to: 'all', bytes: oversized });
      return 2;
    },
  };
}

describe('memory network: contract', () => {
  for (const { title, run } of transportContract) {
    test(title, () => run(bed({})));
    test(`${title} (latency 0 to 20 ms)`, () => run(bed({ maxLatencyMs: 20 })));
  }
});

/** A network in virtual time: nothing happens until `run`. */
interface Lab extends MemoryNetwork {
  readonly run: () => void;
  readonly nowMs: () => number;
}

function lab(seed: number, faults: Partial<MemoryFaults> = {}): Lab {
  let nowMs = 0;
  let order = 0;
  let queue: { readonly at: number; readonly order: number; readonly run: () => void }[] = [];
  const network = createMemoryNetwork({
    random: seeded(seed),
    schedule: (delayMs, run) => {
      const job = { at: nowMs + delayMs, order: order++, run };
      queue.push(job);
      return () => {
        queue = queue.filter((other) => other !== job);
      };
    },
    faults,
  });
  return {
    ...network,
    nowMs: () => nowMs,
    run: () => {
      for (;;) {
        const next = queue.sort((a, b) => a.at - b.at || a.order - b.order).shift();
        if (next === undefined) return;
        nowMs = next.at;
        next.run();
      }
    },
  };
}

/** mulberry32: small, seeded, good enough to vary latencies. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function trio(network: Lab): readonly [ContractPeer, ContractPeer, ContractPeer] {
  const three = [
    observe(network.transport('ada')),
    observe(network.transport('bob')),
    observe(network.transport('cleo')),
  ] as const;
  network.run();
  return three;
}

const numbered = Array.from({ length: 100 }, (_, n) => `n${n}`);

describe('memory network: faults', () => {
  test('the same seed gives the same run, another seed another', async () => {
    const play = async (seed: number): Promise<string> => {
      const network = lab(seed, { maxLatencyMs: 90, lossRate: 0.2, duplicateRate: 0.2, reorderRate: 0.2 });
      const peers = trio(network);
      for (const text of numbered) for (const peer of peers) await peer.send(text, 'all');
      network.run();
      return JSON.stringify([network.nowMs(), peers.map(({ log }) => log.events)]);
    };
    expect(await play(7)).toBe(await play(7));
    expect(await play(7)).not.toBe(await play(8));
  });

  test('latency stays in its range and order holds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.integer({ min: 0, max: 50 }),
        fc.integer({ min: 0, max: 500 }),
        async (seed, min, more) => {
          const network = lab(seed, { minLatencyMs: min, maxLatencyMs: min + more });
          const [ada, bob] = trio(network);
          const sentMs = network.nowMs();
          for (const text of numbered) await ada.send(text, 'all');
          network.run();
          expect(textsOf(bob)).toEqual(numbered);
          expect(network.nowMs() - sentMs).toBeGreaterThanOrEqual(min);
          expect(network.nowMs() - sentMs).toBeLessThanOrEqual(min + more);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('loss loses about its share and nothing else', async () => {
    const network = lab(3, { lossRate: 0.3 });
    const [ada, bob] = trio(network);
    for (let n = 0; n < 1_000; n++) await ada.send(`n${n}`, 'all');
    network.run();
    const got = textsOf(bob);
    expect(got.length).toBeGreaterThan(600);
    expect(got.length).toBeLessThan(800);
    expect(got).toEqual([...got].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))));
  });

  test('duplication delivers some twice, each with bytes of its own', async () => {
    const network = lab(3, { duplicateRate: 1 });
    const [ada, bob] = trio(network);
    await ada.send('twice', 'all');
    network.run();
    // The first delivery is scribbled over by the receiver; the second must not show it.
    expect(textsOf(bob)).toEqual(['twice', 'twice']);
  });

  test('reordering lets later frames overtake and loses none', async () => {
    const network = lab(5, { maxLatencyMs: 40, reorderRate: 0.3 });
    const [ada, bob] = trio(network);
    for (const text of numbered) await ada.send(text, 'all');
    network.run();
    expect(textsOf(bob)).not.toEqual(numbered);
    expect([...textsOf(bob)].sort()).toEqual([...numbered].sort());
  });

  test('faults can change under way, and senseless ones are refused', async () => {
    const network = lab(1);
    const [ada, bob] = trio(network);
    network.setFaults({ lossRate: 1 });
    await ada.send('lost', 'all');
    network.setFaults({ lossRate: 0 });
    await ada.send('kept', 'all');
    network.run();
    expect(textsOf(bob)).toEqual(['kept']);
    expect(() => network.setFaults({ lossRate: 1.5 })).toThrow(/faults\.lossRate must be between 0 and 1, got 1\.5/);
    expect(() => network.setFaults({ lossRate: Number.NaN })).toThrow(RangeError);
    expect(() => network.setFaults({ minLatencyMs: 5, maxLatencyMs: 4 })).toThrow(RangeError);
  });
});

describe('memory network: borders, links, ends', () => {
  test('a partition is seen by both sides, loses what is under way, and heals', async () => {
    const network = lab(1, { minLatencyMs: 10, maxLatencyMs: 10 });
    const [ada, bob, cleo] = trio(network);
    await ada.send('under way', 'all');
    network.partition([['ada'], ['bob', 'cleo']]);
    await ada.send('into the wall', 'all');
    await bob.send('beside', 'all');
    network.run();
    expect(textsOf(ada)).toEqual([]);
    expect(textsOf(bob)).toEqual([]);
    expect(textsOf(cleo)).toEqual(['beside']);
    expect(lastChange(ada.log.events, 'bob')).toBe('gone');
    expect(lastChange(bob.log.events, 'ada')).toBe('gone');
    expect(lastChange(bob.log.events, 'cleo')).toBe('here');
    network.partition([]);
    network.run();
    expect(lastChange(ada.log.events, 'bob')).toBe('here');
    await ada.send('healed', 'all');
    network.run();
    expect(textsOf(bob)).toEqual(['healed']);
  });

  test('a cut loses one direction without a word', async () => {
    const network = lab(1);
    const [ada, bob, cleo] = trio(network);
    const told = bob.log.events.length;
    network.cut('ada', 'bob');
    await ada.send('lost to bob', 'all');
    await bob.send('to ada', ['ada']);
    network.run();
    expect(bob.log.events.length).toBe(told);
    expect(textsOf(cleo)).toEqual(['lost to bob']);
    expect(textsOf(ada)).toEqual(['to ada']);
    network.mend('ada', 'bob');
    await ada.send('mended', 'all');
    network.run();
    expect(textsOf(bob)).toEqual(['mended']);
  });

  test('a link that goes down is told, rejects sends, loses what is under way, and comes back with all present', async () => {
    const network = lab(1, { minLatencyMs: 10, maxLatencyMs: 10 });
    const [ada, bob] = trio(network);
    await ada.send('under way', 'all');
    network.setState('bob', 'down');
    await expect(bob.send('x', 'all')).rejects.toMatchObject({ code: 'transport/down' });
    network.run();
    expect(lastState(bob.log.events)).toBe('down');
    expect(await bob.self()).toBe('');
    expect(textsOf(bob)).toEqual([]);
    expect(lastChange(ada.log.events, 'bob')).toBe('gone');
    network.setState('bob', 'stalled');
    network.run();
    await expect(bob.send('x', 'all')).rejects.toMatchObject({ code: 'transport/stalled' });
    network.setState('bob', 'up');
    network.run();
    expect(bob.log.events.slice(-3)).toEqual([
      { t: 'state', state: 'up' },
      { t: 'peer', address: 'ada', change: 'here' },
      { t: 'peer', address: 'cleo', change: 'here' },
    ]);
    expect(lastChange(ada.log.events, 'bob')).toBe('here');
  });

  test('a link that was down for a moment has lost what was under way', async () => {
    const network = lab(1, { minLatencyMs: 10, maxLatencyMs: 10 });
    const [ada, bob] = trio(network);
    await ada.send('under way', 'all');
    network.setState('bob', 'down');
    network.setState('bob', 'up');
    network.run();
    expect(textsOf(bob)).toEqual([]);
    await ada.send('anew', 'all');
    network.run();
    expect(textsOf(bob)).toEqual(['anew']);
  });

  test('a border that falls before a frame would have arrived does not bring it back', async () => {
    const network = lab(1, { minLatencyMs: 10, maxLatencyMs: 10 });
    const [ada, bob] = trio(network);
    network.partition([['ada']]);
    await ada.send('against the border', 'all');
    network.partition([]);
    network.run();
    expect(textsOf(bob)).toEqual([]);
  });

  test('nobody hears frames between being up and having been told so', async () => {
    const network = lab(1);
    const [ada, bob] = trio(network);
    network.setState('bob', 'down');
    network.run();
    network.setState('bob', 'up');
    await expect(bob.send('too early', 'all')).rejects.toMatchObject({ code: 'transport/down' });
    await ada.send('too early', 'all');
    network.run();
    expect(textsOf(bob)).toEqual([]);
    expect(lastState(bob.log.events)).toBe('up');
  });

  test('what was about to be told is not told after close', async () => {
    const network = lab(1);
    const [ada, bob] = trio(network);
    await ada.send('on its way', 'all');
    network.setState('cleo', 'down');
    const told = bob.log.events.length;
    await bob.close();
    network.run();
    expect(bob.log.events.length).toBe(told);
  });

  test('no frame and no peer is told outside of up, whatever the link does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(fc.constantFrom('up', 'down', 'stalled', 'send', 'run', 'part', 'heal')),
        async (seed, steps) => {
          const network = lab(seed, { maxLatencyMs: 100, duplicateRate: 0.2, reorderRate: 0.2 });
          const [ada, bob] = trio(network);
          for (const step of steps) {
            if (step === 'send') await ada.send('x', 'all');
            else if (step === 'run') network.run();
            else if (step === 'part') network.partition([['ada']]);
            else if (step === 'heal') network.partition([]);
            else network.setState('bob', step);
          }
          network.run();
          let isUp = false;
          let isAdaHere = false;
          for (const event of bob.log.events) {
            if (event.t === 'state') [isUp, isAdaHere] = [event.state === 'up', false];
            else expect(isUp).toBe(true);
            if (event.t !== 'peer' || event.address !== 'ada') continue;
            expect(event.change === 'here').toBe(!isAdaHere);
            isAdaHere = event.change === 'here';
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test('a crash is silent; reopening the address is a new session, burying it a goodbye', async () => {
    const network = lab(1);
    const [ada, bob, cleo] = trio(network);
    network.crash('bob');
    network.crash('cleo');
    await ada.send('to a ghost', 'all');
    await expect(bob.send('from a ghost', 'all')).resolves.toBeUndefined();
    network.run();
    expect([textsOf(ada), textsOf(bob), textsOf(cleo)]).toEqual([[], [], []]);
    expect(lastChange(ada.log.events, 'bob')).toBe('here');
    const again = observe(network.transport('bob'));
    network.bury('cleo');
    network.run();
    const changes = ada.log.events.filter((event) => event.t === 'peer' && event.address === 'bob');
    expect(changes.map((event) => event.t === 'peer' && event.change)).toEqual(['here', 'gone', 'here']);
    expect(lastChange(ada.log.events, 'cleo')).toBe('gone');
    await ada.send('to the new one', ['bob']);
    network.run();
    expect(textsOf(again)).toEqual(['to the new one']);
    expect(textsOf(bob)).toEqual([]);
  });

  test('a tap sees all that is put in, with its own bytes; injected frames carry the claimed source', async () => {
    const network = lab(1, { lossRate: 1 });
    const seen: string[] = [];
    const stop = network.tap(({ from, to, bytes, injected }) => {
      seen.push(`${from}>${String(to)}:${String(bytes.length)}${injected ? '!' : ''}`);
      bytes.fill(7);
    });
    const [ada, bob] = trio(network);
    await ada.send('lost', 'all');
    network.setFaults({ lossRate: 0 });
    network.inject({ from: 'ada', to: ['bob'], bytes: new Uint8Array([70, 71]) });
    network.inject({ from: 'mallory', to: 'all', bytes: new Uint8Array(20_000) });
    network.run();
    stop();
    await ada.send('unseen', 'all');
    expect(seen).toEqual(['ada>all:4', 'ada>bob:2!', 'mallory>all:20000!']);
    expect(bob.log.events.slice(-2)).toEqual([
      { t: 'frame', text: 'FG', length: 2, from: 'ada' },
      // Over the frame limit, under the limit of what a network carries: the engine is to judge and charge it.
      { t: 'frame', text: '', length: 20_000, from: 'mallory' },
    ]);
  });

  test('misuse is named', async () => {
    const link = lab(1)
      .transport('ada')
      .open({ frame: () => {}, peer: () => {}, state: () => {} });
    const send = link.send as (frame: unknown, to: unknown, o: unknown) => Promise<void>;
    await expect(send('text', 'all', {})).rejects.toThrow(/frame must be a Uint8Array, got string/);
    await expect(send(new Uint8Array(1), 'ada', {})).rejects.toThrow(/to must be 'all' or a list of addresses/);
    await expect(send(new Uint8Array(1), [1], {})).rejects.toThrow(TypeError);
    expect(() =>
      lab(1)
        .transport('')
        .open({ frame: () => {}, peer: () => {}, state: () => {} }),
    ).toThrow(RangeError);
  });
});
