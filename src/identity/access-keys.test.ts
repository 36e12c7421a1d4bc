import { expect, test } from 'vitest';
import { accessKeyLookup } from './access-keys.ts';
import { type AccessKey, directoryOf, type IamEntity, type IamRole, type IamUser } from './directory.ts';
import { identityBoxes } from './identity-key.ts';
import { issueCredentials } from './session-token.ts';

const root = {
  accountId: '123456789012',
  accessKeyId: 'AKIAABCDEFGHIJKLMNOP',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};
const boxes = identityBoxes(Buffer.alloc(32, 1));
const keyId = 'AKIAAAAAAAAAAAAAAAAA';
const ann: IamUser = {
  ...{ kind: 'user', name: 'ann', path: '/team/', id: 'AIDAANN', createdAt: 0, tags: {} },
  ...{ groups: [], inline: {}, attached: [] },
};
const ci: IamRole = {
  ...{ kind: 'role', name: 'ci', path: '/', id: 'AROA1', createdAt: 0, tags: {} },
  ...{ inline: {}, attached: [], trust: '', maxSessionDuration: 3_600 },
};
const key: AccessKey = {
  ...{ kind: 'access-key', id: keyId, userName: 'ann', isActive: true, createdAt: 0 },
  sealedSecret: boxes.accessKeys.seal('secret of ann', keyId),
};
let now = 1_000_000;
const lookup = (...entities: readonly IamEntity[]) =>
  accessKeyLookup({ root, boxes, clock: { now: () => now }, directory: () => directoryOf(entities) });

test('knows the root key', async () => {
  const found = await lookup()(root.accessKeyId, undefined);
  expect(found?.secretAccessKey).toBe(root.secretAccessKey);
  expect(found?.caller).toMatchObject({
    principal: { type: 'Root', arn: 'arn:aws:iam::123456789012:root', iamIdentity: 'root' },
    session: {},
  });
  expect(await lookup()(root.accessKeyId, 'token')).toBeUndefined();
  expect(await lookup()(keyId, undefined)).toBeUndefined();
});

test('knows the key of a user, as long as key and user are there and the key is active', async () => {
  const found = await lookup(ann, key)(keyId, undefined);
  expect(found?.secretAccessKey).toBe('secret of ann');
  expect(found?.caller.principal).toEqual({
    type: 'IAMUser',
    arn: 'arn:aws:iam::123456789012:user/team/ann',
    accountId: '123456789012',
    iamIdentity: 'user/ann',
    accessKeyId: keyId,
    id: 'AIDAANN',
  });
  expect(await lookup(ann, { ...key, isActive: false })(keyId, undefined)).toBeUndefined();
  expect(await lookup(key)(keyId, undefined)).toBeUndefined();
  expect(await lookup(ann, key)(keyId, 'token')).toBeUndefined();
});

test('a sealed secret is good for its own key id only', async () => {
  const other = { ...key, id: 'AKIABBBBBBBBBBBBBBBB' };
  expect(await lookup(ann, other)(other.id, undefined)).toBeUndefined();
});

test('temporary credentials carry who they are for, are told as expired, and belong to their key', async () => {
  const principal = {
    type: 'AssumedRole',
    arn: 'arn:aws:sts::123456789012:assumed-role/ci/run',
    accountId: '123456789012',
    iamIdentity: 'assumed-role/ci/run',
    id: 'AROA1',
    sessionName: 'run',
  } as const;
  const session = { credentialsIssuedAt: now, sessionTags: { team: 'data' } };
  const made = issueCredentials(boxes.sessionTokens, { principal, session }, now + 1_000);
  expect(made.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
  const found = await lookup(ci)(made.accessKeyId, made.sessionToken);
  expect(found).toEqual({
    secretAccessKey: made.secretAccessKey,
    caller: { principal: { ...principal, accessKeyId: made.accessKeyId }, session },
  });
  expect(await lookup(ci)('ASIAAAAAAAAAAAAAAAAA', made.sessionToken)).toBeUndefined();
  for (let i = 0; i < made.sessionToken.length; i += 1) {
    const flipped = made.sessionToken[i] === 'A' ? 'B' : 'A';
    const changed = made.sessionToken.slice(0, i) + flipped + made.sessionToken.slice(i + 1);
    expect(await lookup(ci)(made.accessKeyId, changed)).toBeUndefined();
  }
  now += 1_000;
  expect((await lookup(ci)(made.accessKeyId, made.sessionToken))?.refused).toMatchObject({
    code: 'ExpiredTokenException',
  });
});

test('temporary credentials end with whom they were made for, and follow a new name', async () => {
  const facts = { accountId: root.accountId, accessKeyId: '' };
  const user = { type: 'IAMUser', ...facts, arn: 'arn:aws:iam::123456789012:user/team/ann' } as const;
  const role = { type: 'AssumedRole', ...facts, arn: 'arn:aws:sts::123456789012:assumed-role/ci/x' } as const;
  const made = (principal: Parameters<typeof issueCredentials>[1]['principal']) =>
    issueCredentials(boxes.sessionTokens, { principal, session: {} }, now + 1_000);
  const ofAnn = made({ ...user, iamIdentity: 'user/ann', id: ann.id });
  const ofCi = made({ ...role, iamIdentity: 'assumed-role/ci/x', id: ci.id, sessionName: 'x' });
  const principal = async (given: typeof ofAnn, ...entities: readonly IamEntity[]) =>
    (await lookup(...entities)(given.accessKeyId, given.sessionToken))?.caller.principal;
  expect(await principal(ofAnn, ann)).toMatchObject({ arn: user.arn, iamIdentity: 'user/ann' });
  expect(await principal(ofAnn, { ...ann, name: 'bea', path: '/' })).toMatchObject({
    ...{ arn: 'arn:aws:iam::123456789012:user/bea', iamIdentity: 'user/bea', id: ann.id },
  });
  expect(await principal(ofAnn, { ...ann, id: 'AIDANEW' })).toBeUndefined();
  expect(await principal(ofAnn, { ...ci, id: ann.id })).toBeUndefined();
  expect(await principal(ofCi, ci)).toMatchObject({ arn: role.arn });
  expect(await principal(ofCi, { ...ci, id: 'AROANEW' })).toBeUndefined();
  expect(await principal(made({ ...role, iamIdentity: 'assumed-role/ci/x' }), ci)).toBeUndefined();
});
