import type { Stop } from '../lib/stop.ts';
import type { InTransaction, Transaction } from '../lib/transaction.ts';
import type { LiveContent, LiveSummary } from './content.ts';
import type { Phase } from './plan.ts';
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
  Tries,
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
   * longer as it was read (generation, status), RecordLocked when a request holds it for too long, and LeaseLost.
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
  /** Of the status that stays; a new one begins without any. */
  readonly tries?: Tries;
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
  /** Says what it does now, for people. */
  readonly report: (text: string) => void;
}

/** A step is under way and holds nothing meanwhile: look again after `again` milliseconds, or at a hint. */
export interface Waiting {
  readonly again: number;
  /** What is done or waited for now, for people; empty when there is nothing to say. */
  readonly text: string;
  /** True while running tasks get the time they need: that is no time of trying. */
  readonly drains?: boolean;
}

/** What a driver found of an environment at one moment. */
export interface Observation {
  /** The driver's own step that leads towards the phase; undefined when it is reached. Pure. */
  next(phase: Phase): string | undefined;
  /** The copy of the database from before an update is there. */
  readonly snapshot: boolean;
  /** A component that ended by itself not long ago, for people. */
  readonly trouble: string | undefined;
}

export interface AirflowDriver {
  /** The Airflow versions this driver can run, oldest first. */
  readonly versions: readonly string[];
  /** Why no environment of this kind can run where the driver runs them; undefined when it can. */
  fault(spec: Pick<EnvironmentSpec, 'EnvironmentClass'>): string | undefined;
  /** Reads what is there; changes nothing. */
  observe(e: EnvironmentRecord): Promise<Observation>;
  /**
   * Does one of its steps; repeatable. What takes long without needing the environment for itself answers that it
   * waits, and throws when its own deadline has passed. Throws StepFailed.
   */
  apply(step: string, e: EnvironmentRecord, o: StepContext): Promise<Waiting | undefined>;
  /** A component died or became ready. */
  onChange(hint: (id: EnvironmentId) => void): Stop;
  /** The web server of this start; undefined until this start was seen to answer 401 without an assertion. */
  webTarget(id: EnvironmentId): WebTarget | undefined;
  /** The account that the environment's processes run under; undefined while it has none. */
  processUid(id: EnvironmentId): number | undefined;
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
  /** The DAG files of an environment, and what its Airflow made of them. */
  content(e: EnvironmentRecord): Promise<LiveContent>;
  /** The same in short, without asking Airflow; undefined before anything was published. */
  contentSummary(id: EnvironmentId): LiveSummary | undefined;
  /** The processes of an environment's Airflow; none while nothing was started. */
  components(id: EnvironmentId): readonly ComponentStatus[];
  /** Ends every process of every environment, or lets go of them. */
  close(leaving: Leaving): Promise<void>;
}

/**
 * - `closed`: nothing listens for the environment
 * - `outdated`: something does, but `open` was not done yet for the access mode that the record has now
 * - `open`: it is as the record wants it, and nobody is left who came by a way that is closed now
 */
export type DoorState = 'closed' | 'outdated' | 'open';

export interface Door {
  /** True when the record has an address that the door can give it. */
  hasAddress(e: EnvironmentRecord): boolean;
  /**
   * An address for this environment, host name with port, that is free here and none of those that others were found to
   * have; it is kept free until it is opened or closed. Throws when there is none.
   */
  propose(e: EnvironmentRecord, ofOthers: ReadonlySet<string>): Promise<string>;
  /**
   * Listens for this environment at the address in its record, where its access mode says. Repeatable: what is open
   * already is brought to what the record says now.
   */
  open(e: EnvironmentRecord): Promise<void>;
  /** Stops accepting and ends its connections. */
  close(id: EnvironmentId): Promise<void>;
  /** What is there for this environment. A door that is not closed serves by this record from now on. */
  stateOf(e: EnvironmentRecord): DoorState;
}
