import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Account } from './accounts.ts';
import { plainEnvironment, repository } from './tools.ts';

const git = (cwd: string, args: readonly string[], account?: Account): string =>
  execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.invalid', ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...plainEnvironment(account?.home ?? '/nonexistent'), GIT_CONFIG_NOSYSTEM: '1' },
    timeout: 120_000,
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(account ? { uid: account.uid, gid: account.gid } : {}),
  });

/** What git knows or would take in: a checkout as it would be after a commit of everything. */
const files = (): readonly string[] =>
  git(repository, ['-c', `safe.directory=${repository}`, 'ls-files', '-z', '-co', '--exclude-standard'])
    .split('\0')
    .filter((file) => file !== '' && existsSync(join(repository, file)));

/** A fresh `git clone` of the working tree, without node_modules, that belongs to the account. */
export const cloneFor = (folder: string, account: Account | undefined): string => {
  const source = join(folder, 'source');
  for (const file of files()) {
    mkdirSync(dirname(join(source, file)), { recursive: true });
    cpSync(join(repository, file), join(source, file));
  }
  if (account) execFileSync('chown', ['-R', `${account.uid}:${account.gid}`, source]);
  git(source, ['init', '--quiet'], account);
  git(source, ['add', '--all'], account);
  git(source, ['commit', '--quiet', '--message', 'The working tree'], account);
  const clone = join(folder, 'clone');
  git(folder, ['clone', '--quiet', source, clone], account);
  return clone;
};

/** PATH without what npm put there: the machine's own Node and npm. */
export const machinePath = (): string =>
  (process.env['PATH'] ?? '')
    .split(':')
    .filter((folder) => !folder.includes('node_modules') && !folder.includes('node-gyp-bin'))
    .join(':');
