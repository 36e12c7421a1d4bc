import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeFileAtomicAsync } from '../lib/atomic-file.ts';

const schema = z.object({
  /** Epoch milliseconds at which the tree became what it is. */
  since: z.number(),
  /**
   * By path: the source's version, the stamp of the file that was made of it, the SHA-256 of its bytes, and when it
   * came here in epoch milliseconds.
   */
  files: z.array(
    z.tuple([
      z.string(),
      z.object({ version: z.string(), stamp: z.string(), sha256: z.string(), at: z.number() }),
    ]),
  ),
});

export type PublishedFile = z.infer<typeof schema>['files'][number][1];

export interface PublishState {
  readonly since: number;
  /** Names the tree by its paths and bytes: equal trees have equal versions, whenever they were published. */
  readonly version: string;
  readonly files: ReadonlyMap<string, PublishedFile>;
}

const versionOf = (files: PublishState['files']): string => {
  const hash = createHash('sha256');
  for (const path of [...files.keys()].sort()) hash.update(`${path}\0${files.get(path)?.sha256}\n`);
  return hash.digest('hex').slice(0, 16);
};

export const newState = (since: number, files: PublishState['files']): PublishState => ({
  ...{ since, files },
  version: versionOf(files),
});

const parse = (text: string): PublishState => {
  const { since, files } = schema.parse(JSON.parse(text));
  return newState(since, new Map(files));
};

/** What was published, in a file that only this object writes. */
export class PublishStateFile {
  readonly #file: string;
  #known: PublishState | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  /** Unreadable or absent means that nothing was published, which only costs a copy. */
  read(): PublishState {
    try {
      this.#known ??= parse(readFileSync(this.#file, 'utf8'));
      return this.#known;
    } catch {
      return newState(0, new Map());
    }
  }

  /** Writes one after the other. */
  async write(state: PublishState): Promise<void> {
    // pairs: a file may be called __proto__
    const data = JSON.stringify({ since: state.since, files: [...state.files] });
    const written = this.#written.then(() => writeFileAtomicAsync(this.#file, data, { mode: 0o600 }));
    this.#written = written.catch(() => {});
    await written;
    this.#known = state;
  }
}
