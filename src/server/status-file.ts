import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type EnvironmentFacts,
  type ServerFile,
  type StatusFile,
  statusFileSchema,
} from '../config/runtime-files.ts';
import type { LiveSummary } from '../environments/content.ts';
import type { ComponentStatus, Leaving } from '../environments/ports.ts';
import type { EnvironmentRecord } from '../environments/record.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { textOf } from '../lib/errors.ts';
import { every } from '../lib/keyed-queue.ts';
import type { Log } from '../lib/log.ts';
import type { OwnDatabaseStatus } from './own-database.ts';
import { environmentFacts, postgresFacts } from './status-facts.ts';

export interface StatusFileOptions {
  /** `status.json` of the data folder. */
  readonly file: string;
  /** What `server.json` says of this server. */
  readonly server: ServerFile;
  readonly view?: StatusFile['view'];
  readonly postgres: () => OwnDatabaseStatus;
  readonly environments: () => Promise<readonly EnvironmentRecord[]>;
  readonly components: (id: string) => readonly ComponentStatus[];
  readonly content: (id: string) => LiveSummary | undefined;
  /** Why its processes get no credentials of the execution role. */
  readonly roleFault: (e: EnvironmentRecord) => string | undefined;
  /** False when another server owns the data folder now: its file is not ours to write. */
  readonly isOurs: () => boolean;
  readonly log: Log;
  readonly now: () => number;
}

export interface KeptStatusFile {
  /** The server stops: says so, and what will be left. Call while everything still runs. */
  stopping(leaving: Leaving): Promise<void>;
  /** Its last word. Call when everything was ended that is to end. */
  stopped(): void;
}

/** At most one look a second; a change is in the file a second later. */
const lookEvery = 1_000;
/** A database that hangs must not keep the rest from being told. */
const databasePatience = 2_000;
const readStatus = (file: string): StatusFile | undefined => {
  try {
    return statusFileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined; // none yet, or damaged: it is written anew
  }
};

class StatusKeeper implements KeptStatusFile {
  readonly #o: StatusFileOptions;
  readonly #stop: () => void;
  #records: readonly EnvironmentRecord[] = [];
  #known: readonly EnvironmentFacts[];
  #written = '';
  #asking: Promise<void> | undefined;
  /** Once it stops, what it knew last is kept: the numbers tell later what still runs. */
  #leaving: Leaving | undefined;
  #failing = false;

  constructor(o: StatusFileOptions) {
    this.#o = o;
    this.#known = readStatus(o.file)?.environments ?? [];
    this.#stop = every(
      lookEvery,
      () => this.look(),
      () => {},
    );
  }

  async look(): Promise<void> {
    await this.#readRecords();
    if (this.#leaving === undefined) this.#write({ state: 'running', ...this.#facts() });
  }

  async stopping(leaving: Leaving): Promise<void> {
    await this.look();
    this.#stop();
    this.#leaving = leaving;
    this.#write({ ...this.#last(), state: 'stopping', leaving });
  }

  stopped(): void {
    this.#stop();
    this.#leaving ??= 'end';
    this.#write({ ...this.#last(), state: 'stopped', leaving: this.#leaving });
  }

  /** Those of the last time while the database does not answer; it is asked once at a time. */
  async #readRecords(): Promise<void> {
    this.#asking ??= this.#o
      .environments()
      .then(
        (found) => {
          this.#records = found;
        },
        () => {},
      )
      .finally(() => {
        this.#asking = undefined;
      });
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, databasePatience);
    await Promise.race([this.#asking, late.promise]);
    clearTimeout(timer);
  }

  #facts(): Omit<StatusFile, 'writtenAt' | 'state'> {
    const now = this.#o.now();
    const { components, content, roleFault } = this.#o;
    this.#known = this.#records.map((e) =>
      environmentFacts(e, {
        ...{ before: this.#known, now },
        ...{ components: components(e.id), content: content(e.id), roleFault: roleFault(e) },
      }),
    );
    return {
      server: this.#o.server,
      ...(this.#o.view === undefined ? {} : { view: this.#o.view }),
      postgres: postgresFacts(this.#o.postgres()),
      environments: [...this.#known],
    };
  }

  #last(): Omit<StatusFile, 'writtenAt' | 'state'> {
    return this.#written === '' ? this.#facts() : JSON.parse(this.#written);
  }

  #write(facts: Omit<StatusFile, 'writtenAt'>): void {
    const text = JSON.stringify(facts);
    if (text === this.#written || !this.#o.isOurs()) return;
    try {
      const content = JSON.stringify({ ...facts, writtenAt: this.#o.now() });
      writeFileAtomic(this.#o.file, content, { mode: 0o600 });
      this.#written = text;
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#o.log.warn('status not written', { reason: textOf(error) });
      this.#failing = true;
    }
  }
}

/** What killed servers left half written beside it: only the owner of the data folder writes there. */
const removeTemporaries = (folder: string): void => {
  for (const name of readdirSync(folder))
    if (/\.\d+\.tmp$/.test(name)) rmSync(join(folder, name), { force: true });
};

/**
 * Writes `status.json` (mode 0600, whole or not at all) whenever something changed, at most once a second, until
 * `stopped`. Only the owner of the data folder may call it. Never throws: a full disk is told in the log once.
 */
export const keepStatusFile = async (o: StatusFileOptions): Promise<KeptStatusFile> => {
  removeTemporaries(dirname(o.file));
  const keeper = new StatusKeeper(o);
  await keeper.look();
  return keeper;
};
