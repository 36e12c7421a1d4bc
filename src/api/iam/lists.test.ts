// Lists come page by page, complete and in order; what is asked for twice is done once; what is renamed stays itself.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allow, credentialsOf, outcome, policy, query, trusts, userWithKey } from '../test-query.ts';
import { fakeWorld, root, type World } from '../testing.ts';

const arn = (resource: string) => `arn:aws:iam::${root.accountId}:${resource}`;
const PolicyDocument = policy(allow());
const numbers = Array.from({ length: 7 }, (_, i) => `x${i}`);

/** Everything of a list, asked for in pages of three; no page is longer, and all but the last say that more follows. */
const inPages = async (world: World, operation: string, given: object, member: string): Promise<string[]> => {
  const all: unknown[] = [];
  let Marker: string | undefined;
  for (let pages = 0; pages < 10; pages += 1) {
    const asked = { ...given, MaxItems: 3, ...(Marker === undefined ? {} : { Marker }) };
    const { result } = await query(world, operation, asked);
    const items = result[member] || [];
    expect(items.length).toBeLessThanOrEqual(3);
    all.push(...items);
    expect(result.IsTruncated).toBe(String(result.Marker !== undefined));
    if (result.Marker === undefined) break;
    expect(items).toHaveLength(3);
    Marker = result.Marker;
  }
  return all.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
};

test.each<[string, object, string, (name: string) => readonly [string, Record<string, unknown>]]>([
  ['ListUsers', {}, 'Users', (UserName) => ['CreateUser', { UserName }]],
  ['ListGroups', {}, 'Groups', (GroupName) => ['CreateGroup', { GroupName }]],
  [
    'ListRoles',
    {},
    'Roles',
    (RoleName) => ['CreateRole', { RoleName, AssumeRolePolicyDocument: trusts('*') }],
  ],
  [
    'ListPolicies',
    { Scope: 'Local' },
    'Policies',
    (PolicyName) => ['CreatePolicy', { PolicyName, PolicyDocument }],
  ],
  [
    'ListUserPolicies',
    { UserName: 'ann' },
    'PolicyNames',
    (PolicyName) => ['PutUserPolicy', { UserName: 'ann', PolicyName, PolicyDocument }],
  ],
  [
    'ListUserTags',
    { UserName: 'ann' },
    'Tags',
    (Key) => ['TagUser', { UserName: 'ann', Tags: [{ Key, Value: Key }] }],
  ],
  [
    'GetAccountAuthorizationDetails',
    { Filter: ['Group'] },
    'GroupDetailList',
    (GroupName) => ['CreateGroup', { GroupName }],
  ],
])('%s %j', async (operation, given, member, make) => {
  const world = fakeWorld();
  if (JSON.stringify(given).includes('ann')) await query(world, 'CreateUser', { UserName: 'ann' });
  for (const name of [...numbers].reverse()) expect(await outcome(world, ...make(name))).toBe('ok');
  const all = await inPages(world, operation, given, member);
  expect(all).toHaveLength(numbers.length);
  for (const [i, name] of numbers.entries()) expect(all[i]).toContain(name);
});

test('a list goes on where it was, whatever is made and deleted meanwhile', async () => {
  const change = fc.record({ name: fc.constantFrom(...numbers), isThere: fc.boolean() });
  const property = fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
    const world = fakeWorld();
    const stays = numbers.filter((name) => changes.every((c) => c.name !== name));
    for (const UserName of numbers) await query(world, 'CreateUser', { UserName });
    const seen: string[] = [];
    let Marker: string | undefined;
    do {
      const { result } = await query(world, 'ListUsers', { MaxItems: 2, ...(Marker ? { Marker } : {}) });
      seen.push(...(result.Users || []).map((user: { UserName: string }) => user.UserName));
      Marker = result.Marker;
      for (const { name, isThere } of changes.splice(0, 4))
        await query(world, isThere ? 'CreateUser' : 'DeleteUser', { UserName: name });
    } while (Marker !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(stays));
  });
  await fc.assert(property, { numRuns: 15 });
});

test('paths are prefixes', async () => {
  const world = fakeWorld();
  for (const [UserName, Path] of [
    ['a', '/'],
    ['b', '/data/'],
    ['c', '/data/x/'],
    ['d', '/database/'],
  ])
    await query(world, 'CreateUser', { UserName, Path });
  const below = async (PathPrefix: string) =>
    ((await query(world, 'ListUsers', { PathPrefix })).result.Users || []).map((u: { Arn: string }) => u.Arn);
  expect(await below('/data/')).toEqual([arn('user/data/b'), arn('user/data/x/c')]);
  expect(await below('/data')).toHaveLength(3);
  expect(await below('/x/')).toEqual([]);
});

