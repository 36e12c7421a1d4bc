import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

export const isRoot = process.getuid?.() === 0;

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

const entries = (): readonly string[][] =>
  readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'));

/** The account of that name, when there is one. */
export const accountOf = (name: string): Account | undefined => {
  const fields = entries().find(([first]) => first === name);
  return fields && { name, uid: Number(fields[2]), gid: Number(fields[3]), home: fields[5] ?? '/' };
};

const locked = 1;

const tool = (program: string, args: readonly string[]): void => {
  for (let tries = 0; ; tries += 1) {
    const result = spawnSync(program, [...args], { encoding: 'utf8', timeout: 30_000 });
    if (result.status === 0) return;
    if (result.status !== locked || tries > 50)
      throw new Error(`${program}: ${result.error ?? result.stderr}`);
    execFileSync('sleep', ['0.2']);
  }
};

/** Makes an ordinary account with a home of its own; only root can. */
export const makeAccount = (): Account => {
  const name = `windsock-test-${randomBytes(4).toString('hex')}`;
  tool('useradd', ['--create-home', '--no-log-init', '--shell', '/bin/bash', name]);
  const account = accountOf(name);
  if (!account) throw new Error(`${name} is not in /etc/passwd`);
  return account;
};

/** Removes an account with its home. */
export const removeAccount = (name: string): void => {
  if (accountOf(name)) tool('userdel', ['--remove', '--force', name]);
};

/** Removes an account that never had a home. */
export const removeEnvironmentAccount = (id: string): void => {
  if (accountOf(`windsock-${id}`)) tool('userdel', [`windsock-${id}`]);
};
