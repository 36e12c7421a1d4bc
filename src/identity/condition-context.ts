import type { Clock } from '../lib/clock.ts';
import { isoTime } from '../lib/iso-time.ts';
import type { AuthorizationRequest } from '../policy/evaluate.ts';
import { roleArn } from './arn.ts';
import type { Directory } from './directory.ts';
import { type MintContext, userNameOf } from './principal.ts';

export type ConditionContext = AuthorizationRequest['context'];

const principalTypes = {
  Root: 'Account',
  IAMUser: 'User',
  AssumedRole: 'AssumedRole',
  FederatedUser: 'FederatedUser',
} as const;

/** Every key that `conditionContext` may have; what ends in a slash begins many. */
export const globalKeys = [
  ...['aws:CurrentTime', 'aws:EpochTime', 'aws:SourceIp', 'aws:UserAgent', 'aws:SecureTransport'],
  ...['aws:RequestedRegion', 'aws:PrincipalArn', 'aws:PrincipalAccount', 'aws:PrincipalType'],
  ...['aws:PrincipalIsAWSService', 'aws:ViaAWSService', 'aws:ResourceAccount', 'aws:userid', 'aws:username'],
  ...['aws:PrincipalTag/', 'aws:TokenIssueTime', 'aws:MultiFactorAuthPresent', 'aws:MultiFactorAuthAge'],
  'aws:SourceIdentity',
] as const;

/** Tags as condition keys, for instance `aws:ResourceTag/team`. */
export const tagKeys = (prefix: string, tags: Readonly<Record<string, string>>): ConditionContext =>
  Object.fromEntries(Object.entries(tags).map(([key, value]) => [`${prefix}/${key}`, value]));

/** The user or role that calls; undefined when it is gone, though another may have its name. */
const entityOf = ({ principal }: MintContext, directory: Directory) =>
  principal.id === undefined ? undefined : directory.byId(principal.id);

/** Of a session the role, else the caller itself. */
const principalArnOf = (mint: MintContext, directory: Directory): string => {
  const entity = entityOf(mint, directory);
  return entity?.kind === 'role' ? roleArn(mint.principal.accountId, entity) : mint.principal.arn;
};

/** Tags of the user or role, with the session's own over them; keys are the same in any spelling. */
const principalTags = (mint: MintContext, directory: Directory): Readonly<Record<string, string>> => {
  const own = entityOf(mint, directory)?.tags;
  const tags = new Map<string, readonly [string, string]>();
  for (const entry of Object.entries(own ?? {})) tags.set(entry[0].toLowerCase(), entry);
  for (const entry of Object.entries(mint.sessionTags ?? {})) tags.set(entry[0].toLowerCase(), entry);
  return Object.fromEntries(tags.values());
};

const userIdOf = ({ id, sessionName, accountId }: MintContext['principal']): string => {
  const own = id ?? accountId;
  return sessionName === undefined ? own : `${own}:${sessionName}`;
};

/** What only temporary credentials have (IAM User Guide, "AWS global condition context keys"). */
const sessionContext = (mint: MintContext, now: number): ConditionContext => ({
  ...(mint.credentialsIssuedAt === undefined
    ? {}
    : {
        'aws:TokenIssueTime': isoTime(mint.credentialsIssuedAt),
        'aws:MultiFactorAuthPresent': String(mint.mfaAuthenticated ?? false),
      }),
  ...(mint.mfaAuthenticatedAt === undefined
    ? {}
    : { 'aws:MultiFactorAuthAge': String(Math.max(0, Math.floor((now - mint.mfaAuthenticatedAt) / 1000))) }),
  ...(mint.principal.sourceIdentity === undefined
    ? {}
    : { 'aws:SourceIdentity': mint.principal.sourceIdentity }),
});

/**
 * The global condition keys of a call: time is now, all else as at the call. The API is plain HTTP on loopback, which
 * `aws:SecureTransport` says.
 */
export const conditionContext = (
  mint: MintContext,
  d: { readonly directory: Directory; readonly clock: Pick<Clock, 'now'>; readonly region: string },
): ConditionContext => {
  const { principal } = mint;
  const now = d.clock.now();
  const userName = userNameOf(principal);
  return {
    'aws:CurrentTime': isoTime(now),
    'aws:EpochTime': String(Math.floor(now / 1000)),
    'aws:SourceIp': mint.sourceIp,
    'aws:UserAgent': mint.userAgent,
    'aws:SecureTransport': 'false',
    'aws:RequestedRegion': d.region,
    'aws:PrincipalArn': principalArnOf(mint, d.directory),
    'aws:PrincipalAccount': principal.accountId,
    'aws:PrincipalType': principalTypes[principal.type],
    'aws:PrincipalIsAWSService': 'false',
    'aws:ViaAWSService': 'false',
    'aws:ResourceAccount': principal.accountId,
    'aws:userid': userIdOf(principal),
    ...(userName === undefined ? {} : { 'aws:username': userName }),
    ...tagKeys('aws:PrincipalTag', principalTags(mint, d.directory)),
    ...sessionContext(mint, now),
  };
};
