import type { AuditEntry } from '../../audit/record.ts';
import { environmentArn } from '../../contract/arn.ts';
import { environmentService } from '../../contract/role-credentials.ts';
import type { EnvironmentRecord } from '../../environments/record.ts';
import { assumedRoleArn } from '../../identity/arn.ts';
import type { IamRole } from '../../identity/directory.ts';
import { environmentOfToken } from '../../identity/environment-token.ts';
import { executionRoleOf } from '../../identity/execution-role.ts';
import type { Principal } from '../../identity/principal.ts';
import { issueCredentials, type TemporaryCredentials } from '../../identity/session-token.ts';
import type { ApiDeps } from '../deps.ts';
import { sessionNameOf, type ToldTask } from './session-name.ts';

/** Who asks, and what of it is known for certain. */
export interface Asking {
  readonly token: string;
  /** The account of the process at the other end; undefined when it has gone or is on another machine. */
  readonly uid: () => Promise<number | undefined>;
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly requestId: string;
  readonly task: ToldTask | undefined;
}

/** The credentials, or why there are none. */
export type Given =
  | { readonly status: 200; readonly credentials: TemporaryCredentials; readonly roleArn: string }
  | { readonly status: 400 | 401 | 403 | 405 | 429; readonly code: string; readonly message: string };

type Refused = Exclude<Given, { readonly status: 200 }>;

type Needed = Pick<
  ApiDeps,
  | 'accountId'
  | 'region'
  | 'store'
  | 'driver'
  | 'directory'
  | 'boxes'
  | 'audit'
  | 'strangers'
  | 'roleSessionSeconds'
  | 'roleSessions'
  | 'roleRefusals'
  | 'clock'
  | 'log'
>;

const refusal = (status: Refused['status'], code: string, message: string): Refused => ({
  status,
  code,
  message,
});

const unknownToken = refusal(
  401,
  'InvalidAuthorizationToken',
  'The authorization token is not one of an environment. AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names the file that holds it',
);

const gone = refusal(403, 'EnvironmentNotFound', 'The environment of this token has been deleted');

const otherAccount = refusal(
  403,
  'AccessDenied',
  'The token belongs to the environment of another account of this machine',
);

const unknownAccount = refusal(403, 'AccessDenied', 'It cannot be told which account of this machine asks');

const tooMany = refusal(
  429,
  'TooManyRequests',
  'This environment asks for credentials too often. Credentials can be used until they expire',
);

/** The environment that may have credentials, or why nobody may. */
const environmentAsking = async (
  asking: Asking,
  d: Needed,
): Promise<EnvironmentRecord | { readonly refused: Refused; readonly environmentId?: string }> => {
  const environmentId = environmentOfToken(d.boxes.environmentTokens, asking.token);
  if (environmentId === undefined) return { refused: unknownToken };
  const uid = d.driver.processUid(environmentId);
  const asks = await asking.uid();
  if (asks === undefined) return { refused: unknownAccount, environmentId };
  if (asks !== uid) return { refused: otherAccount, environmentId };
  if (!d.roleSessions.take(environmentId)) return { refused: tooMany, environmentId };
  const record = await d.store.findById(environmentId);
  if (record === undefined || record.status === 'DELETED') return { refused: gone, environmentId };
  return record;
};

/** The entry of the record: AssumeRole, as CloudTrail has it when a service takes a role. */
const entryOf = (e: { readonly id?: string }, asking: Asking, details: Partial<AuditEntry>): AuditEntry => ({
  ...{ eventName: 'AssumeRole', eventSource: 'sts.amazonaws.com', readOnly: true },
  principal: { service: environmentService },
  ...(e.id === undefined ? {} : { environmentId: e.id }),
  ...{ sourceIp: asking.sourceIp, userAgent: asking.userAgent, requestId: asking.requestId },
  ...details,
});

const refuse = async (
  refused: Refused,
  e: { readonly id?: string; readonly name?: string },
  asking: Asking,
  d: Needed,
): Promise<Refused> => {
  const { code, message } = refused;
  const isTold = e.id === undefined ? d.strangers.admit(asking.sourceIp) : d.roleRefusals.take(e.id);
  if (!isTold) return refused;
  d.log.warn('execution role not given', {
    ...(e.name === undefined ? {} : { environment: e.name }),
    ...(e.id === undefined ? {} : { environmentId: e.id }),
    requestId: asking.requestId,
    reason: message,
  });
  await d.audit.write(entryOf(e, asking, { errorCode: code, errorMessage: message }));
  return refused;
};

const sessionOf = (e: EnvironmentRecord, role: IamRole, task: ToldTask | undefined, d: Needed) => {
  const sessionName = sessionNameOf(e.name, task);
  const principal: Omit<Principal, 'accessKeyId'> = {
    type: 'AssumedRole',
    arn: assumedRoleArn(d.accountId, role.name, sessionName),
    accountId: d.accountId,
    iamIdentity: `assumed-role/${role.name}/${sessionName}`,
    id: role.id,
    sessionName,
    // limits count all sessions of an environment together
    firstCaller: environmentArn(e, e.name),
  };
  return { principal, sessionName };
};

/** How long the credentials last: what the setting says, and no longer than the role allows. */
const expiryOf = (role: IamRole, d: Needed): number =>
  d.clock.now() + Math.min(d.roleSessionSeconds, role.maxSessionDuration) * 1_000;

const issue = async (e: EnvironmentRecord, role: IamRole, asking: Asking, d: Needed): Promise<Given> => {
  const { principal, sessionName } = sessionOf(e, role, asking.task, d);
  const session = { credentialsIssuedAt: d.clock.now() };
  const credentials = issueCredentials(d.boxes.sessionTokens, { principal, session }, expiryOf(role, d));
  const { accessKeyId, expiresAt } = credentials;
  const roleArn = e.spec.ExecutionRoleArn;
  await d.audit.write(
    entryOf(e, asking, {
      requestParameters: { roleArn, roleSessionName: sessionName, ...asking.task },
      responseElements: {
        credentials: { accessKeyId, expiration: expiresAt },
        assumedRoleUser: { assumedRoleId: `${role.id}:${sessionName}`, arn: principal.arn },
      },
    }),
  );
  return { status: 200, credentials, roleArn };
};

/**
 * Credentials of the execution role for a process of its environment: by the token of the environment, from the
 * environment's own account, if the role trusts the service that runs environments. Recorded before they are given.
 */
export const giveRoleCredentials = async (asking: Asking, d: Needed): Promise<Given> => {
  const found = await environmentAsking(asking, d);
  if ('refused' in found) {
    const { refused, environmentId: id } = found;
    return refuse(refused, id === undefined ? {} : { id }, asking, d);
  }
  const role = executionRoleOf(found, d.directory.current, d.clock.now());
  if ('fault' in role)
    return refuse({ status: 400, code: 'ExecutionRoleUnusable', message: role.fault }, found, asking, d);
  return issue(found, role.role, asking, d);
};
