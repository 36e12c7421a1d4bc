// The door's own pages in Chromium: what they say, that everybody can use them, and that nothing of theirs is elsewhere.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, loginUrl, newContext } from '../harness/browser.ts';
import { signed } from '../harness/raw.ts';
import { Rig } from '../harness/rig.ts';
import { until } from '../harness/until.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let rig: Rig;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let origin: string;
const elsewhere: string[] = [];

beforeAll(async () => {
  rig = await Rig.make();
  await rig.create('one', '3.3.1');
  await rig.available('one');
  origin = `https://${(await rig.mint.webToken('one')).WebServerHostname}`;
  browser = await launchBrowser();
  context = await newContext(browser);
  page = await context.newPage();
  page.on('request', (request) => {
    if (!request.url().startsWith(origin)) elsewhere.push(request.url());
  });
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await rig?.remove();
}, 60_000);

/** What axe finds on the page, at two widths and in both colour schemes. */
const faults = async (): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [360, 1280]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      // by the debugger, past the policy of the page, which lets no script in
      const session = await context.newCDPSession(page);
      await session.send('Runtime.evaluate', { expression: axe });
      const { result } = await session.send('Runtime.evaluate', {
        expression:
          "axe.run().then((r) => JSON.stringify(r.violations.map((v) => v.id + ': ' + v.nodes[0].html)))",
        awaitPromise: true,
      });
      found.push(
        ...(JSON.parse(String(result.value)) as string[]).map((text) => `${colorScheme} ${width}: ${text}`),
      );
      const tooWide = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
      if (tooWide) found.push(`${colorScheme} ${width}: wider than the window`);
    }
  return found;
};

const visit = async (path: string): Promise<{ readonly status: number; readonly text: string }> => {
  const answer = await page.goto(`${origin}${path}`);
  const requestId = answer?.headers()['x-request-id'] ?? '';
  const text = await page.innerText('main');
  expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(text).toContain(`Request ${requestId}`);
  return { status: answer?.status() ?? 0, text };
};

test('no session: how to get in', async () => {
  const { status, text } = await visit('/');
  expect(status).toBe(401);
  expect(text).toMatch(/Sign in to one.*windsock open one.*create-web-login-token --name one/s);
  expect(await faults()).toEqual([]);
});

test('a path that leads nowhere', async () => {
  const { status, text } = await visit('/execution/x');
  expect(status).toBe(403);
  expect(text).toMatch(/That is not possible/);
  expect(await faults()).toEqual([]);
});

test('the page of a login with a token that does not count', async () => {
  const token = await rig.mint.webToken('one');
  await page.goto(loginUrl({ ...token, WebToken: `${token.WebToken.slice(0, -4)}AAAA` }));
  await until('it says what is wrong', 10, async () => /token/i.test(await page.innerText('main')));
  expect(page.url()).not.toContain('#');
  expect(await faults()).toEqual([]);
});

test('signed in: no role for a page, signing out, signed out', async () => {
  await page.goto(loginUrl(await rig.mint.webToken('one')));
  await page.waitForURL((url) => !url.pathname.startsWith('/aws_mwaa'), { timeout: 20_000 });
  const denied = await visit('/auth/login');
  expect([denied.status, denied.text]).toEqual([403, expect.stringMatching(/Access denied.*one.*root/s)]);
  expect(await faults()).toEqual([]);
  const out = await visit('/aws_mwaa/sign-out');
  expect(out.text).toMatch(/Sign out of one\?/);
  expect(await faults()).toEqual([]);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You are signed out of one').waitFor();
  expect(await faults()).toEqual([]);
  expect((await visit('/')).status).toBe(401);
});

test('stopped, and starting again: the page comes back by itself', async () => {
  const path = '/windsock/environments/one';
  await signed(rig.place, { method: 'POST', path: `${path}/stop`, service: 'windsock' });
  await until('it is stopped', 30, async () =>
    (await (await page.goto(origin))?.text())?.includes('is stopped'),
  );
  const { status, text } = await visit('/');
  expect([status, text]).toEqual([503, expect.stringContaining('windsock environment start one')]);
  expect(await faults()).toEqual([]);
  await signed(rig.place, { method: 'POST', path: `${path}/start`, service: 'windsock' });
  await until('it is back', 60, async () =>
    /Sign in to one/.test(await page.goto(origin).then(() => page.innerText('main'))),
  );
}, 120_000);

test('nothing was asked for elsewhere', () => {
  expect(elsewhere).toEqual([]);
});
