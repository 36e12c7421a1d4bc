import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Visit, Visited } from './visit.ts';

const ip = (...args: readonly string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });
const visitor = fileURLToPath(new URL('./visitor.ts', import.meta.url));

/** Whether networks can be made here: as root, with ip(8), where the kernel lets. */
export const canMakeNetworks = (): boolean => {
  if (process.geteuid?.() !== 0) return false;
  const name = `ws-try-${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0) return false;
  spawnSync('ip', ['netns', 'del', name]);
  return true;
};

/** A host of its own, wired to this machine and to nothing else. */
export class OtherHost {
  /** This machine's address on the wire between them. */
  readonly ours: string;
  readonly #name: string;
  readonly #wire: string;

  /** `net` is the third number of 10.213.x.0/24. */
  constructor(name: string, net: number) {
    this.#name = `ws-${name}-${process.pid}`;
    this.#wire = `ws${name.slice(0, 3)}${process.pid}`.slice(0, 14);
    this.ours = `10.213.${net}.1`;
    ip('netns', 'add', this.#name);
    ip('link', 'add', this.#wire, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.#name);
    ip('addr', 'add', `${this.ours}/24`, 'dev', this.#wire);
    ip('link', 'set', this.#wire, 'up');
    ip('-n', this.#name, 'addr', 'add', `10.213.${net}.2/24`, 'dev', 'eth0');
    ip('-n', this.#name, 'link', 'set', 'eth0', 'up');
    ip('-n', this.#name, 'link', 'set', 'lo', 'up');
  }

  /** A visit from there. */
  visit(v: Visit): Visited {
    const { stdout, stderr } = spawnSync('ip', ['netns', 'exec', this.#name, process.execPath, visitor], {
      input: JSON.stringify(v),
      encoding: 'utf8',
      timeout: 20_000,
    });
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as Visited;
  }

  remove(): void {
    spawnSync('ip', ['netns', 'del', this.#name]);
    spawnSync('ip', ['link', 'del', this.#wire]);
  }
}
