import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from './server.ts';

/** Above the space without which a server does not start. */
const wholeSize = 1300 * 1024 ** 2;

/** The data folder of a place on a disk of its own, whose size can be changed while it is used. Only root can. */
export class SmallDisk {
  readonly #folder: string;

  constructor({ data }: Place) {
    this.#folder = data;
    mkdirSync(data);
    this.#mount('-t', 'tmpfs', '-o', `size=${wholeSize},mode=0755`, 'tmpfs', data);
  }

  get free(): number {
    const { bavail, bsize } = statfsSync(this.#folder);
    return bavail * bsize;
  }

  get used(): number {
    const { blocks, bavail, bsize } = statfsSync(this.#folder);
    return (blocks - bavail) * bsize;
  }

  /** Makes it so small, or so large, that this many bytes are free. */
  leave(bytes: number): void {
    this.#mount('-o', `remount,size=${this.used + bytes}`, this.#folder);
  }

  /** Leaves not one byte. */
  fill(): void {
    this.leave(64 * 1024);
    const file = openSync(join(this.#folder, 'filler'), 'a');
    try {
      for (const size of [4096, 1]) for (;;) writeSync(file, Buffer.alloc(size, 'x'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  /** There is as much space as at the beginning. */
  empty(): void {
    rmSync(join(this.#folder, 'filler'), { force: true });
    this.#mount('-o', `remount,size=${wholeSize}`, this.#folder);
  }

  /** Whatever still uses it. */
  unmount(): void {
    if (spawnSync('umount', [this.#folder]).status !== 0) spawnSync('umount', ['-l', this.#folder]);
  }

  #mount(...args: readonly string[]): void {
    execFileSync('mount', [...args], { stdio: 'pipe' });
  }
}
