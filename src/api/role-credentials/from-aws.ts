import type { EnvironmentRecord } from '../../environments/record.ts';
import type { TemporaryCredentials } from '../../identity/session-token.ts';
import { textOf } from '../../lib/errors.ts';
import { type Asking, entryOf, type Given, type Needed, refusal, refuse } from './given.ts';
import { sessionNameOf } from './session-name.ts';

/** Credentials that AWS itself gives. */
export interface CredentialsOfAws {
  /** Whether they are of the role that is asked for; else of the machine, whoever asks. */
  readonly takesRole: boolean;
  /** @throws Error that says for people why there are none */
  get(asked: { readonly roleArn: string; readonly sessionName: string }): Promise<TemporaryCredentials>;
}

/** Asks AWS for an environment. Recorded before they are given; AWS has the call in a record of its own. */
export const giveFromAws = async (
  e: EnvironmentRecord,
  asking: Asking,
  aws: CredentialsOfAws,
  d: Needed,
): Promise<Given> => {
  const [roleArn, sessionName] = [e.spec.ExecutionRoleArn, sessionNameOf(e.name, asking.task)];
  let credentials: TemporaryCredentials;
  try {
    credentials = await aws.get({ roleArn, sessionName });
  } catch (error) {
    return refuse(refusal(400, 'ExecutionRoleUnusable', textOf(error)), e, asking, d);
  }
  const { accessKeyId, expiresAt } = credentials;
  await d.audit.write(
    entryOf(e, asking, {
      ...(aws.takesRole ? {} : { eventName: 'GiveMachineCredentials', eventSource: 'windsock' }),
      requestParameters: aws.takesRole
        ? { roleArn, roleSessionName: sessionName, ...asking.task }
        : { ...asking.task },
      responseElements: { credentials: { accessKeyId, expiration: expiresAt } },
    }),
  );
  return { status: 200, credentials, ...(aws.takesRole ? { roleArn } : {}) };
};
