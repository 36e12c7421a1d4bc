import { textOf } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import type { Log } from '../lib/log.ts';
import { RootGone } from '../lib/open-folder.ts';
import { type BucketTable, nothingToSee, type VersionRow } from './table.ts';
import type { VisibleFolder } from './visible-folder.ts';

/** Milliseconds between two rounds, and how many files are put onto the disk in one. */
const pause = 1_000;
const mostAtOnce = 500;
const restMilliseconds = 10_000;

const keyOf = ({ bucket, key }: VersionRow): string => `${bucket}/${key}`;

/**
 * Visible files that were written a moment ago. Nobody waits until they are on the disk: the bytes of the version are. Only when
 * they are, too, the table says so; what a crash leaves open is shown anew by the next start.
 */
export class SeenQueue {
  readonly #table: Pick<BucketTable, 'setSeen'>;
  readonly #visible: (bucket: string) => VisibleFolder;
  readonly #log: Log;
  readonly #waiting = new Map<string, VersionRow>();
  #restUntil = 0;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #writing: Promise<unknown> = Promise.resolve();

  constructor(o: {
    readonly table: Pick<BucketTable, 'setSeen'>;
    readonly visible: (bucket: string) => VisibleFolder;
    readonly log: Log;
  }) {
    this.#table = o.table;
    this.#visible = o.visible;
    this.#log = o.log;
  }

  /** What tells the visible file of a latest version; undefined when that is not known. */
  of(row: VersionRow): string | undefined {
    const waiting = this.#waiting.get(keyOf(row));
    return waiting?.versionId === row.versionId ? waiting.seen : row.seen;
  }

  /** Something could not be shown: nobody tries again at once, whatever is looked at. */
  rest(now: number): void {
    this.#restUntil = now + restMilliseconds;
  }

  isResting(now: number): boolean {
    return now < this.#restUntil;
  }

  /** From now on it is not known what people see, also after a crash. */
  async forget(row: VersionRow): Promise<void> {
    this.#waiting.delete(keyOf(row));
    await this.#writing;
    await this.#table.setSeen([{ ...row, seen: undefined }]);
  }

  add(row: VersionRow): void {
    this.#waiting.set(keyOf(row), row);
    this.#timer ??= setTimeout(() => void this.flush(), pause).unref();
  }

  /** Puts all that waits onto the disk and writes it down. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#round = this.#round
      .then(() => this.#flush())
      .catch((error: unknown) => {
        this.#log.warn('visible files of buckets not written down', { reason: textOf(error) });
        this.#timer ??= setTimeout(() => void this.flush(), pause).unref();
      });
    return this.#round;
  }

  /** False where the folder of the bucket is gone: the next start looks what is to be seen then. */
  async #isOnDisk({ bucket, key, seen }: VersionRow): Promise<boolean> {
    const visible = this.#visible(bucket);
    try {
      await (seen === nothingToSee ? visible.syncHidden(key) : visible.sync(key));
      return true;
    } catch (error) {
      if (error instanceof RootGone) return false;
      throw error;
    }
  }

  async #flush(): Promise<void> {
    while (this.#waiting.size > 0) {
      const rows = [...this.#waiting.values()].slice(0, mostAtOnce);
      const onDisk = new Set<VersionRow>();
      for (const row of rows) if (await this.#isOnDisk(row)) onDisk.add(row);
      failpoint('seen:on-disk');
      // what was forgotten meanwhile stays unknown
      const written = rows.filter((row) => onDisk.has(row) && this.#waiting.get(keyOf(row)) === row);
      const writing = this.#table.setSeen(written);
      this.#writing = writing.catch(() => {});
      await writing;
      failpoint('seen:written-down');
      for (const row of rows) if (this.#waiting.get(keyOf(row)) === row) this.#waiting.delete(keyOf(row));
    }
  }
}
