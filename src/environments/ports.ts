import type { Readable } from 'node:stream';
import type { Stop } from '../lib/stop.ts';
import type { InTransaction, Transaction } from '../lib/transaction.ts';
import type { Actual, DriverStep } from './plan.ts';
import type {
  AccountRegion,
  EnvironmentId,
  EnvironmentKey,
  EnvironmentRecord,
  EnvironmentSpec,
  EnvironmentUpdate,
  LastUpdate,
  NewEnvironment,
  Placement,
  Tags,
} from './record.ts';
import type { EnvironmentStatus } from './status.ts';

/** The right to act on one environment. Ask `stillHeld` before each step that starts or ends something. */
export interface Lease {
  readonly id: EnvironmentId;
  stillHeld(): Promise<boolean>;
  /** Aborted when the lock is lost or the server stops. */
  readonly signal: AbortSignal;
}

/** The lock of one environment, with what only its holder may write. */
export interface KeyLock extends Lease {
  /**
   * Writes what was reached, over the connection that holds the lock. Throws GenerationChanged when the record is no
   * longer as it was read (generation, status), and LeaseLost.
   */
  setObserved(read: EnvironmentRecord, change: ObservedChange): Promise<void>;
  /** Claims a host name with port, unique among the living; false if another has it. Throws as `setObserved`. */
  claimHostname(read: EnvironmentRecord, hostname: string): Promise<boolean>;
}

/** The locks of one server. */
export interface EnvironmentLocks {
  /** Runs work under the id's lock; 'busy' when another holds it. */
  withKey<T>(id: EnvironmentId, work: (lock: KeyLock) => Promise<T>): Promise<T | 'busy'>;
  close(): Promise<void>;
}

/** What a watcher of environments is told. */
export interface EnvironmentHints {
  /** A request changed it; may repeat. */
  readonly changed: (id: EnvironmentId) => void;
  /** Any of them may have changed: changes were not heard for a while. */
  readonly missed: () => void;
}

/** What the loop may write down about an environment. Absent members stay as they are. */
export interface ObservedChange {
  readonly status?: EnvironmentStatus;
  readonly lastUpdate?: LastUpdate;
  /** null clears it. */
  readonly progress?: string | null;
  /** What is to be made true from now on. */
  readonly spec?: EnvironmentSpec;
  /** True: no update is under way any more. */
  readonly updateEnded?: boolean;
}

/** What a request asks for, written in one go. */
export interface DesiredChange {
  readonly status: EnvironmentStatus;
  readonly spec: EnvironmentSpec;
  readonly update: EnvironmentUpdate;
  readonly lastUpdate: LastUpdate;
}

export interface EnvironmentStore {
  readonly inTransaction: InTransaction;
  /** Adds a record in status CREATING; throws EnvironmentExists. */
  insert(tx: Transaction, e: NewEnvironment): Promise<EnvironmentRecord>;
  /** By account, region and name; records in status DELETED are not found. */
  find(key: EnvironmentKey): Promise<EnvironmentRecord | undefined>;
  /** The same, and nobody else changes it until the transaction ends. */
  findLocked(tx: Transaction, key: EnvironmentKey): Promise<EnvironmentRecord | undefined>;
  /** True when one of this name became DELETED within so many milliseconds. */
  wasDeleted(key: EnvironmentKey, within: number): Promise<boolean>;
  /** Also finds records in status DELETED (tombstones). */
  findById(id: EnvironmentId): Promise<EnvironmentRecord | undefined>;
  /** Names in order, after a cursor (exclusive), at most `limit`; tombstones left out. */
  list(scope: AccountRegion, page: { after?: string; limit: number }): Promise<readonly string[]>;
  /** How many living ones there are; nobody adds one to this account and Region until the transaction ends. */
  countLocked(tx: Transaction, scope: AccountRegion): Promise<number>;
  /** Sets DELETING; throws GenerationChanged when `expected` is not the present generation. */
  setDeleting(tx: Transaction, id: EnvironmentId, expected: number): Promise<EnvironmentRecord>;
  /** Writes what an update wants; throws GenerationChanged when `expected` is not the present generation. */
  setDesired(
    tx: Transaction,
    id: EnvironmentId,
    expected: number,
    change: DesiredChange,
  ): Promise<EnvironmentRecord>;
  /** Whether it is to run nothing; throws GenerationChanged when `expected` is not the present generation. */
  setSuspended(tx: Transaction, id: EnvironmentId, expected: number, suspended: boolean): Promise<void>;
  /** Replaces all tags; the generation stays. */
  setTags(tx: Transaction, id: EnvironmentId, tags: Tags): Promise<void>;
  /** The locks that this server takes; to be closed. */
  openLocks(): EnvironmentLocks;
  /** Every id placed here that is not a tombstone. */
  keys(placement: Placement): Promise<readonly EnvironmentId[]>;
  /** The records of these, by name. */
  placed(placement: Placement, tx?: Transaction): Promise<readonly EnvironmentRecord[]>;
  /** Tells changes that requests make, here or in another server, until stopped. */
  watch(hints: EnvironmentHints): Promise<Stop>;
}

/** What happens during a step, for people who wait. */
export interface Progress {
  readonly step: string;
  readonly state: 'started' | 'running' | 'done' | 'failed';
  readonly text?: string;
  /** Milliseconds the step took; with 'done' and 'failed'. */
  readonly took?: number;
}

/** The web server of one start of an environment. */
export interface WebTarget {
  readonly host: string;
  readonly port: number;
  /** Changes at every start of the web process. */
  readonly startId: string;
  /** The account that must own the accepting socket; undefined where environments share one. */
  readonly uid?: number;
}

