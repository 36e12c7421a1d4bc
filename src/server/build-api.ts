import type { ApiDeps } from '../api/deps.ts';
import { type ApiServer, createApiServer } from '../api/server.ts';
import type { RemoteBuckets } from '../aws/remote-buckets.ts';
import type { Buckets } from '../bucket/objects.ts';
import type { Settings } from '../config/settings.ts';
import type { FollowedFolders } from '../content/followed.ts';
import type { ContentSource } from '../content/source.ts';
import type { AirflowDriver } from '../environments/ports.ts';
import type { RootAccount } from '../identity/root-account.ts';
import { TokenBuckets } from '../lib/token-buckets.ts';
import type { Tokens } from '../tokens/tokens.ts';
import { checkBucket } from './check-bucket.ts';
import { awsCredentialsFor, rolesFrom } from './roles.ts';
import { createVerifiers } from './verifiers.ts';

/** Pages of the audit record of one caller; a page of AWS has as much, and an account two a second. */
const lookups = { perSecond: 10, burst: 100 } as const;

/** Records of one environment that it was given no credentials. */
const roleRefusals = { perSecond: 0.2, burst: 20 } as const;

/** The API, with the settings that concern it. */
export const buildApi = (
  d: Pick<
    ApiDeps,
    | 'region'
    | 'placement'
    | 'boxes'
    | 'directory'
    | 'authorizer'
    | 'keyUses'
    | 'store'
    | 'pools'
    | 'airflowLimits'
    | 'clock'
    | 'log'
    | 'audit'
    | 'auditReader'
    | 'strangers'
    | 'customDomainFault'
  > & {
    readonly settings: Settings;
    readonly source: ContentSource;
    readonly remote: RemoteBuckets;
    readonly followed: FollowedFolders;
    readonly buckets: Buckets;
    readonly root: RootAccount;
    readonly driver: AirflowDriver;
    readonly tokens: Tokens;
  },
): ApiServer => {
  const { settings, source, remote, followed, root, driver, tokens, ...passed } = d;
  const { maxEnvironments, maxWorkers, maxWebservers, requestsPerSecond, tokensPerSecond } = settings;
  return createApiServer({
    ...passed,
    accountId: root.accountId,
    airflowVersions: driver.versions,
    sharedAirflowUsers: settings.sharedAirflowUsers,
    givesRoles: rolesFrom(settings) !== 'nowhere',
    awsCredentials: awsCredentialsFor(settings, d.clock),
    roleSessionSeconds: settings.roleSessionMinutes * 60,
    // every task asks once, and many begin at one moment
    roleSessions: new TokenBuckets({ perSecond: 5 * tokensPerSecond, burst: 50 * tokensPerSecond }, d.clock),
    roleRefusals: new TokenBuckets(roleRefusals, d.clock),
    quotas: { environments: maxEnvironments, workers: maxWorkers, webservers: maxWebservers },
    environmentFault: (spec) => driver.fault(spec),
    ...createVerifiers({ ...passed, root }),
    tokens,
    givenOut: new TokenBuckets({ perSecond: tokensPerSecond, burst: 5 * tokensPerSecond }, d.clock),
    calls: new TokenBuckets({ perSecond: requestsPerSecond, burst: 5 * requestsPerSecond }, d.clock),
    lookups: new TokenBuckets(lookups, d.clock),
    sessions: tokens.sessions,
    assertions: tokens.assertions,
    driver,
    endAll: (tx, environmentId) => tokens.endAll(tx, environmentId),
    checkContent: checkBucket({ source, remote, followed, buckets: d.buckets }),
  });
};
