/** The demo as a person meets it: in both browsers, wide and phone-sized, by pointer and by keyboard. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type BrowserContext, type Locator, type Page } from '@playwright/test';
import { join } from 'node:path';
import { forbidSubtle } from './support/keeproom-page.js';
import { startLivekit, type TestLivekit } from './support/livekit.js';
import { startStatic, type StaticServer } from './support/static-server.js';

const wide = { width: 1280, height: 800 };
const phone = { width: 390, height: 844 };

let site: StaticServer;
/** What no page of a test may do: throw, or complain. */
let problems: string[];

test.use({ viewport: wide });
// Firefox takes half a second for a key or a picture on a busy machine, and these are many.
test.describe.configure({ timeout: 120_000 });
test.beforeAll(async () => {
  site = await startStatic();
});
test.afterAll(() => site.close());
test.beforeEach(async ({ context }) => {
  problems = [];
  await watch(context);
});
test.afterEach(() => {
  expect(problems).toEqual([]);
});

test('[S21] Ada writes and Bob sees; cut off, both write; mended, they agree; a reload keeps everything', async ({
  page,
}) => {
  const { ada, bob } = await openDuo(page);
  await ada.getByRole('button', { name: 'Add card' }).click();
  await page.keyboard.type('Bring cake');
  await expect(card(bob, 'Bring cake')).toBeVisible();
  await say(bob, 'I will');
  await expect(messages(ada)).toContainText(['I will']);
  for (const pane of [ada, bob]) await expect(state(pane, 'Everyone has it')).toBeVisible();

  await page.getByRole('button', { name: 'Cut the wire', exact: true }).click();
  await expect(state(ada, 'Wire is cut')).toBeVisible();
  await expect(person(ada, 'Bob')).toContainText('out of reach');
  await vote(ada, 'Bring cake');
  await vote(bob, 'Bring cake');
  await vote(bob, 'Bring cake');
  await say(ada, 'Said by Ada alone');
  await say(bob, 'Said by Bob alone');
  await expect(state(ada, '2 edits only on this device')).toBeVisible();
  await expect(state(bob, '3 edits only on this device')).toBeVisible();
  await expect(votes(ada, 'Bring cake')).toHaveText('1');
  await expect(votes(bob, 'Bring cake')).toHaveText('2');

  await page.reload();
  await expect(messages(ada)).toContainText(['Said by Ada alone']);
  await expect(messages(bob)).toContainText(['Said by Bob alone']);
  await expect(messages(bob)).not.toContainText(['Said by Ada alone']);
  await expect(state(bob, '3 edits only on this device')).toBeVisible();

  await page.getByRole('button', { name: 'Mend the wire', exact: true }).click();
  for (const pane of [ada, bob]) {
    await expect(state(pane, 'Everyone has it')).toBeVisible();
    await expect(votes(pane, 'Bring cake')).toHaveText('3');
    await expect(messages(pane)).toHaveCount(4);
  }
  await ada.getByRole('button', { name: /^Reload Ada/ }).click();
  await expect(votes(ada, 'Bring cake')).toHaveText('3');
  await expect(person(ada, 'Bob')).toContainText('here now');
  expect(await board(ada)).toEqual(await board(bob));
});

test('[S21] a card dragged at one side lands at the same place at the other', async ({ page }) => {
  const { ada, bob } = await openDuo(page);
  const grip = card(ada, 'Drag me').locator('.grip');
  const from = (await grip.boundingBox())!;
  await page.mouse.move(from.x + 30, from.y + 10);
  await page.mouse.down();
  await page.mouse.move(from.x + 160, from.y + 90, { steps: 5 });
  // Not written before it is let go: a drag is one edit.
  await expect(state(ada, 'Everyone has it')).toBeVisible();
  const place = await placeOf(card(ada, 'Drag me'));
  await page.mouse.up();
  await expect.poll(() => placeOf(card(bob, 'Drag me'))).toEqual(place);
  const [x, y] = place.map(Number) as [number, number];
  expect(x).toBeGreaterThan(0.3);
  expect(y).toBeGreaterThan(0.3);
});

