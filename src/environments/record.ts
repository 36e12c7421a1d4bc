import type { EnvironmentStatus, LastUpdateStatus } from './status.ts';

/** Opaque, new at each create, never used again; names every child of the environment. `[a-z0-9]{12}`. */
export type EnvironmentId = string;

export interface AccountRegion {
  readonly accountId: string;
  readonly region: string;
}

export interface EnvironmentKey extends AccountRegion {
  readonly name: string;
}

/** Who runs the environment, and where. */
export interface Placement {
  readonly driver: 'local';
  readonly host: string;
}

/**
 * What was asked for, in the contract's own words, each string as it was given
 * (CreateEnvironment request; unknown members were dropped by the validator).
 */
export interface EnvironmentSpec {
  readonly AirflowVersion: string;
  readonly DagS3Path: string;
  readonly SourceBucketArn: string;
  readonly ExecutionRoleArn: string;
  readonly EnvironmentClass: string;
  readonly [member: string]: unknown;
}

/** A folder of a bucket: `arn:aws:s3:::NAME` and the path in it, as given in DagS3Path. */
export interface BucketFolder {
  readonly bucketArn: string;
  readonly path: string;
}

/** The same, for somebody. */
export interface ContentLocation extends BucketFolder {
  /** The execution role, by whose rights some buckets are read. */
  readonly roleArn: string;
}

export type Tags = Readonly<Record<string, string>>;

export interface LastUpdate {
  readonly Status: LastUpdateStatus;
  /** Epoch milliseconds. */
  readonly CreatedAt: number;
  readonly Source?: string;
  readonly WorkerReplacementStrategy?: EnvironmentUpdate['strategy'];
  readonly Error?: { readonly ErrorCode: string; readonly ErrorMessage: string };
}

/** An update that is under way. */
export interface EnvironmentUpdate {
  /** What was asked for. */
  readonly wanted: EnvironmentSpec;
  /** What ran before, and runs again when the update fails. */
  readonly previous: EnvironmentSpec;
  /** Running tasks are stopped, or let end for up to 12 hours (API reference of UpdateEnvironment). */
  readonly strategy: 'FORCED' | 'GRACEFUL';
}

/** What was spent on the present status, by all servers that worked on it. */
export interface Tries {
  /** Failures in a row. */
  readonly failures: number;
  /** Milliseconds of trying, as a clock counts them that nobody sets. */
  readonly spent: number;
  /** Milliseconds of letting running tasks end. */
  readonly drained: number;
}

export const noTries: Tries = { failures: 0, spent: 0, drained: 0 };

export interface EnvironmentRecord extends EnvironmentKey {
  readonly id: EnvironmentId;
  readonly arn: string;
  readonly status: EnvironmentStatus;
  /** What the loop makes true now. */
  readonly spec: EnvironmentSpec;
  /** Undefined while no update is under way. */
  readonly update: EnvironmentUpdate | undefined;
  /** No part of the spec: changing them changes nothing that runs. */
  readonly tags: Tags;
  /** It keeps everything and runs nothing until it is started again. */
  readonly suspended: boolean;
  /** Counts changes of what is asked for. */
  readonly generation: number;
  readonly placement: Placement;
  readonly lastUpdate: LastUpdate;
  /** Host name with port that clients see; undefined until the door first opened. */
  readonly webserverHostname: string | undefined;
  /** What is being done now or went wrong last, for people; undefined when nothing is to say. */
  readonly progress: string | undefined;
  readonly tries: Tries;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

export interface NewEnvironment extends EnvironmentKey {
  readonly id: EnvironmentId;
  readonly arn: string;
  readonly spec: EnvironmentSpec;
  readonly tags: Tags;
  readonly placement: Placement;
  readonly createdAt: number;
}