test('what is asked for twice is done once', async () => {
  const world = fakeWorld();
  const PolicyArn = 'arn:aws:iam::aws:policy/AmazonMWAAReadOnlyAccess';
  await query(world, 'CreateUser', { UserName: 'ann' });
  await query(world, 'CreateGroup', { GroupName: 'readers' });
  const twice = [
    ['AddUserToGroup', { UserName: 'ann', GroupName: 'readers' }],
    ['AttachUserPolicy', { UserName: 'ann', PolicyArn }],
    ['PutUserPolicy', { UserName: 'ann', PolicyName: 'x', PolicyDocument }],
    ['TagUser', { UserName: 'ann', Tags: [{ Key: 'team', Value: 'data' }] }],
    ['PutUserPermissionsBoundary', { UserName: 'ann', PermissionsBoundary: PolicyArn }],
    ['UntagUser', { UserName: 'ann', TagKeys: ['other'] }],
    ['RemoveUserFromGroup', { UserName: 'ann', GroupName: 'readers' }],
  ] as const;
  for (const [operation, given] of twice) {
    expect(await outcome(world, operation, given), operation).toBe('ok');
    const after = world.deps.directory.current.get('user', 'ann');
    expect(await outcome(world, operation, given), operation).toBe('ok');
    expect(world.deps.directory.current.get('user', 'ann'), operation).toEqual(after);
  }
});

test('a renamed user keeps keys, groups, policies and rights; a renamed group its members', async () => {
  const world = fakeWorld();
  const own = await userWithKey(world, 'ann', allow('iam:GetUser', arn('user/*')));
  await query(world, 'CreateGroup', { GroupName: 'readers' });
  await query(world, 'AddUserToGroup', { UserName: 'ann', GroupName: 'readers' });
  const before = (await query(world, 'GetUser', { UserName: 'ann' })).result.User;
  await query(world, 'UpdateUser', { UserName: 'ann', NewUserName: 'bea', NewPath: '/data/' });
  await query(world, 'UpdateGroup', { GroupName: 'readers', NewGroupName: 'Readers', NewPath: '/g/' });
  const { User } = (await query(world, 'GetUser', {}, own)).result;
  expect(User).toEqual({ ...before, UserName: 'bea', Path: '/data/', Arn: arn('user/data/bea') });
  const { Groups } = (await query(world, 'ListGroupsForUser', { UserName: 'bea' })).result;
  expect(Groups.map((group: { Arn: string }) => group.Arn)).toEqual([arn('group/g/Readers')]);
  expect(await outcome(world, 'GetUser', { UserName: 'ann' })).toMatch(/^404 NoSuchEntity/);
});

test('a name that is given again inherits no rights', async () => {
  const world = fakeWorld();
  const own = await userWithKey(world, 'ann', allow('sts:*'));
  const token = credentialsOf((await query(world, 'GetSessionToken', {}, own)).result.Credentials);
  await query(world, 'DeleteAccessKey', { UserName: 'ann', AccessKeyId: own.accessKeyId });
  await query(world, 'DeleteUserPolicy', { UserName: 'ann', PolicyName: 'own' });
  await query(world, 'DeleteUser', { UserName: 'ann' });
  await userWithKey(world, 'ann', allow());
  const role = { RoleName: 'ci', AssumeRolePolicyDocument: trusts({ AWS: root.accountId }) };
  await query(world, 'CreateRole', role);
  const given = { RoleArn: arn('role/ci'), RoleSessionName: 'run' };
  expect(await outcome(world, 'AssumeRole', given, token)).toMatch(/^403 InvalidClientTokenId/);
  expect(await outcome(world, 'GetCallerIdentity', {}, own)).toMatch(/^403 InvalidClientTokenId/);
});

test('a secret is told once, and is neither in the audit record nor in any other answer', async () => {
  const world = fakeWorld();
  const { secretAccessKey } = await userWithKey(world, 'ann', allow());
  const answers = [
    await query(world, 'ListAccessKeys', { UserName: 'ann' }),
    await query(world, 'GetAccountAuthorizationDetails'),
  ];
  expect(secretAccessKey).toMatch(/^[A-Za-z0-9+/]{40}$/);
  expect(
    JSON.stringify([answers, world.audited, world.deps.directory.current.all('access-key')]),
  ).not.toContain(secretAccessKey);
});

