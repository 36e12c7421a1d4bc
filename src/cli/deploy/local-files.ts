import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { measured, stampOf } from './files.ts';

/** A file of the folder that is deployed. */
export interface LocalFile {
  readonly md5: string;
  readonly sha256: string;
  /** Of Python files only. */
  readonly text: string | undefined;
}

/** Python files are far smaller. */
const mostText = 4 * 2 ** 20;

/** The files of a folder, each read once as long as it is not written to. */
export class LocalFiles {
  readonly #folder: string;
  readonly #known = new Map<string, { readonly stamp: string; readonly file: LocalFile }>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The file as it is now, or as it was read before if that is what `isWanted`; undefined when there is none. */
  async find(path: string, isWanted: (file: LocalFile) => boolean): Promise<LocalFile | undefined> {
    const known = this.#known.get(path);
    if (known !== undefined && isWanted(known.file)) return known.file;
    const file = join(this.#folder, path);
    try {
      const stamp = await stampOf(file);
      if (known?.stamp === stamp) return known.file;
      const { size, ...found } = await measured(file);
      const hasText = path.endsWith('.py') && size <= mostText;
      const read = { ...found, text: hasText ? await readFile(file, 'utf8') : undefined };
      this.#known.set(path, { stamp, file: read });
      return read;
    } catch {
      // not there, or nothing that can be deployed
      return undefined;
    }
  }
}
