import fc from 'fast-check';
import { expect, test } from 'vitest';
import { faultsOf } from './echo.kit.js';
import { Page, World } from './world.kit.js';

type Move = 'write' | 'stop' | 'wake' | 'kill' | 'open' | 'abdicate' | 'resume' | 'lose' | 'fence';

const moves = fc.array(
  fc.record({
    move: fc.constantFrom<Move>(
      'write',
      'write',
      'stop',
      'wake',
      'kill',
      'open',
      'abdicate',
      'resume',
      'lose',
      'fence',
    ),
    page: fc.nat(4),
    waitMs: fc.constantFrom(0, 1, 3, 250, 1_000, 5_000),
  }),
  { minLength: 5, maxLength: 40 },
);

test('[X11] whatever happens to the tabs: no acknowledged write is lost, none is there twice, all that live are served', async () => {
  await fc.assert(
    fc.asyncProperty(moves, async (script) => {
      const world = new World();
      const pages: Page[] = [new Page(world, 'p0'), new Page(world, 'p1')];
      let lossy = 0;
      world.loses = () => lossy > 0 && lossy-- % 2 === 0;
      for (const { move, page: index, waitMs } of script) {
        const page = pages[index % pages.length]!;
        act(world, { move, page, pages, lose: () => (lossy = 6) });
        await world.run(waitMs);
      }
      lossy = 0;
      const living = pages.filter((page) => page.worker.state !== 'dead');
      for (const page of living) {
        page.worker.state = 'running';
        page.tabs.resume();
      }
      // Those that slept find out what has happened meanwhile.
      await world.run(3_000);
      await world.run(30_000, () => living.every((page) => page.isReady && page.isSaved));
      expect(living.map((page) => [page.name, page.isReady, page.saved])).toEqual(
        living.map((page) => [page.name, true, page.written]),
      );
      expect(living.filter((page) => page.engine?.leader === true)).toHaveLength(Math.min(1, living.length));
      expect(faultsOf(world.log(), new Map(living.map((page) => [page.name, page.saved])))).toEqual([]);
      for (const page of pages) {
        const logged = world.log().filter((entry) => entry.tab === page.name).length;
        expect(logged).toBeGreaterThanOrEqual(page.saved);
      }
    }),
    { numRuns: 150 },
  );
}, 60_000);

interface Act {
  readonly move: Move;
  readonly page: Page;
  readonly pages: Page[];
  readonly lose: () => void;
}

function act(world: World, { move, page, pages, lose }: Act): void {
  if (page.worker.state === 'dead' && move !== 'open') return;
  switch (move) {
    case 'write':
      page.write(3);
      return;
    case 'stop':
      page.worker.state = 'stopped';
      return;
    case 'wake':
      page.worker.state = 'running';
      return;
    case 'kill':
      if (pages.filter((each) => each.worker.state !== 'dead').length > 1) world.kill(page.worker);
      return;
    case 'open':
      if (pages.length < 6) pages.push(new Page(world, `p${pages.length}`));
      return;
    case 'abdicate':
      void page.tabs.abdicate();
      return;
    case 'resume':
      page.tabs.resume();
      return;
    case 'lose':
      lose();
      return;
    case 'fence':
      void world.disk.raiseGeneration();
      return;
  }
}
