// Takes the picture of the README: `windsock open demo --print | node tools/screenshot.ts FILE`.
// The login URL comes by standard input, because a program's arguments are visible to the whole machine.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Browser } from 'playwright-core';

const size = { width: 1280, height: 800 };

/** The browser from npm; it unpacks itself into TMPDIR. */
const launch = async (): Promise<Browser> => {
  const { default: packed } = await import('@sparticuz/chromium');
  const { chromium } = await import('playwright-core');
  return chromium.launch({ executablePath: await packed.executablePath(), args: ['--no-sandbox'] });
};

const take = async (loginUrl: string, file: string): Promise<void> => {
  const browser = await launch();
  try {
    const page = await browser.newPage({ viewport: size, ignoreHTTPSErrors: true });
    await page.goto(loginUrl);
    await page.waitForURL((url) => !url.pathname.startsWith('/aws_mwaa'), { timeout: 60_000 });
    await page.goto(new URL('/dags', loginUrl).href);
    await page.getByText('hello').first().waitFor({ timeout: 60_000 });
    await page.waitForLoadState('networkidle', { timeout: 30_000 });
    await page.screenshot({ path: file });
  } finally {
    await browser.close();
  }
};

const file = process.argv[2];
const loginUrl = (await text(process.stdin)).trim();
if (file === undefined || !URL.canParse(loginUrl))
  throw new Error('Usage: windsock open demo --print | node tools/screenshot.ts FILE');
const temporary = mkdtempSync(join(process.env['TMPDIR'] ?? '/tmp', 'windsock-screenshot-'));
process.env['TMPDIR'] = temporary;
try {
  await take(loginUrl, file);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