test('[S21] cards added on both sides of a cut wire lie apart, at the same places on both boards', async ({ page }) => {
  const { ada, bob } = await openDuo(page);
  await page.getByRole('button', { name: 'Cut the wire', exact: true }).click();
  for (const [pane, text] of [
    [ada, 'Added by Ada'],
    [bob, 'Added by Bob'],
  ] as const) {
    await pane.getByRole('button', { name: 'Add card' }).click();
    await page.keyboard.type(text);
    await expect(card(pane, text)).toBeVisible();
  }
  await page.getByRole('button', { name: 'Mend the wire', exact: true }).click();
  for (const pane of [ada, bob]) {
    await expect(pane.locator('.card')).toHaveCount(5);
    await expect(state(pane, 'Everyone has it')).toBeVisible();
  }
  const [one, other] = [await placeOf(card(ada, 'Added by Ada')), await placeOf(card(ada, 'Added by Bob'))];
  expect(one).not.toEqual(other);
  expect([await placeOf(card(bob, 'Added by Ada')), await placeOf(card(bob, 'Added by Bob'))]).toEqual([one, other]);

  // Two that were moved to one corner are both to be seen.
  for (const text of ['Drag me', 'Cut the wire']) {
    await card(ada, text).locator('.grip').focus();
    for (const key of ['ArrowUp', ...Array<string>(5).fill('ArrowLeft')]) await page.keyboard.press(`Shift+${key}`);
  }
  await expect.poll(() => placeOf(card(ada, 'Drag me'))).toEqual(['0', '0']);
  await expect.poll(() => placeOf(card(ada, 'Cut the wire'))).toEqual(['0.07', '0.07']);
  for (const text of ['Drag me', 'Cut the wire']) {
    await expect.poll(() => placeOf(card(bob, text))).toEqual(await placeOf(card(ada, text)));
  }
});

test('[S21] a long text is shown whole', async ({ page }) => {
  await page.goto(`${site.origin}/demo/`);
  const ada = page.getByRole('region', { name: 'Ada’s device' });
  await ada.getByRole('button', { name: 'Add card' }).click();
  await page.keyboard.insertText('As long as a text of a card may be. '.repeat(4).slice(0, 140));
  const field = ada.locator('.card textarea').last();
  for (const viewport of [wide, phone]) {
    await page.setViewportSize(viewport);
    expect(await field.evaluate((node) => node.scrollHeight - node.clientHeight)).toBeLessThanOrEqual(0);
  }
});

