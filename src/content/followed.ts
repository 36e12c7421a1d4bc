import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { z } from 'zod';
import type { ContentLocation } from '../environments/record.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { rememberedFile } from '../lib/remembered-file.ts';

/** Absolute folders by `bucket/path`. */
const schema = z.record(z.string(), z.string().startsWith('/'));
type Folders = z.infer<typeof schema>;

const keyOf = ({ bucketArn, path }: ContentLocation): string =>
  [bucketArn.split(':').at(-1), ...path.split('/').filter((segment) => segment !== '')].join('/');

const parsed = (text: string): Folders => schema.parse(JSON.parse(text));

/**
 * Folders of this machine that stand in the place of a folder of a bucket: what is in them is live, and nobody copies it.
 * Only whoever starts the server names one.
 */
export class FollowedFolders {
  readonly #file: string;
  readonly #read: () => Folders;

  constructor(file: string) {
    this.#file = file;
    this.#read = rememberedFile(file, parsed);
  }

  /** @throws what the system says when the file is there and cannot be read: then nothing is known of any bucket */
  folderFor(where: ContentLocation): string | undefined {
    return existsSync(this.#file) ? this.#read()[keyOf(where)] : undefined;
  }

  /** Follows that folder from now on, also after the next start; undefined ends it. */
  set(where: ContentLocation, folder: string | undefined): void {
    const { [keyOf(where)]: _, ...others } = existsSync(this.#file)
      ? parsed(readFileSync(this.#file, 'utf8'))
      : {};
    const folders = folder === undefined ? others : { ...others, [keyOf(where)]: realpathSync(folder) };
    writeFileAtomic(this.#file, JSON.stringify(folders), { mode: 0o600 });
  }
}
