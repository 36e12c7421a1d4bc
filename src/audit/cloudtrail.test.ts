import { expect, test } from 'vitest';
import { cloudTrailEvent } from './cloudtrail.ts';
import type { AuditEntry } from './record.ts';

const stamp = {
  eventId: '5e6c9c8e-0000-4000-8000-000000000000',
  eventTime: Date.parse('2026-11-23T10:00:00.123Z'),
  region: 'us-east-1',
  accountId: '123456789012',
};
const root = {
  type: 'Root',
  arn: 'arn:aws:iam::123456789012:root',
  accountId: '123456789012',
  iamIdentity: 'root',
  accessKeyId: 'AKIAEXAMPLE',
} as const;
const entry: AuditEntry = {
  eventName: 'CreateCliToken',
  readOnly: false,
  principal: root,
  sourceIp: '127.0.0.1',
  userAgent: 'Boto3/1.43',
  requestId: 'r-1',
  environmentId: 'abcdefghijkl',
  requestParameters: { Name: 'demo' },
};

test('shapes a call as CloudTrail does', () => {
  expect(cloudTrailEvent(entry, stamp)).toEqual({
    eventVersion: '1.09',
    userIdentity: {
      type: 'Root',
      principalId: '123456789012',
      arn: 'arn:aws:iam::123456789012:root',
      accountId: '123456789012',
      accessKeyId: 'AKIAEXAMPLE',
    },
    eventTime: '2026-11-23T10:00:00Z',
    eventSource: 'airflow.amazonaws.com',
    eventName: 'CreateCliToken',
    awsRegion: 'us-east-1',
    sourceIPAddress: '127.0.0.1',
    userAgent: 'Boto3/1.43',
    requestParameters: { Name: 'demo' },
    responseElements: null,
    requestID: 'r-1',
    eventID: stamp.eventId,
    readOnly: false,
    additionalEventData: { environmentId: 'abcdefghijkl' },
    eventType: 'AwsApiCall',
    managementEvent: true,
    eventCategory: 'Management',
    recipientAccountId: '123456789012',
  });
});

test('a denial carries the code without its suffix, and the message', () => {
  const denied = {
    ...entry,
    errorCode: 'AccessDeniedException',
    errorMessage: 'No Airflow role granted in IAM.',
  };
  expect(cloudTrailEvent(denied, stamp)).toMatchObject({
    errorCode: 'AccessDenied',
    errorMessage: 'No Airflow role granted in IAM.',
    responseElements: { message: 'No Airflow role granted in IAM.' },
  });
});

test('what the door did is a service event, and an unknown caller is unknown', () => {
  const refused = { ...entry, eventName: 'WebLoginRefused', principal: undefined };
  expect(cloudTrailEvent(refused, stamp)).toMatchObject({
    eventType: 'AwsServiceEvent',
    userIdentity: { type: 'Unknown' },
  });
});

test('an assumed role names its issuer', () => {
  const assumed = {
    type: 'AssumedRole',
    arn: 'arn:aws:sts::123456789012:assumed-role/Ops/ann',
    accountId: '123456789012',
    iamIdentity: 'assumed-role/Ops/ann',
    accessKeyId: 'ASIAEXAMPLE',
    sessionName: 'ann',
    sourceIdentity: 'ann@example.com',
  } as const;
  expect(cloudTrailEvent({ ...entry, principal: assumed }, stamp)).toMatchObject({
    userIdentity: {
      principalId: 'ASIAEXAMPLE:ann',
      sessionContext: {
        sessionIssuer: { type: 'Role', arn: 'arn:aws:iam::123456789012:role/Ops', userName: 'Ops' },
        sourceIdentity: 'ann@example.com',
      },
    },
  });
});

test('what is done with an object is a data event of S3', () => {
  const object = {
    ...entry,
    eventName: 'PutObject',
    eventSource: 's3.amazonaws.com',
    isDataEvent: true,
  } as const;
  const data = { eventType: 'AwsApiCall', managementEvent: false, eventCategory: 'Data' };
  expect(cloudTrailEvent(object, stamp)).toMatchObject(data);
  expect(cloudTrailEvent(entry, stamp)).toMatchObject({ managementEvent: true, eventCategory: 'Management' });
});
