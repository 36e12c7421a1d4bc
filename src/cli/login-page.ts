import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { textOf } from '../lib/errors.ts';
import type { Stop } from '../lib/stop.ts';
import type { Context } from './context.ts';
import { CliError } from './errors.ts';

export interface LoginPage {
  readonly url: string;
  readonly file: string;
  readonly remove: Stop;
}

/** For a string inside a script: no `<` can end the element, and JSON's quotes are JavaScript's. */
const scriptString = (text: string): string => JSON.stringify(text).replaceAll('<', '\\u003c');

const html = (target: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="referrer" content="no-referrer">
<title>Opening Airflow</title></head>
<body><p>Opening Airflow. If nothing happens, allow scripts for this page.</p>
<script>location.replace(${scriptString(target)})</script></body></html>
`;

const makeFolder = (above: string): string => {
  try {
    return mkdtempSync(join(above, 'windsock-open-'));
  } catch (cause) {
    throw new CliError(`The page that goes on to Airflow cannot be written into ${above}.`, {
      why: textOf(cause),
      todo: 'Name a folder of yours in XDG_RUNTIME_DIR or TMPDIR, or print the login URL: windsock open --print',
      cause,
    });
  }
};

/**
 * A page that only this account can read and that goes on to the login URL: a program's arguments are visible to
 * everybody on the machine, so the token must not be one.
 */
export const writeLoginPage = (target: string, context: Context): LoginPage => {
  const runtime = context.env['XDG_RUNTIME_DIR'];
  const folder = makeFolder(runtime?.startsWith('/') ? runtime : tmpdir());
  const file = join(folder, 'login.html');
  writeFileSync(file, html(target), { mode: 0o600, flag: 'wx' });
  const remove = () => rmSync(folder, { recursive: true, force: true });
  return { url: pathToFileURL(file).href, file, remove };
};
