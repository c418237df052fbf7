import { describe, expect, test } from 'vitest';
import { faultsOf, startEcho } from './echo.kit.js';
import { leavingNote, tabsVersion } from '../../src/bridge/index.js';
import { beatMs } from './times.js';
import { Page, World } from './world.kit.js';

const lockName = 'keeproom/app';

async function open(world: World, ...names: string[]): Promise<Page[]> {
  const pages: Page[] = [];
  for (const name of names) {
    const page = new Page(world, name);
    await world.run(1_000, () => page.isReady);
    expect(page.isReady).toBe(true);
    pages.push(page);
  }
  return pages;
}

const written = (...pages: Page[]): Map<string, number> => new Map(pages.map((page) => [page.name, page.saved]));

/** A test says how many pages it opened; the compiler cannot know. */
async function openTwo(world: World): Promise<[Page, Page]> {
  const [a, b] = await open(world, 'a', 'b');
  return [a!, b!];
}

describe('one leader', () => {
  test('[X11] what fails while an engine ends is no answer: the next one is asked again', async () => {
    const world = new World();
    /** Answers calls only when it is asked to end, and then that it cannot. */
    const dying: typeof startEcho = async (store, generation) => {
      const engine = await startEcho(store, generation);
      if (generation > 1) return engine;
      const ends: (() => void)[] = [];
      return {
        attach: (tab, send) => {
          const refuse = (id: number): void =>
            send({ t: 'reply-error', id, error: { name: 'KeeproomError', code: 'storage/broken', message: 'x' } });
          const served = engine.attach(tab, send);
          return {
            deliver: (message) => {
              if (message.t === 'call') ends.push(() => refuse(message.id));
              else served.deliver(message);
            },
            detach: () => {
              served.detach();
              ends.forEach((end) => queueMicrotask(end));
            },
          };
        },
        stop: async () => {
          for (const end of ends) end();
          await engine.stop();
        },
      };
    };
    const [a, b] = ['a', 'b'].map((name) => new Page(world, name, { startEngine: dying })) as [Page, Page];
    await world.run(1_000, () => a.isReady && b.isReady);
    for (const page of [a, b]) page.call(7, 'stats');
    await world.run(10);
    await a.tabs.abdicate();
    a.tabs.resume();
    await world.run(5_000, () => a.answered && b.answered);
    for (const { heard } of [a, b]) {
      expect(heard.filter(({ t }) => t === 'reply' || t === 'reply-error')).toMatchObject([{ t: 'reply', id: 7 }]);
    }
  });

  test('[X11] of five tabs one holds the lock, and every tab is served by its engine', async () => {
    const world = new World();
    const pages = await open(world, 'a', 'b', 'c', 'd', 'e');
    expect(world.holders(lockName)).toEqual([pages[0]!.worker]);
    expect(pages.map((page) => page.engine?.leader)).toEqual([true, false, false, false, false]);
    expect(pages.map((page) => page.engine?.generation)).toEqual([1, 1, 1, 1, 1]);
    for (const page of pages) page.write(20);
    await world.run(1_000, () => pages.every((page) => page.isSaved));
    expect(pages.map((page) => page.saved)).toEqual([20, 20, 20, 20, 20]);
    expect(faultsOf(world.log(), written(...pages))).toEqual([]);
  });

  test('a page hears `ready` before anything of the engine, and its messages in order', async () => {
    const world = new World();
    const talkative: typeof startEcho = async (store, generation) => {
      const engine = await startEcho(store, generation);
      return {
        ...engine,
        attach: (tab, send) => {
          for (let id = 1; id <= 3; id++) send({ t: 'reply', id: -id, value: tab });
          return engine.attach(tab, send);
        },
      };
    };
    const first = new Page(world, 'a', { startEngine: talkative });
    const second = new Page(world, 'b', { startEngine: talkative });
    await world.run(1_000, () => first.isReady && second.isReady);
    await world.run(10);
    for (const page of [first, second]) {
      const heard = page.heard.slice(page.heard.findIndex((m) => m.t === 'engine' && m.state === 'ready') + 1);
      expect(heard).toEqual([-1, -2, -3].map((id) => ({ t: 'reply', id, value: page.name })));
    }
  });

  test('a tab that dies is detached at once; one that comes back under its name is a new one', async () => {
    const world = new World();
    const detached: string[] = [];
    const watching: typeof startEcho = async (store, generation) => {
      const engine = await startEcho(store, generation);
      return {
        ...engine,
        attach: (tab, send) => {
          const served = engine.attach(tab, send);
          const detach = (): void => {
            detached.push(tab);
            served.detach();
          };
          return { ...served, detach };
        },
      };
    };
    const leader = new Page(world, 'a', { startEngine: watching });
    await world.run(1_000, () => leader.isReady);
    const [follower] = await open(world, 'b');
    expect(detached).toEqual([]);
    world.kill(follower!.worker);
    await world.run(1);
    expect(detached).toEqual(['b']);
    const [again] = await open(world, 'b2');
    await again!.tabs.abdicate();
    await world.run(5);
    expect(detached).toEqual(['b', 'b2']);
    again!.tabs.resume();
    await world.run(1_000, () => again!.isReady);
    again!.write(3);
    await world.run(100);
    expect(again!.saved).toBe(3);
    expect(detached).toEqual(['b', 'b2']);
  });
});

