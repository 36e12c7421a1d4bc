import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from './server.ts';

/** The failpoints of the servers of a place: named lines at which a server records, fails or ends as by kill -9. */
export class Failpoints {
  readonly #file: string;
  readonly #record: string;

  constructor({ folder }: Place) {
    this.#file = join(folder, 'failpoints');
    this.#record = join(folder, 'failpoints-hit');
  }

  /** What a server is started with. */
  get env(): Readonly<Record<string, string>> {
    return { WINDSOCK_FAILPOINTS: this.#file };
  }

  /** From now on the server dies where it next comes by that name. */
  killAt(name: string): void {
    writeFileSync(this.#file, `${name}=kill\n`);
  }

  /** From now on the server does nothing at all for so many milliseconds wherever it comes by that name. */
  sleepAt(name: string, milliseconds: number): void {
    writeFileSync(this.#file, `${name}=sleep:${milliseconds}\n`);
  }

  recordAll(): void {
    writeFileSync(this.#file, `*=record:${this.#record}\n`);
  }

  disarm(): void {
    rmSync(this.#file, { force: true });
  }

  /** The names that were hit since the last call, each once, in order. */
  takeRecorded(): readonly string[] {
    if (!existsSync(this.#record)) return [];
    const names = readFileSync(this.#record, 'utf8').split('\n');
    rmSync(this.#record);
    return [...new Set(names.filter((name) => name !== ''))];
  }
}
