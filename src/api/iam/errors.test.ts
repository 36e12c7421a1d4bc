// What IAM refuses: each row is what was there, what is asked, and AWS's own answer.
import { expect, test } from 'vitest';
import { allow, outcome, policy, query, trusts } from '../test-query.ts';
import { fakeWorld, root } from '../testing.ts';

type Call = readonly [operation: string, given: Readonly<Record<string, unknown>>];

const arn = (resource: string) => `arn:aws:iam::${root.accountId}:${resource}`;
const PolicyDocument = policy(allow());
const trust = trusts({ AWS: root.accountId });
const readOnly = 'arn:aws:iam::aws:policy/AmazonMWAAReadOnlyAccess';
const ann: Call = ['CreateUser', { UserName: 'ann' }];
const readers: Call = ['CreateGroup', { GroupName: 'readers' }];
const ci: Call = ['CreateRole', { RoleName: 'ci', AssumeRolePolicyDocument: trust }];
const own: Call = ['CreatePolicy', { PolicyName: 'own', PolicyDocument }];
const annIn = { UserName: 'ann', GroupName: 'readers' };
const times = (count: number, call: (i: number) => Call): Call[] =>
  Array.from({ length: count }, (_, i) => call(i));
/** A valid policy of so many characters. */
const ofLength = (length: number) => {
  const empty = policy(allow('*', '*', { Sid: '' }));
  return empty.replace('"Sid":""', `"Sid":"${'x'.repeat(length - empty.length)}"`);
};
const document = (length: number) => ({ PolicyDocument: ofLength(length) });

