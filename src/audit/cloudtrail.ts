import { isOperationName } from '../contract/operations.ts';
import { isWindsockOperationName } from '../contract/windsock-operations.ts';
import { type Principal, roleNameOf, type SessionFacts, userNameOf } from '../identity/principal.ts';
import { isoTime } from '../lib/iso-time.ts';
import type { AuditEntry } from './record.ts';

/** What only the place that keeps the entry knows. */
export interface EventStamp {
  /** A UUID, new for each event. */
  readonly eventId: string;
  /** Epoch milliseconds. */
  readonly eventTime: number;
  readonly region: string;
  readonly accountId: string;
}

/** An event as AWS CloudTrail records it (CloudTrail User Guide, "CloudTrail record contents"). */
export type CloudTrailEvent = Readonly<Record<string, unknown>>;

const principalId = (p: Principal): string =>
  p.type === 'Root'
    ? p.accountId
    : p.sessionName === undefined
      ? p.accessKeyId
      : `${p.accessKeyId}:${p.sessionName}`;

const sessionIssuer = (p: Principal): CloudTrailEvent => {
  const roleName = roleNameOf(p) ?? '';
  return {
    sessionIssuer: {
      type: 'Role',
      ...(p.id === undefined ? {} : { principalId: p.id }),
      arn: `arn:aws:iam::${p.accountId}:role/${roleName}`,
      accountId: p.accountId,
      userName: roleName,
    },
  };
};

/** How temporary credentials were made; nothing for long-term keys. */
const sessionContext = (p: Principal, session: SessionFacts | undefined): CloudTrailEvent => {
  const issuedAt = session?.credentialsIssuedAt;
  if (p.type !== 'AssumedRole' && issuedAt === undefined) return {};
  const attributes =
    issuedAt === undefined
      ? {}
      : {
          attributes: {
            creationDate: isoTime(issuedAt),
            mfaAuthenticated: String(session?.mfaAuthenticated ?? false),
          },
        };
  return {
    sessionContext: {
      ...(p.type === 'AssumedRole' ? sessionIssuer(p) : {}),
      ...attributes,
      ...(p.sourceIdentity === undefined ? {} : { sourceIdentity: p.sourceIdentity }),
    },
  };
};

const userIdentity = ({ principal: p, session }: AuditEntry): CloudTrailEvent => {
  if (p === undefined) return { type: 'Unknown' };
  if (p === 'server') return { type: 'AWSService', invokedBy: 'windsock' };
  if ('service' in p) return { type: 'AWSService', invokedBy: p.service };
  const { type, arn, accountId, accessKeyId } = p;
  return {
    type,
    principalId: principalId(p),
    arn,
    accountId,
    accessKeyId,
    ...(type === 'IAMUser' ? { userName: userNameOf(p) } : {}),
    ...sessionContext(p, session),
  };
};

/** CloudTrail drops the suffix of this one. */
const errorCodeOf = (code: string): string => (code === 'AccessDeniedException' ? 'AccessDenied' : code);

const responseOf = (entry: AuditEntry): unknown => {
  if (entry.errorCode === 'AccessDeniedException') return { message: entry.errorMessage ?? null };
  return entry.errorCode === undefined ? (entry.responseElements ?? null) : null;
};

const additionalData = ({ environmentId, authorization, phase }: AuditEntry): CloudTrailEvent => {
  const data = Object.entries({ environmentId, phase, authorization }).filter(([, v]) => v !== undefined);
  return data.length === 0 ? {} : { additionalEventData: Object.fromEntries(data) };
};

const isCall = (name: string): boolean => isOperationName(name) || isWindsockOperationName(name);

/** Shapes an entry as CloudTrail would have recorded it. What a door did is an AwsServiceEvent. */
export const cloudTrailEvent = (entry: AuditEntry, stamp: EventStamp): CloudTrailEvent => ({
  eventVersion: '1.09',
  userIdentity: userIdentity(entry),
  eventTime: isoTime(stamp.eventTime),
  eventSource:
    entry.eventSource ?? (isWindsockOperationName(entry.eventName) ? 'windsock' : 'airflow.amazonaws.com'),
  eventName: entry.eventName,
  awsRegion: stamp.region,
  sourceIPAddress: entry.sourceIp,
  userAgent: entry.userAgent,
  ...(entry.errorCode === undefined ? {} : { errorCode: errorCodeOf(entry.errorCode) }),
  ...(entry.errorMessage === undefined ? {} : { errorMessage: entry.errorMessage }),
  requestParameters: entry.requestParameters ?? null,
  responseElements: responseOf(entry),
  requestID: entry.requestId || null,
  eventID: stamp.eventId,
  readOnly: entry.readOnly,
  ...additionalData(entry),
  eventType: entry.eventSource !== undefined || isCall(entry.eventName) ? 'AwsApiCall' : 'AwsServiceEvent',
  managementEvent: !entry.isDataEvent,
  eventCategory: entry.isDataEvent ? 'Data' : 'Management',
  recipientAccountId: stamp.accountId,
});