test('[S21] on a phone the first cards lie clear of each other, and one button leads to Bob and back', async ({
  page,
}) => {
  await page.setViewportSize(phone);
  await page.goto(`${site.origin}/demo/`);
  const [ada, bob] = [
    page.getByRole('region', { name: 'Ada’s device' }),
    page.getByRole('region', { name: 'Bob’s device' }),
  ];
  await expect(ada.locator('.card')).toHaveCount(3);
  const boxes = await ada
    .locator('.card')
    .evaluateAll((cards) => cards.map((node) => node.getBoundingClientRect().toJSON() as DOMRect));
  const overlapping = boxes.flatMap((a, n) =>
    boxes.slice(n + 1).filter((b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom),
  );
  expect(overlapping).toEqual([]);

  const invite = bob.getByRole('button', { name: 'Invite Bob' });
  await expect(invite).not.toBeInViewport();
  // By key: a click of the tests scrolls to its button first, and where the page stands decides where the button leads.
  await page.getByRole('button', { name: 'Go to Bob’s device' }).press('Enter');
  await expect(invite).toBeInViewport();
  await page.getByRole('button', { name: 'Go to Ada’s device' }).press('Enter');
  await expect(ada.getByRole('heading', { name: 'Ada' })).toBeInViewport();
});

test('[S21] a join that nobody answers says after a while what it waits for, and goes on', async ({ page }) => {
  await page.goto(`${site.origin}/demo/`);
  const bob = page.getByRole('region', { name: 'Bob’s device' });
  await page.getByRole('button', { name: 'Cut the wire', exact: true }).click();
  await bob.getByRole('button', { name: 'Invite Bob' }).click();
  const hint = bob.getByText('Somebody who is in the room must have it open');
  await expect(bob.getByText('Joining')).toBeVisible();
  await expect(hint).toBeHidden();
  await expect(hint).toBeVisible();
  await page.getByRole('button', { name: 'Mend the wire', exact: true }).click();
  await expect(bob.locator('.card')).toHaveCount(3, { timeout: 20_000 });
  await expect(hint).toBeHidden();
});

test('[S21] the keyboard alone does all of it, and reaches every control', async ({ page }) => {
  const { ada, bob } = await openDuo(page);
  await ada.getByRole('button', { name: 'Add card' }).press('Enter');
  await expect(ada.locator('.card textarea').last()).toBeFocused();
  await page.keyboard.type('By keyboard');
  await page.keyboard.press('Shift+Tab');
  const grip = ada.getByRole('button', { name: 'Move “By keyboard” with the arrow keys' });
  await expect(grip).toBeFocused();
  const before = await placeOf(card(ada, 'By keyboard'));
  for (const key of ['ArrowLeft', 'Shift+ArrowLeft', 'ArrowDown']) await page.keyboard.press(key);
  await expect.poll(() => placeOf(card(bob, 'By keyboard'))).not.toEqual(before);
  await expect.poll(() => placeOf(card(bob, 'By keyboard'))).toEqual(await placeOf(card(ada, 'By keyboard')));

  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await expect(ada.getByRole('button', { name: 'Vote for “By keyboard”: 0 votes' })).toBeFocused();
  await page.keyboard.press('Space');
  await expect(votes(bob, 'By keyboard')).toHaveText('1');

  await bob.getByLabel('Message', { exact: true }).focus();
  await page.keyboard.type('Typed and sent');
  await page.keyboard.press('Enter');
  await expect(messages(ada)).toContainText(['Typed and sent']);

  await page.getByRole('button', { name: 'Cut the wire', exact: true }).press('Enter');
  await expect(state(bob, 'Wire is cut')).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(state(bob, 'In touch with Ada')).toBeVisible();

  await card(ada, 'By keyboard').getByRole('button', { name: 'Delete card' }).press('Enter');
  await expect(bob.locator('.card')).toHaveCount(3);
  expect(await page.evaluate(() => document.activeElement?.closest('.card') !== null)).toBe(true);

  await ada.getByRole('button', { name: 'Make a link' }).press('Enter');
  await expect(ada.getByLabel('Invite link')).toBeVisible();
  expect(await unreachedByTab(page)).toEqual([]);
});

test('[S21] axe finds no serious violation in any of the main states', async ({ page }) => {
  await page.goto(`${site.origin}/demo/`);
  await expect(page.getByRole('button', { name: 'Invite Bob' })).toBeVisible();
  await expectAccessible(page, 'first visit');

  const { ada } = await openDuo(page);
  await expectAccessible(page, 'both in');
  await ada.getByRole('button', { name: 'Make a link' }).click();
  await expect(ada.getByLabel('Invite link')).toBeVisible();
  await ada.getByRole('button', { name: 'Rename' }).click();
  await page.getByRole('button', { name: 'Cut the wire', exact: true }).click();
  await say(ada, 'On this side only');
  await expect(state(ada, '1 edit only on this device')).toBeVisible();
  await expectAccessible(page, 'wire cut, invite made, name being changed');
  await page.getByRole('button', { name: 'Start over' }).click();
  await expect(page.getByText('Nobody else has a copy.')).toBeVisible();
  await expectAccessible(page, 'asked before erasing');
});

test('[S21] axe finds no serious violation for somebody who is invited', async ({ page }) => {
  await page.goto(`${site.origin}/demo/#keeproom=tooshort`);
  await expect(page.getByRole('heading', { name: 'You are invited' })).toBeVisible();
  await expectAccessible(page, 'invited');
  await page.getByLabel('Join as').fill('Cleo');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Ask for a new invite.')).toBeVisible();
  await expectAccessible(page, 'a link that is no invite');
});

test.describe('in the dark', () => {
  test.use({ colorScheme: 'dark' });
  // Firefox cannot be told a colour scheme from outside; the colours are the same.
  test('[S21] axe finds no serious violation in the dark @chromium', async ({ page }) => {
    const { ada } = await openDuo(page);
    await page.getByRole('button', { name: 'Cut the wire', exact: true }).click();
    await say(ada, 'On this side only');
    await expect(state(ada, '1 edit only on this device')).toBeVisible();
    await expectAccessible(page, 'dark');
  });
});

test('[S21] an invite link opens a page for one person; a guest may chat and not draw', async ({ page, context }) => {
  const { ada } = await openDuo(page);
  await ada.getByLabel('What the invited person may do').selectOption('can chat');
  const door = await context.newPage();
  await door.goto(await inviteLink(ada));
  // Who reloads before they said their name is still invited; nobody reads the secret in the address.
  for (let visit = 0; visit < 2; visit++) {
    await expect(door.getByLabel('Join as')).toBeFocused();
    expect(door.url()).toBe(`${site.origin}/demo/`);
    await door.reload();
  }
  const cleo = await enter(door, 'Cleo');
  await expect(person(ada, 'Cleo')).toContainText('here now · can chat');
  await expect(cleo.getByRole('button', { name: 'Add card' })).toBeDisabled();
  await expect(cleo.locator('.grip').first()).toBeDisabled();
  await say(cleo, 'Hello from a guest');
  await expect(messages(ada)).toContainText(['Hello from a guest']);

  // The address leads back in, and neither it nor the tab holds the secret any more.
  const guest = cleo.page();
  expect(guest.url()).not.toContain('keeproom=');
  expect(await guest.evaluate(() => [history.state, sessionStorage.length])).toEqual([null, 0]);
  await guest.reload();
  await expect(messages(cleo)).toContainText(['Hello from a guest']);
  await expect(person(cleo, 'Ada')).toContainText('here now');

  // She has a copy too.
  await page.getByRole('button', { name: 'Start over' }).click();
  await expect(page.getByText('People who joined on a page of their own keep theirs.')).toBeVisible();
  await expect(page.getByText('Nobody else has a copy.')).toHaveCount(0);
});

test('[S21] a link that was just made is in sight, whoever else is in the room', async ({ page }) => {
  const { ada, bob } = await openDuo(page);
  for (const may of ['can edit', 'can chat', 'can look']) {
    await ada.getByLabel('What the invited person may do').selectOption(may);
    await inviteLink(ada);
    const newest = ada.locator('.invites li').first();
    await expect(newest).toContainText(may);
    await expect(newest).toContainText('Link ready');
    await expect(newest.getByLabel('Invite link')).toBeInViewport({ ratio: 1 });
    await expect(newest.getByRole('button', { name: 'Copy' })).toBeInViewport({ ratio: 1 });
  }
  // The boards go on looking alike.
  const [one, other] = [await ada.locator('.board').boundingBox(), await bob.locator('.board').boundingBox()];
  expect([one?.width, one?.height, one?.y]).toEqual([other?.width, other?.height, other?.y]);
});

test('[S21] with a LiveKit server, somebody in another browser joins by the link and both edit', async ({
  page,
  context,
  browser,
}) => {
  const livekit = await startLivekit();
  const elsewhere = await browser.newContext({ viewport: wide });
  await watch(elsewhere);
  try {
    for (const each of [context, elsewhere]) await offerCall(each, livekit);
    const { ada } = await openDuo(page);
    await ada.getByRole('button', { name: 'Use the call' }).click();
    await expect(ada.getByText('Connected: links work on other devices.')).toBeVisible();
    const cleo = await joinAs(await elsewhere.newPage(), await inviteLink(ada), 'Cleo');
    await expect(person(ada, 'Cleo')).toContainText('here now');
    await vote(cleo, 'Drag me');
    await expect(votes(ada, 'Drag me')).toHaveText('1');
    await say(ada, 'Said far away');
    await expect(messages(cleo)).toContainText(['Said far away']);
    await cleo.page().reload();
    await say(ada, 'Said after the reload');
    await expect(messages(cleo)).toContainText(['Said after the reload']);
  } finally {
    await elsewhere.close();
    await livekit.stop();
  }
});

test('[S21] pictures of the main states for a person to look at', async ({ page, context }, info) => {
  const shoot = async (of: Page, state: string): Promise<void> => {
    for (const [size, viewport] of Object.entries({ wide, phone })) {
      await of.setViewportSize(viewport);
      // Nothing may stand out to the side.
      expect(await of.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      const path = join(info.project.outputDir, 'demo', `${info.project.name}-${state}-${size}.png`);
      await of.screenshot({ path, animations: 'disabled', fullPage: size === 'phone' });
    }
    await of.setViewportSize(wide);
  };
  await page.goto(`${site.origin}/demo/`);
  await expect(page.getByRole('button', { name: 'Invite Bob' })).toBeVisible();
  await shoot(page, '1-first-visit');
  const { ada, bob } = await openDuo(page);
  await bob.getByRole('button', { name: 'Add card' }).click();
  await page.keyboard.type('Who brings the music?');
  await say(bob, 'Nice, I see your cards.');
  await expect(messages(ada)).toContainText(['Nice, I see your cards.']);
  await shoot(page, '2-in-touch');
  await page.getByRole('button', { name: 'Cut the wire', exact: true }).click();
  await vote(ada, 'Who brings the music?');
  await say(bob, 'Can you still hear me?');
  await expect(state(bob, '1 edit only on this device')).toBeVisible();
  await shoot(page, '3-wire-cut');
  await page.getByRole('button', { name: 'Mend the wire', exact: true }).click();
  await expect(messages(ada)).toContainText(['Can you still hear me?']);
  const link = await inviteLink(ada);
  await shoot(page, '4-invite');
  const guest = await context.newPage();
  await guest.goto(link);
  await expect(guest.getByLabel('Join as')).toBeVisible();
  await shoot(guest, '5-invited');
  const cleo = await joinAs(guest, link, 'Cleo');
  await expect(person(cleo, 'Ada')).toContainText('here now');
  await shoot(guest, '6-one-person');
});

/** Ada and Bob in one room; Bob is let in unless he is. */
async function openDuo(page: Page): Promise<{ ada: Locator; bob: Locator }> {
  if (!page.url().startsWith(site.origin)) await page.goto(`${site.origin}/demo/`);
  const [ada, bob] = ['Ada’s device', 'Bob’s device'].map((name) => page.getByRole('region', { name })) as [
    Locator,
    Locator,
  ];
  await bob.getByRole('button', { name: 'Invite Bob' }).click();
  await expect(bob.locator('.card')).toHaveCount(3);
  await expect(state(bob, 'In touch with Ada')).toBeVisible();
  await expect(state(ada, 'In touch with Bob')).toBeVisible();
  return { ada, bob };
}

async function inviteLink(pane: Locator): Promise<string> {
  const links = pane.getByLabel('Invite link');
  const before = await links.count();
  await pane.getByRole('button', { name: 'Make a link' }).click();
  await expect(links).toHaveCount(before + 1);
  return links.first().inputValue();
}

async function joinAs(page: Page, link: string, name: string): Promise<Locator> {
  await page.goto(link);
  return enter(page, name);
}

/** Through the door that an invite leads to. */
async function enter(page: Page, name: string): Promise<Locator> {
  await page.getByLabel('Join as').fill(name);
  await page.getByRole('button', { name: 'Join' }).click();
  const pane = page.locator('.pane');
  await expect(pane.locator('.card').first()).toBeVisible({ timeout: 20_000 });
  return pane;
}

async function say(pane: Locator, text: string): Promise<void> {
  await pane.getByLabel('Message', { exact: true }).fill(text);
  await pane.getByRole('button', { name: 'Send' }).click();
}

function vote(pane: Locator, text: string): Promise<void> {
  return card(pane, text).locator('.vote').click();
}

function votes(pane: Locator, text: string): Locator {
  return card(pane, text).locator('.vote');
}

/** By what its controls are called: a text area's value is not text of the page. */
function card(pane: Locator, text: string): Locator {
  return pane.locator('.card', { has: pane.page().locator(`[aria-label^="Move “${text}"]`) });
}

/** What the status line says; the same is said aloud elsewhere. */
function state(pane: Locator, words: string): Locator {
  return pane.locator('.chip', { hasText: words });
}

function messages(pane: Locator): Locator {
  return pane.locator('.message p');
}

function person(pane: Locator, name: string): Locator {
  return pane.locator('.person', { hasText: name });
}

function placeOf(of: Locator): Promise<string[]> {
  return of.evaluate((node) => ['--x', '--y'].map((name) => node.style.getPropertyValue(name)));
}

/** Every card with all that is shown of it. */
function board(pane: Locator): Promise<unknown> {
  return pane.locator('.card').evaluateAll((cards) =>
    cards.map((node) => ({
      text: node.querySelector('textarea')?.value,
      place: node.style.cssText,
      votes: node.querySelector('.vote')?.textContent,
    })),
  );
}

/** Legacy: without a page of its own for each run, which only frames would need. */
async function expectAccessible(page: Page, state: string): Promise<void> {
  const { violations, passes } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const lesser = violations.filter((violation) => !grave.includes(violation)).map(({ id }) => id);
  console.log(
    `axe, ${state}: ${passes.length} rules passed, ${grave.length} gravely violated, lesser: ${lesser.join(', ') || 'none'}`,
  );
  expect(grave.map(({ id, nodes }) => ({ state, id, where: nodes.map(({ html }) => html) }))).toEqual([]);
}

/** Tabs through the whole page; what could take the focus and never did. */
async function unreachedByTab(page: Page): Promise<string[]> {
  const controls = await page.evaluate(() => {
    const all = [...document.querySelectorAll<HTMLElement>('button, input, select, textarea, a[href], [tabindex="0"]')];
    const open = all.filter((node) => node.checkVisibility() && !node.matches(':disabled'));
    for (const node of open) node.addEventListener('focus', () => node.setAttribute('data-reached', ''));
    open[0]?.focus();
    return open.length;
  });
  // From the first to the last, and a few more: a list that scrolls may take a press of its own.
  for (let press = 0; press < controls + 10; press++) await page.keyboard.press('Tab');
  const unreached = await page.evaluate(() => {
    const all = [...document.querySelectorAll<HTMLElement>('button, input, select, textarea, a[href], [tabindex="0"]')];
    const open = all.filter((node) => node.checkVisibility() && !node.matches(':disabled'));
    return open.filter((node) => !node.hasAttribute('data-reached')).map((node) => node.outerHTML.slice(0, 120));
  });
  console.log(`keyboard: ${controls - unreached.length} of ${controls} controls reached`);
  return unreached;
}

/** What `npm start` answers when there is a LiveKit server. */
async function offerCall(context: BrowserContext, livekit: TestLivekit): Promise<void> {
  await context.route('**/config.json', (route) => route.fulfill({ json: { livekit: { url: livekit.url } } }));
  await context.route('**/token?*', async (route) => {
    const { searchParams } = new URL(route.request().url());
    const token = await livekit.token(searchParams.get('room') ?? '', searchParams.get('identity') ?? '');
    await route.fulfill({ json: { url: livekit.url, token } });
  });
}

async function watch(context: BrowserContext): Promise<void> {
  context.on('weberror', (error) => problems.push(String(error.error())));
  await context.addInitScript(forbidSubtle);
}