describe('fail-over', () => {
  test('[X11] the leader dies with 40 writes in flight: the next has the lock at once, each write is there once', async () => {
    const world = new World();
    const [a, b] = await openTwo(world);
    const [c] = await open(world, 'c');
    b.write(20);
    c!.write(20);
    await world.run(1);
    const acknowledged = a.saved + b.saved + c!.saved;
    world.kill(a.worker);
    const tookMs = await world.run(2_000, () => b.isSaved && c!.isSaved);
    console.log(`fail-over after a death: ${tookMs} ms virtual, ${acknowledged} of 40 were acknowledged before`);
    expect(tookMs).toBeLessThan(50);
    expect([b.engine?.leader, c!.engine?.leader]).toEqual([true, false]);
    expect(b.engine?.generation).toBe(2);
    expect(faultsOf(world.log(), written(b, c!))).toEqual([]);
  });

  test('[X11] a leader that abdicates commits and acknowledges what it took, and comes back as a follower', async () => {
    const world = new World();
    const [a, b] = await openTwo(world);
    a.write(10);
    b.write(10);
    const abdicated = a.tabs.abdicate();
    await world.run(1_000, () => b.isSaved && b.engine?.leader === true);
    await abdicated;
    expect(a.saved).toBe(10);
    a.write(5);
    a.tabs.resume();
    a.tabs.resume();
    await world.run(1_000, () => a.isSaved);
    expect(a.engine).toMatchObject({ state: 'ready', leader: false, generation: 2 });
    expect(world.holders(lockName)).toEqual([b.worker]);
    expect(faultsOf(world.log(), written(a, b))).toEqual([]);
  });

  test('[X11] a leader frozen while it gives up is replaced within 2 s by one of those that need it', async () => {
    const world = new World();
    const pages = ['a', 'd', 'c', 'b', 'e'].map((name) => new Page(world, name));
    await world.run(1_000, () => pages.every((page) => page.isReady));
    const [a, ...others] = pages as [Page, Page, Page, Page, Page];
    world.diskPace = new Promise(() => undefined);
    for (const page of others.slice(0, 3)) page.write(20);
    await world.run(2);
    void a.tabs.abdicate();
    await world.run(1);
    a.worker.state = 'stopped';
    world.diskPace = Promise.resolve();
    // The commit that the disk was about to do dies with the old engine's connection.
    world.disk.crash();
    const tookMs = await world.run(10_000, () => others.every((page) => page.isSaved));
    console.log(`fail-over after freezing while giving up: ${tookMs} ms virtual`);
    expect(tookMs).toBeLessThan(2_000);
    expect(world.steals).toBe(1);
    expect(faultsOf(world.log(), written(...others))).toEqual([]);
  });

  test('[X11] a leader whose page says that it leaves, and that beats once more before it is frozen: 2 s', async () => {
    const world = new World();
    const [a, b] = await openTwo(world);
    b.write(20);
    world.broadcast(a.worker, leavingNote(1));
    await world.run(beatMs + 1);
    a.worker.state = 'stopped';
    b.write(20);
    const tookMs = await world.run(10_000, () => b.isSaved);
    expect(tookMs).toBeLessThan(2_000);
    expect(world.steals).toBe(1);
    expect(faultsOf(world.log(), written(a, b))).toEqual([]);
  });

  test('[X11] a leader that stops without a word is replaced within 6 s; awake again it writes nothing and follows', async () => {
    const world = new World();
    const [a, b] = await openTwo(world);
    a.write(3);
    await world.run(100);
    a.worker.state = 'stopped';
    b.write(20);
    const tookMs = await world.run(10_000, () => b.isSaved);
    console.log(`fail-over after a stop without event: ${tookMs} ms virtual`);
    expect(tookMs).toBeLessThan(6_000);
    expect(world.steals).toBe(1);
    const lengthBefore = world.log().length;
    // The page of the stopped leader had more to say.
    a.write(2);
    a.worker.state = 'running';
    await world.run(2_000, () => a.isSaved);
    expect(a.engine).toMatchObject({ state: 'ready', leader: false, generation: 2 });
    const later = world.log().slice(lengthBefore);
    expect(later.map((entry) => entry.generation)).toEqual([2, 2]);
    expect(faultsOf(world.log(), written(a, b))).toEqual([]);
    expect(world.holders(lockName)).toEqual([b.worker]);
  });

  test('nobody steals without work outstanding, however long the silence', async () => {
    const world = new World();
    const [a, b] = await openTwo(world);
    a.worker.state = 'stopped';
    await world.run(600_000);
    expect(world.steals).toBe(0);
    b.write();
    const tookMs = await world.run(10_000, () => b.isSaved);
    expect(tookMs).toBeLessThan(6_000);
    expect(world.steals).toBe(1);
  });

  test('a tab without any engine has work: it takes over from a leader that stopped before it came', async () => {
    const world = new World();
    const [a] = await open(world, 'a');
    a!.worker.state = 'stopped';
    const late = new Page(world, 'late');
    const tookMs = await world.run(10_000, () => late.isReady);
    expect(tookMs).toBeLessThan(6_000);
  });

  test('a follower that slept does not take its own sleep for the silence of the leader', async () => {
    const world = new World();
    const [a, b] = await openTwo(world);
    b.write(5);
    b.worker.state = 'stopped';
    // A sleeping page's channel keeps nothing for it.
    world.loses = (_message, _from, to) => to === b.worker;
    await world.run(60_000);
    world.loses = () => false;
    b.worker.state = 'running';
    await world.run(10_000);
    expect(world.steals).toBe(0);
    expect(b.isSaved).toBe(true);
    expect(a.engine?.leader).toBe(true);
    expect(faultsOf(world.log(), written(a, b))).toEqual([]);
  });

  test('of several tabs that wait for a silent leader one takes over', async () => {
    const world = new World();
    // Their clocks tick at the same instant.
    const pages = ['a', 'd', 'c', 'b', 'e'].map((name) => new Page(world, name));
    await world.run(1_000, () => pages.every((page) => page.isReady));
    pages[0]!.worker.state = 'stopped';
    for (const page of pages.slice(1)) page.write(10);
    const tookMs = await world.run(10_000, () => pages.slice(1).every((page) => page.isSaved));
    expect(tookMs).toBeLessThan(6_000);
    expect(world.steals).toBe(1);
    expect(faultsOf(world.log(), written(...pages))).toEqual([]);
  });

  test('a tab in line that stops before it is given the lock is passed over', async () => {
    const world = new World();
    const [a, b] = await openTwo(world);
    const [c] = await open(world, 'c');
    b.worker.state = 'stopped';
    world.kill(a.worker);
    c!.write();
    const tookMs = await world.run(10_000, () => c!.isSaved);
    expect(tookMs).toBeLessThan(6_000);
    b.worker.state = 'running';
    await world.run(1_000, () => b.isReady && b.engine?.generation === c!.engine?.generation);
    expect(b.engine).toMatchObject({ state: 'ready', leader: false, generation: c!.engine?.generation });
  });

  test('a leader whose disk says fenced gives the lock back and takes its place in line', async () => {
    const world = new World();
    const [a, b] = await openTwo(world);
    // What clearing the site data or a foreign writer does.
    await world.disk.raiseGeneration(40);
    a.write(3);
    b.write(3);
    await world.run(2_000, () => a.isSaved && b.isSaved);
    expect([a.engine?.leader, b.engine?.leader]).toEqual([false, true]);
    expect(b.engine?.generation).toBe(42);
    expect(faultsOf(world.log(), written(a, b))).toEqual([]);
  });
});