test('whoever renames needs the right on the old and on the new ARN, with its path', async () => {
  const world = fakeWorld();
  const own = await userWithKey(world, 'ann', allow('iam:UpdateUser', arn('user/ann')));
  await query(world, 'CreateGroup', { GroupName: 'g' });
  const denied = (what: string, resource: string) =>
    `403 AccessDenied: User: ${arn('user/ann')} is not authorized to perform: iam:${what} on resource: ${arn(resource)} because no identity-based policy allows the iam:${what} action`;
  const rename = (given: object) => outcome(world, 'UpdateUser', { UserName: 'ann', ...given }, own);
  expect(await rename({ NewUserName: 'bob' })).toBe(denied('UpdateUser', 'user/bob'));
  expect(await rename({ NewPath: '/x/' })).toBe(denied('UpdateUser', 'user/x/ann'));
  expect(await rename({ NewUserName: 'bob', NewPath: '/x/' })).toBe(denied('UpdateUser', 'user/x/bob'));
  expect(await rename({ NewUserName: 'ANN' })).toBe(denied('UpdateUser', 'user/ANN'));
  expect(await rename({ NewUserName: 'ann', NewPath: '/' })).toBe('ok');
  const may = (...statements: readonly object[]) =>
    query(world, 'PutUserPolicy', {
      ...{ UserName: 'ann', PolicyName: 'own', PolicyDocument: policy(...statements) },
    });
  await may(allow('iam:UpdateGroup', [arn('group/g'), arn('group/x/g')]));
  const group = (given: object) => outcome(world, 'UpdateGroup', { GroupName: 'g', ...given }, own);
  expect(await group({ NewGroupName: 'h' })).toBe(denied('UpdateGroup', 'group/h'));
  expect(await group({ NewPath: '/x/' })).toBe('ok');
  await may(allow('iam:UpdateUser', [arn('user/ann'), arn('user/bob')]));
  expect(await rename({ NewUserName: 'bob' })).toBe('ok');
});

test('two renames at once are no way to an ARN that neither may give', async () => {
  const world = fakeWorld();
  const may = [arn('user/a/one'), arn('user/b/one'), arn('user/a/two')];
  const own = await userWithKey(world, 'ann', allow('iam:UpdateUser', may));
  await query(world, 'CreateUser', { UserName: 'one', Path: '/a/' });
  const rename = (given: object) => outcome(world, 'UpdateUser', { UserName: 'one', ...given }, own);
  expect(await Promise.all([rename({ NewPath: '/b/' }), rename({ NewUserName: 'two' })])).toEqual([
    'ok',
    expect.stringContaining(`iam:UpdateUser on resource: ${arn('user/b/two')} because`),
  ]);
});

test('whoever creates somebody with tags needs the right to tag', async () => {
  const world = fakeWorld();
  const own = await userWithKey(world, 'ann', allow(['iam:Create*']));
  const Tags = [{ Key: 'team', Value: 'data' }];
  const made = [
    ['CreateUser', 'TagUser', { UserName: 'bob' }, 'user/bob'],
    ['CreateRole', 'TagRole', { RoleName: 'ci', AssumeRolePolicyDocument: trusts('*') }, 'role/ci'],
    ['CreatePolicy', 'TagPolicy', { PolicyName: 'p', PolicyDocument: policy(allow()) }, 'policy/p'],
  ] as const;
  for (const [operation, tag, given, resource] of made) {
    expect(await outcome(world, operation, { ...given, Tags }, own)).toContain(
      `403 AccessDenied: User: ${arn('user/ann')} is not authorized to perform: iam:${tag} on resource: ${arn(resource)} `,
    );
    expect(await outcome(world, operation, given, own)).toBe('ok');
  }
});

test('a tag is the same in any spelling, for conditions too', async () => {
  const world = fakeWorld();
  const locked = { Effect: 'Deny', Action: 'iam:*', Resource: '*' };
  const Condition = { 'ForAnyValue:StringEquals': { 'aws:TagKeys': 'team' } };
  const own = await userWithKey(world, 'ann', allow('iam:*'), { ...locked, Condition });
  await query(world, 'TagUser', { UserName: 'ann', Tags: [{ Key: 'team', Value: 'data' }] });
  for (const key of ['team', 'TEAM']) {
    const tag = { UserName: 'ann', Tags: [{ Key: key, Value: 'x' }] };
    expect(await outcome(world, 'TagUser', tag, own), key).toMatch(/^403 AccessDenied/);
    expect(await outcome(world, 'UntagUser', { UserName: 'ann', TagKeys: [key] }, own), key).toMatch(
      /^403 AccessDenied/,
    );
  }
  expect(await outcome(world, 'UntagUser', { UserName: 'ann', TagKeys: ['other'] }, own)).toBe('ok');
});
