import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { refused } from './archive-refused.ts';

/** Bytes that are read at once where small pieces follow each other. */
const window = 16_384;

/** Reads an archive by position. */
export class ArchiveFile {
  /** Bytes, when it was opened. */
  readonly size: number;
  readonly #handle: FileHandle;
  readonly #signal: AbortSignal;
  #from = 0;
  #held: Buffer = Buffer.alloc(0);

  constructor(handle: FileHandle, size: number, signal: AbortSignal) {
    this.#handle = handle;
    this.size = size;
    this.#signal = signal;
  }

  /**
   * Exactly these bytes; what was given before stays as it is.
   * @throws ArchiveRefused when the file has become shorter
   */
  async read(at: number, length: number): Promise<Buffer> {
    this.#signal.throwIfAborted();
    const bytes = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await this.#handle.read(bytes, done, length - done, at + done);
      if (bytesRead === 0) throw refused('it ends too early', 'Upload it again.');
      done += bytesRead;
    }
    return bytes;
  }

  /** The same, for small pieces that lie one after the other. One call at a time. */
  async piece(at: number, length: number): Promise<Buffer> {
    if (at < this.#from || at + length > this.#from + this.#held.length) {
      this.#held = await this.read(at, Math.max(length, Math.min(window, this.size - at)));
      this.#from = at;
    }
    return this.#held.subarray(at - this.#from, at - this.#from + length);
  }

  /** These bytes in chunks. */
  async *chunks(at: number, length: number): AsyncGenerator<Buffer> {
    const most = 65_536;
    for (let done = 0; done < length; done += most)
      yield await this.read(at + done, Math.min(most, length - done));
  }
}

/** Opens the archive for `work`, and closes it unless it was open. */
export const withArchive = async <T>(
  file: string | FileHandle,
  signal: AbortSignal,
  work: (archive: ArchiveFile) => Promise<T>,
): Promise<T> => {
  // a pipe would be waited for
  const handle =
    typeof file === 'string' ? await open(file, constants.O_RDONLY | constants.O_NONBLOCK) : file;
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw refused('it is no file', 'Give a zip archive.');
    return await work(new ArchiveFile(handle, stat.size, signal));
  } finally {
    if (typeof file === 'string') await handle.close();
  }
};