/** An echo that notes the writes of each attachment. */
function recording(sessions: number[][]): typeof startEcho {
  return async (store, generation) => {
    const engine = await startEcho(store, generation);
    return {
      ...engine,
      attach: (tab, send) => {
        const served = engine.attach(tab, send);
        const session: number[] = [];
        sessions.push(session);
        return {
          ...served,
          deliver: (message) => {
            if (message.t === 'write') session.push(message.n);
            served.deliver(message);
          },
        };
      },
    };
  };
}

/** What a page was told to be saved, from one `ready` to the next. */
function viewsBySession(page: Page): number[][] {
  const sessions: number[][] = [];
  for (const message of page.heard) {
    if (message.t === 'engine') sessions.push([]);
    if (message.t === 'view') sessions.at(-1)?.push(message.update.savedUpTo);
  }
  return sessions;
}

/** A known write is answered as done, with the same number again. */
function isAfterGap(n: number, i: number, session: readonly number[]): boolean {
  return i > 0 && n > (session[i - 1] ?? 0) + 1;
}

describe('a channel that loses messages', () => {
  const kinds = ['up', 'down', 'welcome', 'hello', 'beat', 'count', 'again', 'ask'];
  for (const kind of kinds) {
    test(`every third \`${kind}\` is lost: all writes are saved once, in order`, async () => {
      const world = new World();
      const sessions: number[][] = [];
      const a = new Page(world, 'a', { startEngine: recording(sessions) });
      await world.run(1_000, () => a.isReady);
      const [b] = (await open(world, 'b')) as [Page];
      let seen = 0;
      world.loses = (message) => (message as { body: { m: string } }).body.m === kind && ++seen % 3 === 0;
      for (let i = 0; i < 10; i++) {
        b.write(3);
        await world.run(300);
      }
      world.loses = () => false;
      await world.run(5_000, () => b.isSaved);
      expect(b.saved).toBe(30);
      expect(faultsOf(world.log(), written(a, b))).toEqual([]);
      // Neither the engine nor the page ever sees what comes after a gap.
      for (const session of [...sessions, ...viewsBySession(b)]) expect(session.filter(isAfterGap)).toEqual([]);
    });
  }

  test('the last message of either side is missed by the next beat', async () => {
    for (const kind of ['up', 'down']) {
      const world = new World();
      const [, b] = await openTwo(world);
      world.loses = (message) => (message as { body: { m: string } }).body.m === kind;
      b.write();
      await world.run(50);
      world.loses = () => false;
      expect(b.isSaved).toBe(false);
      const before = b.readies;
      const tookMs = await world.run(5_000, () => b.isSaved);
      expect(tookMs).toBeLessThan(1_600);
      expect(b.readies).toBe(before + 1);
      expect(world.steals).toBe(0);
    }
  });

  test('foreign messages on the channel are nothing to us; another version of us is an upgrade', async () => {
    const world = new World();
    const stranger = world.worker();
    const channel = stranger.openChannel(() => undefined);
    for (const message of [
      null,
      7,
      'x',
      {},
      { v: 1 },
      { v: 1, body: 3 },
      { v: 'x', body: {} },
      { v: 1, body: { m: 'x' } },
    ]) {
      channel.send(message);
    }
    const [a, b] = await openTwo(world);
    for (const message of [null, { v: 1, body: { m: 'x' } }]) channel.send(message);
    b.write(2);
    await world.run(1_000, () => b.isSaved);
    expect([a.engine?.error, b.engine?.error, b.saved]).toEqual([null, null, 2]);

    // The lock is held by a tab whose beats say nothing to this version.
    const other = new World();
    const holder = other.worker();
    void holder.locks.request(lockName, {}, () => new Promise<void>(() => undefined));
    const foreign = holder.openChannel(() => undefined);
    const page = new Page(other, 'p');
    for (let i = 0; i < 20; i++) {
      foreign.send({ v: tabsVersion + 1, body: { m: 'beat' } });
      await other.run(500);
    }
    expect(page.engine).toMatchObject({ state: 'waiting', error: { code: 'upgrade/required' } });
    expect(other.steals).toBe(0);
  });
});

