import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { WindsockError } from './errors.ts';
import type { Account } from './process.ts';
import { rememberedFile } from './remembered-file.ts';

const readPasswd = rememberedFile('/etc/passwd', (text) =>
  text.split('\n').flatMap((entry) => (entry === '' ? [] : [entry.split(':')])),
);

const fieldsOf = (name: string): readonly string[] | undefined => readPasswd().find(([own]) => own === name);

/** The account of that name in /etc/passwd. */
export const findAccount = (name: string): Account | undefined => {
  const fields = fieldsOf(name);
  return fields ? { name, uid: Number(fields[2]), gid: Number(fields[3]) } : undefined;
};

/** Which data folder an account of ours is for; undefined when there is no such account, or it does not say. */
export const dataFolderOf = (name: string): string | undefined => {
  const comment = fieldsOf(name)?.[4] ?? '';
  return comment.startsWith(mark) ? comment.slice(mark.length) : undefined;
};

/** Before the data folder in the comment of an account. */
const mark = 'Windsock ';
/** A comment may hold neither (passwd(5)). */
const asComment = (folder: string): string => `${mark}${folder.replaceAll(/[:\n]/g, '_')}`;

/** Gives an account of ours to a data folder. @throws WindsockError AccountNotMade */
export const giveAccountTo = async (name: string, folder: string): Promise<void> => {
  if (fieldsOf(name)?.[4] === asComment(folder)) return;
  const fault = await runTool('usermod', ['--comment', asComment(folder), name]);
  if (fault !== undefined)
    throw new WindsockError('AccountNotMade', `The account ${name} could not be changed: ${fault}`);
};

/** True when an account is for this data folder, or for none. */
export const isAccountFor = (name: string, folder: string): boolean => {
  const comment = fieldsOf(name)?.[4] ?? '';
  return !comment.startsWith(mark) || comment === asComment(folder);
};

/** True when /etc/passwd gives this number to somebody. */
export const uidIsTaken = (uid: number): boolean =>
  readPasswd().some(([, , number]) => Number(number) === uid);

/** Whether this process may run others as that uid (inside some containers even root may not). */
export const canBecome = (uid: number): boolean =>
  spawnSync('/bin/true', [], { uid, gid: uid, stdio: 'ignore' }).error === undefined;

const lockedExitCode = 1;

const runTool = async (tool: string, args: readonly string[]): Promise<string | undefined> => {
  for (let tries = 1; ; tries += 1) {
    const result = spawnSync(tool, [...args], { encoding: 'utf8', timeout: 30_000 });
    if (result.error) return `${tool} cannot be run: ${result.error.message}`;
    if (result.status === 0) return undefined;
    const locked = result.status === lockedExitCode && /lock/.test(result.stderr);
    if (!locked || tries >= 40) return result.stderr.trim() || `${tool} ended with ${result.status}`;
    await delay(100 + Math.random() * 200);
  }
};

/**
 * Makes the account unless it is there: no password, no shell, no home of its own.
 * Without a uid the system chooses one from its own range. `folder`: the data folder it is for.
 * @throws WindsockError AccountNotMade
 */
export const ensureAccount = async (name: string, uid?: number, folder?: string): Promise<Account> => {
  const there = findAccount(name);
  if (there && (uid === undefined || there.uid === uid)) return there;
  const number = uid === undefined ? ['--system'] : ['--uid', String(uid)];
  const fault = await runTool('useradd', [
    ...number,
    '--user-group',
    '--no-create-home',
    '--no-log-init',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
    '--comment',
    folder === undefined ? 'Windsock' : asComment(folder),
    name,
  ]);
  const made = findAccount(name);
  if (made && (uid === undefined || made.uid === uid)) return made;
  throw new WindsockError(
    'AccountNotMade',
    `The account ${name} could not be made: ${fault ?? 'not in /etc/passwd'}`,
  );
};

/** Removes the account and its group; nothing happens when it is not there. */
export const removeAccount = async (name: string): Promise<void> => {
  if (!findAccount(name)) return;
  const fault = await runTool('userdel', [name]);
  if (findAccount(name))
    throw new WindsockError('AccountNotRemoved', `The account ${name} could not be removed: ${fault}`);
};
