import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Account } from '../../lib/process.ts';
import { quoted } from '../../lib/shell.ts';
import { commandOf } from './launch.ts';
import { mwaaHome, unshareFile, type View, type ViewKind } from './view.ts';

/** Whether the programs of environments can have a view of their own on this machine. */
export interface ViewSupport {
  readonly kind: ViewKind;
  /** Why not, for people. */
  readonly missing?: string;
}

export interface ViewTrial {
  /** The data folder. */
  readonly data: string;
  /** A folder in it. */
  readonly cache: string;
  /** Another account to run as; undefined without root. */
  readonly account: Account | undefined;
}

/** What the trial finds in its view: the home, a folder in it, and nothing of the data folder's own. */
const question = (data: string): string =>
  `test -w ${mwaaHome} && test -d ${mwaaHome}/dags && ! test -e ${quoted(join(data, 'secrets'))}`;

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

const tryView = (t: ViewTrial, folder: string, view: View): string | undefined => {
  const command = commandOf({
    program: '/bin/sh',
    args: ['-c', question(t.data)],
    env: { PATH: '/usr/bin:/bin' },
    cwd: mwaaHome,
    account: t.account,
    view,
  });
  if (t.account) chownSync(join(folder, 'home'), t.account.uid, t.account.gid);
  const { file, args, options, words } = command;
  const result = spawnSync(file, args, { ...options, input: words, encoding: 'utf8', timeout: 20_000 });
  if (result.error) return result.error.message;
  if (result.status === 0) return undefined;
  return lastLine(result.stderr) || `the trial ended with ${result.signal ?? result.status}`;
};

/** Finds out by doing it once, with folders that are removed again. Never throws. */
export const findViewSupport = (t: ViewTrial): ViewSupport => {
  if (unshareFile() === undefined) return { kind: 'none', missing: 'unshare (util-linux) is not installed' };
  const kind = t.account ? 'root' : 'user';
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(t.cache, 'view-'));
    for (const name of ['home', 'dags']) mkdirSync(join(folder, name));
    const [home, dags] = [join(folder, 'home'), join(folder, 'dags')].map((path) => relative(t.data, path));
    if (home === undefined || dags === undefined) throw new Error('no folder');
    const shown = { readOnly: [dags], writable: [home], home, inHome: { dags } };
    const parts = { ...shown, hosts: undefined, temporary: undefined };
    const view: View = { kind, data: t.data, ...parts };
    // What ran before is only taken over by a server that sees the same: one bad moment must not end it.
    let missing = tryView(t, folder, view);
    for (let more = 2; missing !== undefined && more > 0; more -= 1) missing = tryView(t, folder, view);
    return missing === undefined ? { kind } : { kind: 'none', missing };
  } catch (error) {
    return { kind: 'none', missing: error instanceof Error ? error.message : String(error) };
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
};