test.each<[string, readonly Call[], Call, string]>([
  // NoSuchEntity
  ...(
    [
      ['GetUser', 'user', 'User'],
      ['DeleteUser', 'user', 'User'],
      ['UpdateUser', 'user', 'User'],
      ['CreateAccessKey', 'user', 'User'],
      ['ListGroupsForUser', 'user', 'User'],
      ['ListUserPolicies', 'user', 'User'],
      ['ListAttachedUserPolicies', 'user', 'User'],
      ['ListUserTags', 'user', 'User'],
      ['GetGroup', 'group', 'Group'],
      ['DeleteGroup', 'group', 'Group'],
      ['ListGroupPolicies', 'group', 'Group'],
      ['GetRole', 'role', 'Role'],
      ['DeleteRole', 'role', 'Role'],
      ['UpdateRole', 'role', 'Role'],
      ['ListRolePolicies', 'role', 'Role'],
      ['ListInstanceProfilesForRole', 'role', 'Role'],
    ] as const
  ).map(([operation, kind, Kind]): [string, readonly Call[], Call, string] => [
    `${operation} of nobody`,
    [],
    [operation, { [`${Kind}Name`]: 'nobody' }],
    `404 NoSuchEntity: The ${kind} with name nobody cannot be found.`,
  ]),
  [
    'a policy',
    [],
    ['GetPolicy', { PolicyArn: arn('policy/x') }],
    `404 NoSuchEntity: Policy ${arn('policy/x')} was not found.`,
  ],
  [
    'a version',
    [own],
    ['GetPolicyVersion', { PolicyArn: arn('policy/own'), VersionId: 'v9' }],
    `404 NoSuchEntity: Policy ${arn('policy/own')} version v9 does not exist or is not attachable.`,
  ],
  [
    'what to attach',
    [ann],
    ['AttachUserPolicy', { UserName: 'ann', PolicyArn: arn('policy/x') }],
    `404 NoSuchEntity: Policy ${arn('policy/x')} does not exist or is not attachable.`,
  ],
  [
    'what to detach',
    [ann, own],
    ['DetachUserPolicy', { UserName: 'ann', PolicyArn: arn('policy/own') }],
    `404 NoSuchEntity: Policy ${arn('policy/own')} was not found.`,
  ],
  [
    'a boundary',
    [],
    ['CreateUser', { UserName: 'bob', PermissionsBoundary: arn('policy/x') }],
    `404 NoSuchEntity: Scope ARN: ${arn('policy/x')} does not exist or is not attachable.`,
  ],
  [
    'an inline policy',
    [ann],
    ['GetUserPolicy', { UserName: 'ann', PolicyName: 'x' }],
    '404 NoSuchEntity: The user policy with name x cannot be found.',
  ],
  [
    'an inline policy that is a word of JavaScript',
    [ci],
    ['DeleteRolePolicy', { RoleName: 'ci', PolicyName: 'constructor' }],
    '404 NoSuchEntity: The role policy with name constructor cannot be found.',
  ],
  [
    'an access key',
    [ann],
    ['DeleteAccessKey', { UserName: 'ann', AccessKeyId: 'AKIAAAAAAAAAAAAAAAAA' }],
    '404 NoSuchEntity: The Access Key with id AKIAAAAAAAAAAAAAAAAA cannot be found.',
  ],
  [
    'a ready-made policy cannot be deleted',
    [],
    ['DeletePolicy', { PolicyArn: readOnly }],
    `404 NoSuchEntity: Policy ${readOnly} was not found.`,
  ],

  // EntityAlreadyExists: names are the same in any spelling
  [
    'a user again',
    [ann],
    ['CreateUser', { UserName: 'ANN' }],
    '409 EntityAlreadyExists: User with name ANN already exists.',
  ],
  [
    'a group again',
    [readers],
    ['CreateGroup', { GroupName: 'Readers' }],
    '409 EntityAlreadyExists: Group with name Readers already exists.',
  ],
  ['a role again', [ci], ci, '409 EntityAlreadyExists: Role with name ci already exists.'],
  [
    'a policy again',
    [own],
    ['CreatePolicy', { PolicyName: 'Own', Path: '/a/', PolicyDocument }],
    '409 EntityAlreadyExists: A policy called Own already exists. Duplicate names are not allowed.',
  ],
  [
    'a name that another has',
    [ann, ['CreateUser', { UserName: 'bob' }]],
    ['UpdateUser', { UserName: 'bob', NewUserName: 'Ann' }],
    '409 EntityAlreadyExists: User with name Ann already exists.',
  ],
  [
    'a group name that another has',
    [readers, ['CreateGroup', { GroupName: 'a' }]],
    ['UpdateGroup', { GroupName: 'a', NewGroupName: 'readers' }],
    '409 EntityAlreadyExists: Group with name readers already exists.',
  ],

  // DeleteConflict
  [
    'a user with a key',
    [ann, ['CreateAccessKey', { UserName: 'ann' }]],
    ['DeleteUser', { UserName: 'ann' }],
    '409 DeleteConflict: Cannot delete entity, must delete access keys first.',
  ],
  [
    'a user with a managed policy',
    [ann, ['AttachUserPolicy', { UserName: 'ann', PolicyArn: readOnly }]],
    ['DeleteUser', { UserName: 'ann' }],
    '409 DeleteConflict: Cannot delete entity, must detach all policies first.',
  ],
  [
    'a user with a policy',
    [ann, ['PutUserPolicy', { UserName: 'ann', PolicyName: 'x', PolicyDocument }]],
    ['DeleteUser', { UserName: 'ann' }],
    '409 DeleteConflict: Cannot delete entity, must delete policies first.',
  ],
  [
    'a user in a group',
    [ann, readers, ['AddUserToGroup', annIn]],
    ['DeleteUser', { UserName: 'ann' }],
    '409 DeleteConflict: Cannot delete entity, must remove users from group first.',
  ],
  [
    'a group with a user',
    [ann, readers, ['AddUserToGroup', annIn]],
    ['DeleteGroup', { GroupName: 'readers' }],
    '409 DeleteConflict: Cannot delete entity, must remove users from group first.',
  ],
  [
    'a role with a policy',
    [ci, ['PutRolePolicy', { RoleName: 'ci', PolicyName: 'x', PolicyDocument }]],
    ['DeleteRole', { RoleName: 'ci' }],
    '409 DeleteConflict: Cannot delete entity, must delete policies first.',
  ],
  [
    'a policy that is attached',
    [own, ann, ['AttachUserPolicy', { UserName: 'ann', PolicyArn: arn('policy/own') }]],
    ['DeletePolicy', { PolicyArn: arn('policy/own') }],
    '409 DeleteConflict: Cannot delete a policy attached to entities.',
  ],
  [
    'a policy that is a boundary',
    [own, ann, ['PutUserPermissionsBoundary', { UserName: 'ann', PermissionsBoundary: arn('policy/own') }]],
    ['DeletePolicy', { PolicyArn: arn('policy/own') }],
    '409 DeleteConflict: Cannot delete a policy attached to entities.',
  ],
  [
    'a policy with versions',
    [own, ['CreatePolicyVersion', { PolicyArn: arn('policy/own'), PolicyDocument }]],
    ['DeletePolicy', { PolicyArn: arn('policy/own') }],
    "409 DeleteConflict: This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
  ],
  [
    'the default version',
    [own],
    ['DeletePolicyVersion', { PolicyArn: arn('policy/own'), VersionId: 'v1' }],
    '409 DeleteConflict: Cannot delete the default version of a policy.',
  ],

  // LimitExceeded ("IAM and AWS STS quotas"); white space does not count
  [
    'a third key',
    [ann, ...times(2, () => ['CreateAccessKey', { UserName: 'ann' }])],
    ['CreateAccessKey', { UserName: 'ann' }],
    '409 LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2',
  ],
  [
    'an eleventh group',
    [
      ann,
      ...times(11, (i) => ['CreateGroup', { GroupName: `g${i}` }]),
      ...times(10, (i): Call => ['AddUserToGroup', { UserName: 'ann', GroupName: `g${i}` }]),
    ],
    ['AddUserToGroup', { UserName: 'ann', GroupName: 'g10' }],
    '409 LimitExceeded: Cannot exceed quota for GroupsPerUser: 10',
  ],
  [
    'an eleventh managed policy',
    [
      ci,
      ...times(11, (i) => ['CreatePolicy', { PolicyName: `p${i}`, PolicyDocument }]),
      ...times(10, (i): Call => ['AttachRolePolicy', { RoleName: 'ci', PolicyArn: arn(`policy/p${i}`) }]),
    ],
    ['AttachRolePolicy', { RoleName: 'ci', PolicyArn: arn('policy/p10') }],
    '409 LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10',
  ],
  [
    'a sixth version',
    [own, ...times(4, () => ['CreatePolicyVersion', { PolicyArn: arn('policy/own'), PolicyDocument }])],
    ['CreatePolicyVersion', { PolicyArn: arn('policy/own'), PolicyDocument }],
    '409 LimitExceeded: A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.',
  ],
  ['a policy of 6144', [], ['CreatePolicy', { PolicyName: 'x', ...document(6_144) }], 'ok'],
  [
    'a policy of 6145',
    [],
    ['CreatePolicy', { PolicyName: 'x', ...document(6_145) }],
    '409 LimitExceeded: Cannot exceed quota for PolicySize: 6144',
  ],
  [
    'a policy of 6144 and blanks',
    [],
    ['CreatePolicy', { PolicyName: 'x', PolicyDocument: ofLength(6_144).replaceAll(',', ',\n\t ') }],
    'ok',
  ],
  [
    'inline policies of 2048 together',
    [ann, ['PutUserPolicy', { UserName: 'ann', PolicyName: 'x', ...document(1_000) }]],
    ['PutUserPolicy', { UserName: 'ann', PolicyName: 'y', ...document(1_048) }],
    'ok',
  ],
  [
    'inline policies of 2049 together',
    [ann, ['PutUserPolicy', { UserName: 'ann', PolicyName: 'x', ...document(1_000) }]],
    ['PutUserPolicy', { UserName: 'ann', PolicyName: 'y', ...document(1_049) }],
    '409 LimitExceeded: Maximum policy size of 2048 bytes exceeded for user ann',
  ],
  [
    'an inline policy in the place of its elder',
    [ann, ['PutUserPolicy', { UserName: 'ann', PolicyName: 'x', ...document(2_000) }]],
    ['PutUserPolicy', { UserName: 'ann', PolicyName: 'x', ...document(2_048) }],
    'ok',
  ],
  [
    '5121 of a group',
    [readers],
    ['PutGroupPolicy', { GroupName: 'readers', PolicyName: 'x', ...document(5_121) }],
    '409 LimitExceeded: Maximum policy size of 5120 bytes exceeded for group readers',
  ],
  [
    '10241 of a role',
    [ci],
    ['PutRolePolicy', { RoleName: 'ci', PolicyName: 'x', ...document(10_241) }],
    '409 LimitExceeded: Maximum policy size of 10240 bytes exceeded for role ci',
  ],
  [
    'a trust policy of 2049',
    [],
    [
      'CreateRole',
      {
        RoleName: 'x',
        AssumeRolePolicyDocument: trust.replace(
          '{"Effect"',
          `{"Sid":"${'x'.repeat(2_049 - trust.length - 9)}","Effect"`,
        ),
      },
    ],
    '409 LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048',
  ],

  // MalformedPolicyDocument
  [
    'a policy that is none',
    [ann],
    ['PutUserPolicy', { UserName: 'ann', PolicyName: 'x', PolicyDocument: '{' }],
    '400 MalformedPolicyDocument: Syntax errors in policy. (line 1, column 2: close brace expected)',
  ],
  [
    'a principal where none may be',
    [ann],
    ['PutUserPolicy', { UserName: 'ann', PolicyName: 'x', PolicyDocument: trust }],
    '400 MalformedPolicyDocument: Policy document should not specify a principal. (line 1, column 68: it is for whoever the policy is attached to; take the element out)',
  ],
  [
    'a trust policy without a principal',
    [],
    ['CreateRole', { RoleName: 'x', AssumeRolePolicyDocument: PolicyDocument }],
    '400 MalformedPolicyDocument: Missing required field Principal (line 1, column 38: say who is trusted)',
  ],
  [
    'a principal that cannot be one',
    [],
    ['CreateRole', { RoleName: 'x', AssumeRolePolicyDocument: trusts({ AWS: 'ann' }) }],
    '400 MalformedPolicyDocument: Invalid principal in policy: "AWS":"ann" (line 1, column 75: name an account, an ARN or "*")',
  ],

  // InvalidInput and ValidationError
  [
    'A85 a tag of AWS',
    [],
    ['CreateUser', { UserName: 'x', Tags: [{ Key: 'aws:x', Value: '' }] }],
    '400 InvalidInput: Tag keys cannot begin with aws: (aws:x). Choose another key.',
  ],
  [
    'a tag twice',
    [ann],
    [
      'TagUser',
      {
        UserName: 'ann',
        Tags: [
          { Key: 'a', Value: '1' },
          { Key: 'A', Value: '2' },
        ],
      },
    ],
    '400 InvalidInput: Duplicate tag keys found. Please note that Tag keys are case insensitive.',
  ],
  [
    'A85 a fifty-first tag',
    [
      ann,
      [
        'TagUser',
        { UserName: 'ann', Tags: times(50, (i) => [`k${i}`, {}]).map(([Key]) => ({ Key, Value: '' })) },
      ],
    ],
    ['TagUser', { UserName: 'ann', Tags: [{ Key: 'more', Value: '' }] }],
    '409 LimitExceeded: Cannot exceed quota for TagsPerResource: 50',
  ],
  [
    'a path without an end',
    [],
    ['CreateUser', { UserName: 'x', Path: '/data' }],
    "400 ValidationError: 1 validation error detected: Value '/data' at 'path' failed to satisfy constraint: Member must satisfy regular expression pattern: (\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)",
  ],
  [
    'a marker of somebody else',
    [],
    ['ListUsers', { Marker: '!' }],
    '400 ValidationError: Invalid Marker. Send the Marker of the previous answer, unchanged.',
  ],
  [
    'the root user as one of the users',
    [],
    ['CreateAccessKey', {}],
    '400 ValidationError: Must specify userName when calling with non-User credentials',
  ],
])('%s', async (_, before, [operation, given], expected) => {
  const world = fakeWorld();
  for (const [name, first] of before) expect(await outcome(world, name, first), name).toBe('ok');
  const count = world.audited.length;
  const said = await outcome(world, operation, given);
  expect(said).toBe(expected);
  const record = world.audited.slice(count);
  expect(record).toMatchObject([{ eventName: operation }]);
  expect(record[0]?.errorCode === undefined).toBe(said === 'ok');
});

test('what is refused changes nothing', async () => {
  const world = fakeWorld();
  await query(world, ...ann);
  const before = world.deps.directory.current;
  await query(world, 'UpdateUser', { UserName: 'ann', NewUserName: 'bob', NewPath: 'x' });
  await query(world, 'AttachUserPolicy', { UserName: 'ann', PolicyArn: arn('policy/x') });
  expect(world.deps.directory.current).toBe(before);
});
