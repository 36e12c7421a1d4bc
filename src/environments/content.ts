/** A file below an environment's DAGs folder that became another one; the path is relative to it, with `/`. */
export interface ContentChange {
  readonly path: string;
  readonly kind: 'added' | 'changed' | 'removed';
}

/**
 * What Airflow has made of a file below its DAGs folder.
 *
 * - `waiting`: it changed, and Airflow has not read it since
 * - `read`: Airflow read it and knows its DAGs
 * - `failed`: it could not be imported
 * - `no-dag`: nothing of it is a DAG
 * - `unknown`: what Airflow noted cannot be asked for now
 * - `leaving`: it is gone, and Airflow still has its DAGs
 */
export interface ContentFile {
  readonly path: string;
  /** Of its bytes; undefined of a file that is gone. */
  readonly sha256: string | undefined;
  /** Epoch milliseconds at which it came here. */
  readonly at: number;
  /** Epoch milliseconds at which Airflow last read it. */
  readonly readAt: number | undefined;
  readonly state: 'waiting' | 'read' | 'failed' | 'no-dag' | 'unknown' | 'leaving';
  readonly dags?: readonly string[];
  /** DAGs that were in it before and that Airflow still shows: it lets them go after some two minutes. */
  readonly leavingDags?: readonly string[];
  readonly error?: { readonly line: number | undefined; readonly message: string };
}

/** The server of S3 that has a bucket; AWS without an endpoint. */
export interface BucketServer {
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly pathStyle: boolean;
}

/** Why the bucket of an environment cannot be read; what is live stays. */
export interface ContentFault {
  /** Epoch milliseconds since which it is so. */
  readonly since: number;
  readonly reason: string;
}

/** What is live in an environment, in short. */
export interface LiveSummary {
  /** Names the tree by its paths and bytes. */
  readonly version: string;
  /** Epoch milliseconds since which the tree is what it is. */
  readonly since: number;
  readonly files: number;
  /** Files that could not be imported when Airflow was last asked; undefined before. */
  readonly failed: number | undefined;
  /** Undefined while the bucket can be read. */
  readonly fault: ContentFault | undefined;
}

/** What is live in an environment. */
export interface LiveContent {
  /** Names the tree by its paths and bytes. */
  readonly version: string;
  /** Epoch milliseconds since which the tree is what it is. */
  readonly since: number;
  /** The folder of this machine that is followed; undefined where it is the bucket's. */
  readonly followed: string | undefined;
  /** The other server that has the bucket; undefined where it is one of ours. */
  readonly elsewhere: BucketServer | undefined;
  /** Undefined while the bucket can be read. */
  readonly fault: ContentFault | undefined;
  readonly files: readonly ContentFile[];
}