describe('starting, failing, erasing', () => {
  test('a start that fails is typed, tried again ever later, and leaves the lock to others meanwhile', async () => {
    const world = new World();
    let fails = 3;
    let starts = 0;
    const page = new Page(world, 'a', {
      startEngine: async (store, generation) => {
        starts++;
        if (fails-- > 0) throw new Error('no engine today');
        return startEcho(store, generation);
      },
    });
    await world.run(10);
    expect(page.engine).toMatchObject({
      state: 'waiting',
      error: { name: 'KeeproomError', code: 'worker/not-started' },
    });
    expect(page.engine?.error?.message).toContain('no engine today');
    expect(world.holders(lockName)).toEqual([]);
    await world.run(6_900);
    expect(starts).toBe(3);
    await world.run(200, () => page.isReady);
    expect([starts, page.isReady]).toEqual([4, true]);
  });

  test('a tab whose engine cannot start is served by one whose engine can', async () => {
    const world = new World();
    const bad = new Page(world, 'bad', { startEngine: () => Promise.reject(new Error('broken here')) });
    const good = new Page(world, 'good');
    await world.run(1_000, () => bad.isReady && good.isReady);
    expect([bad.engine?.leader, good.engine?.leader]).toEqual([false, true]);
    bad.write(2);
    await world.run(100);
    expect(bad.isSaved).toBe(true);
  });

  test('[X11] a disk that makes the new leader wait shows at every tab, and all goes on when it is free', async () => {
    const world = new World();
    const [a, b] = await openTwo(world);
    const [c] = await open(world, 'c');
    let free = (): void => undefined;
    world.diskPace = new Promise((resolve) => (free = resolve));
    a.worker.state = 'stopped';
    b.write();
    c!.write();
    await world.run(6_000);
    expect(world.holders(lockName)).toEqual([b.worker]);
    b.block(true);
    await world.run(10);
    const blocked = { state: 'waiting', error: { code: 'storage/blocked' } };
    expect([b.engine, c!.engine]).toMatchObject([blocked, blocked]);
    await world.run(120_000);
    expect(world.steals).toBe(1);
    free();
    b.block(false);
    await world.run(2_000, () => b.isSaved && c!.isSaved);
    expect([b, c!].map(({ isReady, engine }) => [isReady, engine?.error])).toEqual([
      [true, null],
      [true, null],
    ]);
    expect(faultsOf(world.log(), written(b, c!))).toEqual([]);
  });

  test('a disk that makes a serving leader wait shows at every tab, and ends', async () => {
    const world = new World();
    const [a, b] = await openTwo(world);
    a.block(true);
    await world.run(10);
    const blocked = { state: 'serving', error: { code: 'storage/blocked' } };
    expect([a.engine, b.engine]).toMatchObject([blocked, blocked]);
    a.write(1);
    b.write(1);
    await world.run(10);
    expect([a.isSaved, b.isSaved]).toEqual([true, true]);
    a.block(false);
    await world.run(10);
    const serves = { state: 'serving', error: null };
    expect([a.engine, b.engine]).toMatchObject([serves, serves]);
    // The same engine: nothing is asked of it again.
    expect([a.readies, b.readies]).toEqual([1, 1]);
  });

  test('erase: everything is gone, one answer, every tab goes on with a new engine of a higher generation', async () => {
    const world = new World();
    const [a, b] = await openTwo(world);
    a.write(5);
    b.write(5);
    await world.run(100);
    b.call(7, 'erase');
    await world.run(1_000, () => b.answered && a.engine?.generation === 2 && b.engine?.generation === 2);
    expect(b.heard.filter((message) => message.t === 'reply')).toEqual([{ t: 'reply', id: 7, value: null }]);
    expect(world.log()).toEqual([]);
    expect([a.isReady, b.isReady]).toEqual([true, true]);
    await world.run(5_000);
    expect(a.engine?.generation).toBe(2);
    a.call(8, 'erase');
    await world.run(1_000, () => a.answered && a.isReady);
    expect([a.engine?.leader, a.engine?.generation]).toEqual([true, 3]);
  });

  test('a tab that stops lets go of everything', async () => {
    const world = new World();
    const [a, b] = await openTwo(world);
    await b.tabs.stop();
    b.tabs.resume();
    await world.run(5_000);
    expect(b.worker.hear).toBeNull();
    await a.tabs.stop();
    expect(world.holders(lockName)).toEqual([]);
    const [c] = await open(world, 'c');
    expect(c!.engine?.leader).toBe(true);
  });
});

describe('alone', () => {
  test('without locks each tab has its engine, and the generation lets one of them write', async () => {
    const world = new World();
    const first = new Page(world, 'a', { alone: true });
    await world.run(100);
    first.write(2);
    await world.run(100);
    expect(first).toMatchObject({ isReady: true, isSaved: true });
    const second = new Page(world, 'b', { alone: true });
    await world.run(100);
    first.write(1);
    second.write(1);
    await world.run(60_000);
    expect(second).toMatchObject({ isReady: true, isSaved: true });
    expect(first.engine).toMatchObject({ state: 'waiting', error: { code: 'worker/taken-over' } });
    await first.tabs.abdicate();
    first.tabs.resume();
    await world.run(100);
    expect(first.isSaved).toBe(true);
    expect(faultsOf(world.log(), written(first, second))).toEqual([]);
  });
});
