import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import type { WebToken } from './mwaa.ts';
import { tools } from './tools.ts';

/** A headless Chromium with its usual security: more flags would hide the rules under test. */
export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: tools().browser, args: ['--no-sandbox'] });

export const newContext = (browser: Browser): Promise<BrowserContext> =>
  browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1400, height: 900 } });

/** The URL that AWS documents for a web login token. */
export const loginUrl = (t: Pick<WebToken, 'WebToken' | 'WebServerHostname'>): string =>
  `https://${t.WebServerHostname}/aws_mwaa/aws-console-sso?login=true#${t.WebToken}`;
