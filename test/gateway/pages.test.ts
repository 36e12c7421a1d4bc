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

test('no session: the command is that of this server', async () => {
  expect((await visit('/')).text).toContain(`npx windsock open one --data ${rig.place.data}`);
});

test('a deep link leads back to its page, in the tab that signs in and in the one that waited', async () => {
  const own = await newContext(browser);
  const urls: string[] = [];
  own.on('request', (request) => urls.push(request.url()));
  const [waits, signsIn] = [await own.newPage(), await own.newPage()];
  const deep = `${origin}/dags/a/runs/b%2Bc?tab=code`;
  await waits.goto(deep);
  expect(await waits.innerText('main')).toContain('you come back to the page that you asked for');
  await signsIn.goto(loginUrl(await rig.mint.webToken('one')));
  await signsIn.waitForURL(deep);
  await until('the page that waited', 10, async () => (await waits.content()).includes('total_entries'));
  expect(waits.url()).toBe(deep);
  expect(urls.filter((url) => url.includes('eyJ'))).toEqual([]);

  // it is remembered for one login, and nothing else that lies there is believed
  const again = async () => {
    await signsIn.goto(loginUrl(await rig.mint.webToken('one')));
    await signsIn.waitForURL((url) => !url.pathname.startsWith('/aws_mwaa'));
    return signsIn.url();
  };
  expect(await again()).toBe(`${origin}/`);
  for (const path of [
    '//evil.example/',
    '/\\evil.example/',
    'https://evil.example/',
    'javascript:alert(1)',
    1,
  ]) {
    const kept = JSON.stringify(JSON.stringify({ path, at: Date.now() }));
    await signsIn.evaluate(`localStorage.setItem('windsock-next-page', ${kept})`);
    expect(await again(), String(path)).toBe(`${origin}/`);
  }
  const old = JSON.stringify(JSON.stringify({ path: '/dags/a', at: Date.now() - 16 * 60_000 }));
  await signsIn.evaluate(`localStorage.setItem('windsock-next-page', ${old})`);
  expect(await again()).toBe(`${origin}/`);
  await own.close();
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
