import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRoot } from './accounts.ts';

const canUnshare = (): boolean => {
  try {
    execFileSync('/usr/bin/unshare', ['--mount', 'mount', '--bind', '/tmp', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** A hosts file of a test's own can be put in the place of the machine's. */
export const hasOwnHosts = isRoot && canUnshare();

/**
 * A hosts file that programs see as /etc/hosts, mounted there as in a container. Names come from it alone, whatever
 * else this machine would ask.
 */
export class OwnHosts {
  readonly file: string;
  readonly #nameService: string;

  constructor(folder: string, text: string) {
    this.file = join(folder, 'own-hosts');
    this.#nameService = join(folder, 'own-nsswitch.conf');
    writeFileSync(this.file, text);
    writeFileSync(this.#nameService, 'hosts: files\n');
  }

  /** The command line that runs a program in a mount namespace of its own. */
  around(program: string, args: readonly string[]): readonly [string, string[]] {
    const script =
      'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/nsswitch.conf && shift 2 && exec "$@"';
    const files = [this.file, this.#nameService];
    return ['unshare', ['--mount', 'sh', '-c', script, 'sh', ...files, program, ...args]];
  }
}
