import { execFile } from 'node:child_process';
import { prefixedNames } from '../contract/host-prefixes.ts';
import type { Context } from './context.ts';

/** Prints a line for each name that getaddrinfo(3) knows: the name, and its addresses. */
const program = `for (const name of process.argv.slice(1))
  require('node:dns').lookup(name, { all: true }, (error, found) => {
    if (!error) console.log(name, ...found.map(({ address }) => address));
  });`;

/** A name service that does not answer in this time (ms) counts as one that does not know the name. */
const patience = 3_000;

const here = ['127.0.0.1', '::1'];

/**
 * Those of the names that clients call for the API which do not lead to this machine. Asked in a child, because a
 * question to the name service cannot be given up.
 */
export const unresolvedNames = (context: Context): Promise<readonly string[]> =>
  new Promise((resolve) => {
    const { NODE_OPTIONS: _, ...env } = context.env;
    const options = { env, timeout: patience, killSignal: 'SIGKILL', signal: context.signal } as const;
    execFile(process.execPath, ['-e', program, ...prefixedNames], options, (_error, stdout) => {
      const lines = stdout.split('\n').map((line) => line.split(' '));
      const leads = (name: string) =>
        lines.some(([known, ...to]) => known === name && to.every((address) => here.includes(address)));
      resolve(prefixedNames.filter((name) => !leads(name)));
    });
  });
