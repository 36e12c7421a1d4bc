import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Account } from '../../lib/process.ts';
import { quoted } from '../../lib/shell.ts';
import { commandOf } from './launch.ts';
import { mwaaHome, utilFile, type View, type ViewKind } from './view.ts';

/** Whether the programs of environments can have a view of their own on this machine. */
export interface ViewSupport {
  readonly kind: ViewKind;
  /** Why not, for people. */
  readonly missing?: string;
  /** How commands and installations get a pid namespace; undefined where they cannot have one. */
  readonly pidNamespace?: View['kind'];
  /** Why not, for people. */
  readonly missingPids?: string;
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

/** What it finds besides in a pid namespace: /proc is that of the namespace. */
const pidQuestion = `read -r pid rest </proc/self/stat && test "$pid" = "$$"`;

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

const tryOnce = (t: ViewTrial, folder: string, view: View, hasPids: boolean): string | undefined => {
  const command = commandOf({
    program: '/bin/sh',
    args: ['-c', hasPids ? pidQuestion : question(t.data)],
    env: { PATH: '/usr/bin:/bin' },
    cwd: mwaaHome,
    account: t.account,
    view,
    pidNamespace: hasPids ? view.kind : undefined,
  });
  if (t.account) chownSync(join(folder, 'home'), t.account.uid, t.account.gid);
  const { file, args, options, words } = command;
  const result = spawnSync(file, args, { ...options, input: words, encoding: 'utf8', timeout: 20_000 });
  if (result.error) return result.error.message;
  if (result.status === 0) return undefined;
  return lastLine(result.stderr) || `the trial ended with ${result.signal ?? result.status}`;
};

/** What ran before is only taken over by a server that sees the same: one bad moment must not end it. */
const tryIt = (t: ViewTrial, folder: string, view: View, hasPids: boolean): string | undefined => {
  let missing = tryOnce(t, folder, view, hasPids);
  for (let more = 2; missing !== undefined && more > 0; more -= 1)
    missing = tryOnce(t, folder, view, hasPids);
  return missing;
};

const none = (missing: string): ViewSupport => ({ kind: 'none', missing, missingPids: missing });

/** Finds out by doing it once, with folders that are removed again. Never throws. */
export const findViewSupport = (t: ViewTrial): ViewSupport => {
  if (utilFile('unshare') === undefined) return none('unshare (util-linux) is not installed');
  const kind = t.account ? 'root' : 'user';
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(t.cache, 'view-'));
    for (const name of ['home', 'dags']) mkdirSync(join(folder, name));
    const [home, dags] = [join(folder, 'home'), join(folder, 'dags')].map((path) => relative(t.data, path));
    if (home === undefined || dags === undefined) throw new Error('no folder');
    const shown = { readOnly: [dags], writable: [home], home, inHome: { dags } };
    const parts = { ...shown, hosts: undefined, sharedMemory: 1, temporary: undefined };
    const view: View = { kind, data: t.data, ...parts };
    const missing = tryIt(t, folder, view, false);
    if (missing !== undefined) return none(missing);
    const missingPids = tryIt(t, folder, view, true);
    return missingPids === undefined ? { kind, pidNamespace: kind } : { kind, missingPids };
  } catch (error) {
    return none(error instanceof Error ? error.message : String(error));
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
};
