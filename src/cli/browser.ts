import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Context } from './context.ts';

const isOnPath = (program: string, env: Context['env']): boolean =>
  (program.includes('/') ? [''] : (env['PATH'] ?? '').split(delimiter)).some((folder) => {
    try {
      accessSync(folder === '' ? program : join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

const hasScreen = (context: Context): boolean =>
  context.platform === 'darwin' || Boolean(context.env['DISPLAY'] || context.env['WAYLAND_DISPLAY']);

/** The program that opens a page: $BROWSER, else the desktop's; undefined when there is none. */
export const findBrowser = (context: Context): string | undefined => {
  const own = context.env['BROWSER']?.split(':')[0];
  if (own && isOnPath(own, context.env)) return own;
  const usual = context.platform === 'darwin' ? 'open' : 'xdg-open';
  return hasScreen(context) && isOnPath(usual, context.env) ? usual : undefined;
};

/** Starts it for this address and leaves it alone; false when it cannot be started or fails within 2 s. */
export const openBrowser = (program: string, url: string, context: Context): Promise<boolean> =>
  new Promise((resolve) => {
    const child = spawn(program, [url], { stdio: 'ignore', detached: true, env: { ...context.env } });
    const timer = setTimeout(() => resolve(true), 2000);
    const settle = (opened: boolean) => {
      clearTimeout(timer);
      resolve(opened);
    };
    child.once('error', () => settle(false));
    child.once('exit', (code) => settle(code === 0));
    child.unref();
  });
