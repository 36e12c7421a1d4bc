import { accessKeyLookup } from '../src/identity/access-keys.ts';
import { directoryOf, type IamEntity } from '../src/identity/directory.ts';
import { identityBoxes } from '../src/identity/identity-key.ts';
import { managedDocument } from '../src/identity/policies-of.ts';
import type { MintContext } from '../src/identity/principal.ts';
import { createVerifier, type Verifier } from '../src/identity/sigv4/verify.ts';
import { systemClock } from '../src/lib/clock.ts';

/** An account with a user as people have them: policies of the MWAA user guide, some of his own, a group, a boundary. */

export const accountId = '123456789012';
export const region = 'us-east-1';
export const credentials = {
  accessKeyId: 'AKIAABCDEFGHIJKLMNOP',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};

const readyMade = (name: string) => `arn:aws:iam::aws:policy/${name}`;
const document = (...Statement: readonly object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement }, undefined, 2);
const airflow = (resource: string) => `arn:aws:airflow:${region}:${accountId}:${resource}`;

const own = {
  web: document(
    { Effect: 'Allow', Action: 'airflow:CreateWebLoginToken', Resource: airflow('role/team-*/Op') },
    { Effect: 'Deny', Action: 'airflow:*', Resource: [airflow('role/*/Admin'), airflow('role/*/Op')] },
  ),
  team: document({
    Effect: 'Allow',
    Action: ['airflow:CreateCliToken', 'airflow:InvokeRestApi'],
    Resource: airflow('environment/*'),
    Condition: {
      StringEquals: { 'aws:ResourceTag/team': '$' + '{aws:PrincipalTag/team}' },
      IpAddress: { 'aws:SourceIp': ['127.0.0.0/8', '::1/128'] },
    },
  }),
};
const groupOwn = document({
  Sid: 'OnlyHere',
  Effect: 'Deny',
  Action: '*',
  Resource: '*',
  Condition: { StringNotEqualsIfExists: { 'aws:RequestedRegion': [region, 'eu-west-1'] } },
});
const edge = document(
  { Effect: 'Allow', Action: ['airflow:*', 'sts:*', 'iam:Get*', 'iam:List*'], Resource: '*' },
  { Effect: 'Deny', Action: ['airflow:DeleteEnvironment', 'airflow:CreateEnvironment'], Resource: '*' },
);

const boxes = identityBoxes(Buffer.alloc(32, 1));
const boundary = `arn:aws:iam::${accountId}:policy/edge`;
const named = { path: '/', createdAt: 0 };
const ofUser = ['AmazonMWAAFullConsoleAccess', 'AmazonMWAAWebServerAccess'].map(readyMade);
const ofGroup = ['AmazonMWAAReadOnlyAccess', 'AmazonMWAAAirflowCliAccess'].map(readyMade);
const entities: readonly IamEntity[] = [
  {
    ...{ ...named, kind: 'user', name: 'ann', id: 'AIDAAAAAAAAAAAAAAAAAA', groups: ['data'], boundary },
    ...{ inline: own, tags: { team: 'data' }, attached: ofUser },
  },
  {
    ...{ ...named, kind: 'group', name: 'data', id: 'AGPAAAAAAAAAAAAAAAAAA', inline: { here: groupOwn } },
    attached: ofGroup,
  },
  {
    ...{ ...named, kind: 'policy', name: 'edge', id: 'ANPAAAAAAAAAAAAAAAAAA', arn: boundary, tags: {} },
    ...{ versions: [{ id: 'v1', document: edge, createdAt: 0 }], defaultVersion: 'v1' },
    ...{ lastVersion: 1, updatedAt: 0 },
  },
  {
    ...{ kind: 'access-key', id: credentials.accessKeyId, userName: 'ann', isActive: true, createdAt: 0 },
    sealedSecret: boxes.accessKeys.seal(credentials.secretAccessKey, credentials.accessKeyId),
  },
];

export const directory = directoryOf(entities);

/** The texts of all policies that have a say in what the user does. */
export const documents = {
  identity: [
    ...Object.values(own),
    groupOwn,
    ...[...ofUser, ...ofGroup].map((arn) => managedDocument(directory, arn, accountId) ?? ''),
  ],
  boundary: edge,
};

/** The product's own way from a request to who sent it. */
export const verifier = (): Verifier => {
  const root = { ...credentials, accountId, accessKeyId: 'AKIAROOTROOTROOTROOT' };
  const lookup = accessKeyLookup({ root, boxes, clock: systemClock, directory: () => directory });
  return createVerifier({ region, service: 'airflow', clock: systemClock, lookup });
};

/** A call of the user. */
export const callOf = (requestId: string): MintContext => ({
  principal: {
    ...{ type: 'IAMUser', arn: `arn:aws:iam::${accountId}:user/ann`, accountId, iamIdentity: 'user/ann' },
    ...{ accessKeyId: credentials.accessKeyId, id: 'AIDAAAAAAAAAAAAAAAAAA' },
  },
  ...{ sourceIp: '127.0.0.1', userAgent: 'aws-cli/2.30.0 md/awscrt#0.28.0 lang/python#3.13.4', requestId },
});