export type CliAnswer =
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'busy' }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'ran'; readonly stdout: Buffer; readonly stderr: Buffer; readonly exitCode: number };

/** One process of an environment's Airflow, for people. */
export interface ComponentStatus {
  readonly name: string;
  /** `waiting`: it ended and is started again after a pause. */
  readonly state: 'running' | 'waiting' | 'stopped';
  readonly pid: number | undefined;
  /** Epoch milliseconds at which it entered this state. */
  readonly since: number;
  /** Starts after the first. */
  readonly restarts: number;
  /** True when an earlier server started this process. */
  readonly adopted: boolean;
  readonly lastError: string | undefined;
}

/** How a driver closes: `end` every process, or `keep` Airflow running for the next server. */
export type Leaving = 'end' | 'keep';

/** What a step is given beside the environment. */
export interface StepContext {
  readonly lease: Lease;
  readonly report: (p: Progress) => void;
  /** False once the environment was changed or deleted by a request: a step that waits ends early then. */
  readonly stillWanted: () => Promise<boolean>;
}

export interface AirflowDriver {
  /** The Airflow versions this driver can run, oldest first. */
  readonly versions: readonly string[];
  /** Reads what is there; changes nothing. */
  observe(e: EnvironmentRecord): Promise<Actual>;
  /** Makes one step true; repeatable; throws StepFailed. */
  apply(step: DriverStep, e: EnvironmentRecord, o: StepContext): Promise<void>;
  /** A component died or became ready. */
  onChange(hint: (id: EnvironmentId) => void): Stop;
  /** The web server of this start; undefined until this start was seen to answer 401 without an assertion. */
  webTarget(id: EnvironmentId): WebTarget | undefined;
  /** An Airflow command for the record: with its options, without values that may be secrets. */
  shownCommand(e: EnvironmentRecord, words: readonly string[]): string;
  /** Runs one Airflow command; never throws for what the command does. */
  cli(
    e: EnvironmentRecord,
    words: readonly string[],
    o: {
      readonly signal: AbortSignal;
      /** The Airflow user name of whoever made the token: Airflow names it in its own records. */
      readonly person: string;
    },
  ): Promise<CliAnswer>;
  /** The processes of an environment's Airflow; none while nothing was started. */
  components(id: EnvironmentId): readonly ComponentStatus[];
  /** Ends every process of every environment, or lets go of them. */
  close(leaving: Leaving): Promise<void>;
}

/** How an environment's Airflow reaches its metadata database. */
export interface DatabaseAddress {
  /** A SQLAlchemy URL with password: secret. */
  readonly sqlAlchemyUrl: string;
}

export interface MetadataDatabases {
  /** True when the closed template of this base is there. */
  hasTemplate(base: string): Promise<boolean>;
  /** Makes the closed template of a base once; `migrate` runs as the owner of its contents. */
  ensureTemplate(base: string, migrate: (address: DatabaseAddress) => Promise<void>): Promise<void>;
  /** True when a database or a role of the environment is left. */
  hasAny(id: EnvironmentId): Promise<boolean>;
  /** Role NOLOGIN, copy, revoke, reassign, LOGIN; repeatable at any line. */
  ensure(
    id: EnvironmentId,
    base: string,
    o: {
      readonly password: string;
      /** How many its role may have at once. */
      readonly connections: number;
      /** The Airflow version of the template. */
      readonly version: string;
    },
  ): Promise<DatabaseAddress>;
  /** The Airflow version that its tables are of; undefined before the first copy. */
  version(id: EnvironmentId): Promise<string | undefined>;
  /** Writes down that its tables are of this version now. */
  setVersion(id: EnvironmentId, version: string): Promise<void>;
  /** Copies the database aside, all or nothing; none of its processes may run. */
  snapshot(id: EnvironmentId): Promise<void>;
  hasSnapshot(id: EnvironmentId): Promise<boolean>;
  /** Puts the copy in the place of the database; repeatable at any line, and nothing to do without a copy. */
  restore(id: EnvironmentId): Promise<void>;
  dropSnapshot(id: EnvironmentId): Promise<void>;
  /** Database and copy (FORCE), then role. */
  drop(id: EnvironmentId): Promise<void>;
}

export interface Door {
  /**
   * Listens for this environment, where its access mode says, and gives the host name with port. Repeatable: what is
   * open already is brought to what the record says now.
   */
  open(e: EnvironmentRecord, claim: (hostname: string) => Promise<boolean>): Promise<string>;
  /** Stops accepting and ends its connections. */
  close(id: EnvironmentId): Promise<void>;
  /** True while it is open as the record wants it, which it serves by from now on. */
  isOpen(e: EnvironmentRecord): boolean;
}

/** A folder of a bucket: `arn:aws:s3:::NAME` and the path in it, as given in DagS3Path. */
export interface ContentLocation {
  readonly bucketArn: string;
  readonly path: string;
}

export interface ContentSource {
  /** Whole listing, paths relative to the location with `/`; throws SourceUnavailable, never gives a short list. */
  list(
    where: ContentLocation,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, { readonly size: number; readonly version: string }>>;
  /** Bytes of exactly that version; throws VersionGone. */
  open(where: ContentLocation, path: string, version: string): Promise<Readable>;
  /** Hints that something changed; the loop lists anyway every 5 s. */
  watch(where: ContentLocation, hint: () => void): Stop;
}

export interface AssertionKeys {
  /** Public keys to verify with now (old and new during a change): key id and raw Ed25519 key in hex. */
  publicKeys(): Promise<readonly { readonly kid: string; readonly x: string }[]>;
  onChange(hint: () => void): Stop;
}
