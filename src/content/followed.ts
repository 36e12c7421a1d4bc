import { realpathSync } from 'node:fs';
import { z } from 'zod';
import { bucketNameOf } from '../contract/arn.ts';
import { SourceUnavailable } from '../environments/errors.ts';
import type { BucketFolder } from '../environments/record.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { codeOf, textOf } from '../lib/errors.ts';
import { rememberedFile } from '../lib/remembered-file.ts';

/** Absolute folders by `bucket/path`. */
const schema = z.record(z.string(), z.string().startsWith('/'));
type Folders = z.infer<typeof schema>;

const keyOf = ({ bucketArn, path }: BucketFolder): string =>
  [bucketNameOf(bucketArn), ...path.split('/').filter((segment) => segment !== '')].join('/');

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

  /** @throws SourceUnavailable when the list is there and cannot be read: then nothing is known of any bucket */
  folderFor(where: BucketFolder): string | undefined {
    return this.#all()[keyOf(where)];
  }

  #all(): Folders {
    try {
      return this.#read();
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return {};
      throw new SourceUnavailable(
        `Cannot read ${this.#file}, which says which folders are followed: ${textOf(error)}. Start once more with --dags.`,
        error,
      );
    }
  }

  /** The folder that stands in the place of one in which this key would be, if any. @throws SourceUnavailable */
  folderOver(bucket: string, key: string): string | undefined {
    const folders = this.#all();
    const segments = key.split('/');
    const paths = segments.map((_, depth) => [bucket, ...segments.slice(0, depth)].join('/'));
    return paths.map((path) => folders[path]).find((folder) => folder !== undefined);
  }

  /** A damaged list is made anew: what it said is not known any more. */
  #readOr(otherwise: Folders): Folders {
    try {
      return this.#read();
    } catch {
      return otherwise;
    }
  }

  /** Follows that folder from now on, also after the next start; undefined ends it. */
  set(where: BucketFolder, folder: string | undefined): void {
    const { [keyOf(where)]: _, ...others } = this.#readOr({});
    const folders = folder === undefined ? others : { ...others, [keyOf(where)]: realpathSync(folder) };
    writeFileAtomic(this.#file, JSON.stringify(folders), { mode: 0o600 });
  }
}
