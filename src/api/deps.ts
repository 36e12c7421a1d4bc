import type { AuditReader } from '../audit/reader.ts';
import type { AuditSink } from '../audit/record.ts';
import type { Strangers } from '../audit/strangers.ts';
import type { Buckets } from '../bucket/objects.ts';
import type { NamedFile } from '../environments/pinned-files.ts';
import type { AirflowDriver, EnvironmentStore } from '../environments/ports.ts';
import type { ContentLocation, Placement } from '../environments/record.ts';
import type { AccessKeyUses } from '../identity/access-key-uses.ts';
import type { Authorizer } from '../identity/authorizer.ts';
import type { IdentityBoxes } from '../identity/identity-key.ts';
import type { LivingDirectory } from '../identity/living-directory.ts';
import type { Caller } from '../identity/principal.ts';
import type { ReceivedRequest } from '../identity/sigv4/canonical.ts';
import type { S3HeadVerifier } from '../identity/sigv4/verify-s3.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { TokenBuckets } from '../lib/token-buckets.ts';
import type { Transaction } from '../lib/transaction.ts';
import type { Assertions } from '../tokens/assertion.ts';
import type { TokenMinter } from '../tokens/ports.ts';
import type { WebSessions } from '../tokens/web-session.ts';
import type { AirflowLimits } from '../upstream/airflow-limits.ts';
import type { UpstreamPools } from '../upstream/pool.ts';
import type { CredentialsOfAws } from './role-credentials/from-aws.ts';
import type { Service } from './route-types.ts';

/** How much one installation takes; AWS's own numbers by default (MWAA user guide, "Quotas"). */
export interface Quotas {
  /** Per account and Region. */
  readonly environments: number;
  /** Per environment. */
  readonly workers: number;
  readonly webservers: number;
}

/** Everything the API needs of the other rooms. */
export interface ApiDeps {
  readonly accountId: string;
  readonly region: string;
  /** Where new environments go. */
  readonly placement: Placement;
  /** What the driver can run, oldest first; never empty. */
  readonly airflowVersions: readonly string[];
  readonly quotas: Quotas;
  /** True where all who assume a role are one Airflow user, as on MWAA; else each person is one. */
  readonly sharedAirflowUsers: boolean;
  /** Why no environment of this kind can run here; undefined when it can. */
  readonly environmentFault: AirflowDriver['fault'];
  /** Why no environment may answer by this name, in lower case; undefined when one may. */
  readonly customDomainFault: (name: string) => string | undefined;
  /** Resolves to the caller; throws an AwsError that says why the request is not believed. */
  readonly verify: (request: ReceivedRequest, service: Exclude<Service, 's3'>) => Promise<Caller>;
  /** The same for the head of a request to S3, before its body is read. */
  readonly verifyS3: S3HeadVerifier;
  /** Buckets and their objects; S3 answers NotImplemented without them. */
  readonly buckets?: Buckets | undefined;
  /** Decides who may do what. */
  readonly authorizer: Authorizer;
  /** Users, groups, roles, policies and access keys. */
  readonly directory: LivingDirectory;
  readonly boxes: IdentityBoxes;
  /** When and for what an access key was last used. */
  readonly keyUses: AccessKeyUses;
  readonly store: EnvironmentStore;
  readonly tokens: TokenMinter;
  /** Whether environments are given credentials of their execution roles. */
  readonly givesRoles: boolean;
  /** Where AWS gives them, and not the IAM of this installation. */
  readonly awsCredentials?: CredentialsOfAws | undefined;
  /** How long these last, in seconds, where the role allows it. */
  readonly roleSessionSeconds: number;
  /** How often an environment, by its id, may be given them. */
  readonly roleSessions: Pick<TokenBuckets, 'take'>;
  /** How often it is recorded and logged that an environment was given none. */
  readonly roleRefusals: Pick<TokenBuckets, 'take'>;
  /** How often each caller (`countedPrincipal`) may be given a token or credentials. */
  readonly givenOut: Pick<TokenBuckets, 'take'>;
  /** How often each caller (`countedPrincipal`) may call anything: every call leaves a record. */
  readonly calls: Pick<TokenBuckets, 'take'>;
  /** How often each caller (`countedPrincipal`) may read the audit record. */
  readonly lookups: Pick<TokenBuckets, 'take'>;
  readonly sessions: Pick<WebSessions, 'list' | 'endWhere'>;
  /** Who calls an Airflow, and over what; as the doors do it. */
  readonly assertions: Pick<Assertions, 'sign'>;
  readonly driver: Pick<AirflowDriver, 'webTarget' | 'content' | 'processUid'>;
  readonly pools: Pick<UpstreamPools, 'of'>;
  /** What one principal may take of Airflow; shared with the gateway. */
  readonly airflowLimits: AirflowLimits;
  readonly audit: AuditSink;
  readonly auditReader: AuditReader;
  /** Bounds what callers who cannot be told write into the record. */
  readonly strangers: Strangers;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Ends every token and session of an environment within the transaction. A function it resolves to is called
   * after commit, to cut open connections; never after a rollback.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: having nothing to cut is as good as undefined here
  readonly endAll: (tx: Transaction, environmentId: string) => Promise<(() => void) | void>;
  /**
   * Throws SourceUnavailable when the location cannot be read, or one of these files of its bucket, or its version, is
   * not there; left out where buckets are not known at once.
   */
  readonly checkContent?: (location: ContentLocation, files: readonly NamedFile[]) => Promise<void>;
}
