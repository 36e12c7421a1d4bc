import { environmentArn } from '../../contract/arn.ts';
import type { EnvironmentRecord } from '../../environments/record.ts';
import { assumedRoleArn } from '../../identity/arn.ts';
import type { IamRole } from '../../identity/directory.ts';
import { environmentOfToken } from '../../identity/environment-token.ts';
import { executionRoleOf } from '../../identity/execution-role.ts';
import type { Principal } from '../../identity/principal.ts';
import { issueCredentials } from '../../identity/session-token.ts';
import { giveFromAws } from './from-aws.ts';
import { type Asking, entryOf, type Given, type Needed, type Refused, refusal, refuse } from './given.ts';
import { sessionNameOf, type ToldTask } from './session-name.ts';

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
 * environment's own account, if the role trusts the service that runs environments. Recorded before they are given. Where
 * DAGs work with AWS itself, they are what AWS gives.
 */
export const giveRoleCredentials = async (asking: Asking, d: Needed): Promise<Given> => {
  const found = await environmentAsking(asking, d);
  if ('refused' in found) {
    const { refused, environmentId: id } = found;
    return refuse(refused, id === undefined ? {} : { id }, asking, d);
  }
  if (d.awsCredentials) return giveFromAws(found, asking, d.awsCredentials, d);
  const role = executionRoleOf(found, d.directory.current, d.clock.now());
  if ('fault' in role)
    return refuse({ status: 400, code: 'ExecutionRoleUnusable', message: role.fault }, found, asking, d);
  return issue(found, role.role, asking, d);
};
