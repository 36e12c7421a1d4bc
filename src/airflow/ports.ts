import type { EnvironmentId } from '../environments/record.ts';
import type { Stop } from '../lib/stop.ts';

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
  /** Copies the database aside, all or nothing, until the signal; none of its processes may run. */
  snapshot(id: EnvironmentId, signal: AbortSignal): Promise<void>;
  hasSnapshot(id: EnvironmentId): Promise<boolean>;
  /** Puts the copy in the place of the database; repeatable at any line, and nothing to do without a copy. */
  restore(id: EnvironmentId): Promise<void>;
  dropSnapshot(id: EnvironmentId): Promise<void>;
  /**
   * Statements in the environment's database, one after the other on one connection, with the rights that the environment
   * itself has: what it planted there gains nothing by it. Names without a schema are PostgreSQL's own. Ends after 5 s a
   * statement, and when more is answered than an Airflow has.
   */
  ask(
    id: EnvironmentId,
    password: string,
    statements: readonly { readonly text: string; readonly values?: readonly unknown[] }[],
  ): Promise<readonly (readonly Readonly<Record<string, unknown>>[])[]>;
  /** Database and copy (FORCE), then role. */
  drop(id: EnvironmentId): Promise<void>;
}

/** Objects of the buckets, by their versions. */
export interface PinnedObjects {
  /** Writes the bytes of exactly that version into a new file. @throws StepFailed when there is no such version */
  fetch(
    object: {
      readonly bucketArn: string;
      readonly path: string;
      readonly version: string;
      /** The execution role, by whose rights some buckets are read. */
      readonly roleArn: string;
    },
    to: string,
    signal: AbortSignal,
  ): Promise<void>;
}

/** Where the packages of environments may come from. */
export interface PackageHosts {
  /** `host` as in `URL.host`. */
  allows(host: string): boolean;
  /** Whether what comes from there may come unencrypted. */
  allowsPlainHttp(host: string): boolean;
}

export interface AssertionKeys {
  /** Public keys to verify with now (old and new during a change): key id and raw Ed25519 key in hex. */
  publicKeys(): Promise<readonly { readonly kid: string; readonly x: string }[]>;
  onChange(hint: () => void): Stop;
}
