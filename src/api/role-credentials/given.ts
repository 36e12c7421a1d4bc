import type { AuditEntry } from '../../audit/record.ts';
import { environmentService } from '../../contract/role-credentials.ts';
import type { TemporaryCredentials } from '../../identity/session-token.ts';
import type { ApiDeps } from '../deps.ts';
import type { ToldTask } from './session-name.ts';

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
  | { readonly status: 200; readonly credentials: TemporaryCredentials; readonly roleArn?: string }
  | { readonly status: 400 | 401 | 403 | 405 | 429; readonly code: string; readonly message: string };

export type Refused = Exclude<Given, { readonly status: 200 }>;

/** What it takes to answer. */
export type Needed = Pick<
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
  | 'awsCredentials'
  | 'clock'
  | 'log'
>;

export const refusal = (status: Refused['status'], code: string, message: string): Refused => ({
  status,
  code,
  message,
});

/** The entry of the record: AssumeRole, as CloudTrail has it when a service takes a role. */
export const entryOf = (
  e: { readonly id?: string },
  asking: Asking,
  details: Partial<AuditEntry>,
): AuditEntry => ({
  ...{ eventName: 'AssumeRole', eventSource: 'sts.amazonaws.com', readOnly: true },
  principal: { service: environmentService },
  ...(e.id === undefined ? {} : { environmentId: e.id }),
  ...{ sourceIp: asking.sourceIp, userAgent: asking.userAgent, requestId: asking.requestId },
  ...details,
});

/** Records and logs that there are no credentials, as often as that may be told. */
export const refuse = async (
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
