// Who may do what, over real AWS clients: policies, roles, temporary credentials. Airflow is trivial here.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Iam, QueryFault } from '../harness/iam.ts';
import { newEnvironment, rootKey } from '../harness/mwaa.ts';
import { runClient } from '../harness/python.ts';
import { signed } from '../harness/raw.ts';
import { Rig } from '../harness/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.make();
  await rig.create('demo', '3.3.1');
  await rig.available('demo');
});
afterAll(() => rig?.remove());

test('policies, groups, boundaries, roles and sessions decide, over boto3', async () => {
  const {
    accountId: account,
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
  } = rootKey(rig.place);
  const given = {
    endpoint: `http://localhost:${rig.place.ports.api}`,
    ...{ region: 'us-east-1', account, key: { AccessKeyId, SecretAccessKey } },
  };
  const answers = await runClient('access.py', given, {
    env: { AWS_DISABLE_HOST_PREFIX_INJECTION: 'true' },
    seconds: 120,
  });
  const ann = `arn:aws:iam::${account}:user/data/ann`;
  const environment = `arn:aws:airflow:us-east-1:${account}:environment/demo`;
  const role = `arn:aws:iam::${account}:role/ci`;
  const session = `arn:aws:sts::${account}:assumed-role/ci/run-1`;
  const denied = (who: string, action: string, resource: string, why: string) =>
    `User: ${who} is not authorized to perform: ${action} on resource: ${resource}${why}`;
  const silent = (layer: string, action: string) => ` because no ${layer} allows the ${action} action`;
  const list = 'airflow:ListEnvironments';
  expect(answers).toEqual({
    root: `arn:aws:iam::${account}:root`,
    ann,
    'without policy': [
      'AccessDeniedException',
      denied(ann, list, '*', silent('identity-based policy', list)),
    ],
    'as a reader': ['demo'],
    "a reader's token": ['AccessDeniedException', 'No Airflow role granted in IAM.'],
    token: ['user/ann', 'user/ann'],
    'no passing of roles': [
      'AccessDeniedException',
      denied(
        ann,
        'airflow:UpdateEnvironment',
        environment,
        silent('identity-based policy', 'airflow:UpdateEnvironment'),
      ),
    ],
    'still none': [
      'AccessDeniedException',
      denied(
        ann,
        'iam:PassRole',
        `arn:aws:iam::${account}:role/x`,
        silent('identity-based policy', 'iam:PassRole'),
      ),
    ],
    'assume without right': ['AccessDenied', denied(ann, 'sts:AssumeRole', role, '')],
    'assume without external id': ['AccessDenied', denied(ann, 'sts:AssumeRole', role, '')],
    session,
    'session lists': ['demo'],
    'limited session': ['AccessDeniedException', denied(session, list, '*', silent('session policy', list))],
    'mangled session token': [
      'InvalidClientTokenId',
      'The security token included in the request is invalid.',
    ],
    'too long': [
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    ],
    boundary: ['AccessDeniedException', denied(ann, list, '*', silent('permissions boundary', list))],
    simulated: [['implicitDeny', ['arn:aws:iam::aws:policy/AmazonMWAAReadOnlyAccess']]],
    malformed: [
      'MalformedPolicyDocument',
      'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. (line 2, column 44: x has none; write for instance airflow:GetEnvironment)',
    ],
    'inactive key': ['InvalidClientTokenId', 'The security token included in the request is invalid.'],
    'in the way': ['DeleteConflict', 'Cannot delete entity, must delete access keys first.'],
  });
});

const faultOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'ok',
    (error: unknown) => {
      if (error instanceof QueryFault) return error.message;
      throw error;
    },
  );

const trust = (principal: unknown, element = 'Principal', Effect = 'Allow') => ({
  AssumeRolePolicyDocument: JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect, [element]: principal, Action: 'sts:AssumeRole' }],
  }),
});

const shownTrust = async (iam: Iam, RoleName: string): Promise<string> => {
  const xml = await iam.call('GetRole', { RoleName });
  return decodeURIComponent(/<AssumeRolePolicyDocument>([^<]*)</.exec(xml)?.[1] ?? '');
};

const remove = async (iam: Iam, UserName: string, AccessKeyId: string): Promise<void> => {
  await iam.call('DeleteAccessKey', { UserName, AccessKeyId });
  await iam.call('DeleteUser', { UserName });
};

test('a trust policy means whoever had the name, by unique id: renamed, gone and made anew', async () => {
  const iam = new Iam(rig.place);
  const first = await iam.user('tess');
  await iam.call('CreateRole', { RoleName: 'trusting', ...trust({ AWS: iam.arn('user', 'tess') }) });
  const assumes = (key: typeof first) => faultOf(iam.assume(key, 'trusting', 'run'));
  expect(await assumes(first)).toBe('ok');

  await iam.call('UpdateUser', { UserName: 'tess', NewUserName: 'tina', NewPath: '/x/' });
  expect(await shownTrust(iam, 'trusting')).toContain(`"${iam.arn('user', 'x/tina')}"`);
  expect(await assumes(first)).toBe('ok');
  const thief = await iam.user('tess');
  expect(await assumes(thief)).toContain('<Code>AccessDenied</Code>');

  await remove(iam, 'tina', first.accessKeyId);
  const anew = await iam.user('tina');
  expect(await assumes(anew)).toContain('<Code>AccessDenied</Code>');
  expect(await shownTrust(iam, 'trusting')).toMatch(/"AWS":"AIDA[A-Z2-7]{17}"/);
  await rig.crash();
  await rig.start();
  expect(await assumes(anew)).toContain('<Code>AccessDenied</Code>');
  expect(await assumes(thief)).toContain('<Code>AccessDenied</Code>');
});

test('temporary credentials end with their role, though another has its name', async () => {
  const iam = new Iam(rig.place);
  const key = await iam.user('rita', { statements: [{ Action: 'sts:AssumeRole' }] });
  await iam.role('brief', { attached: ['AmazonMWAAReadOnlyAccess'] });
  const session = await iam.assume(key, 'brief', 'run');
  await iam.call('GetCallerIdentity', {}, session);
  await iam.call('DetachRolePolicy', {
    ...{ RoleName: 'brief', PolicyArn: 'arn:aws:iam::aws:policy/AmazonMWAAReadOnlyAccess' },
  });
  await iam.call('DeleteRole', { RoleName: 'brief' });
  await iam.role('brief', { attached: ['AmazonMWAAReadOnlyAccess'] });
  expect(await faultOf(iam.call('GetCallerIdentity', {}, session))).toContain('InvalidClientTokenId');
});

test('what no trust policy may say, and where no role may be, is refused with AWS’s words', async () => {
  const iam = new Iam(rig.place);
  await iam.role('plain');
  const made = (given: object) => faultOf(iam.call('CreateRole', { RoleName: 'refused', ...given }));
  const absent = [
    iam.arn('user', 'nobody'),
    iam.arn('role', 'x/plain'),
    iam.arn('user', '*'),
    `arn:aws:sts::${iam.accountId}:assumed-role/nobody/run`,
    `AIDA${'A'.repeat(17)}`,
  ];
  for (const arn of absent) {
    const said = (await made(trust({ AWS: arn }))).replaceAll('&quot;', '"');
    expect(said).toContain('<Code>MalformedPolicyDocument</Code>');
    expect(said).toContain(`Invalid principal in policy: "AWS":"${arn}"`);
  }
  expect(await made(trust({ AWS: iam.arn('role', 'plain') }, 'NotPrincipal', 'Deny'))).toContain(
    'Has prohibited field NotPrincipal',
  );
  const Path = '/aws-service-role/airflow.amazonaws.com/';
  expect((await made({ ...trust('*'), Path })).replaceAll('&#39;', "'")).toContain(
    "Path prefix '/aws-service-role/' can only be used for AWS Service linked Roles",
  );
  const twice = { Tags: ['team', 'Team'].map((Key) => ({ Key, Value: 'x' })) };
  expect(await made({ ...trust('*'), ...twice })).toContain(
    'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
  );
  expect(await made(trust('*'))).toBe('ok');
});

test('whoever renames needs the right on the old and on the new ARN', async () => {
  const iam = new Iam(rig.place);
  const own = iam.arn('user', 'olga');
  const key = await iam.user('olga', { statements: [{ Action: 'iam:UpdateUser', Resource: own }] });
  const renamed = await faultOf(
    iam.call('UpdateUser', { UserName: 'olga', NewUserName: 'trusted', NewPath: '/a/' }, key),
  );
  expect(renamed).toContain(`iam:UpdateUser on resource: ${iam.arn('user', 'a/trusted')}`);
});

test('no execution role of another account, no tags that differ by case', async () => {
  const { Name: _, ...request } = newEnvironment(rig.place, 'far', '3.3.1');
  const send = (method: string, path: string, body: object) =>
    signed(rig.place, { method, path, body: JSON.stringify(body) });
  const ExecutionRoleArn = 'arn:aws:iam::210987654321:role/execution';
  const refusal = {
    ...{ status: 403, errorType: 'AccessDeniedException' },
    body: expect.objectContaining({ Message: 'Cross-account pass role is not allowed.' }),
  };
  expect(await send('PUT', '/environments/far', { ...request, ExecutionRoleArn })).toMatchObject(refusal);
  expect(await send('PATCH', '/environments/demo', { ExecutionRoleArn })).toMatchObject(refusal);
  const Tags = { team: 'a', Team: 'b' };
  expect(await send('PUT', '/environments/far', { ...request, Tags })).toMatchObject({
    ...{ status: 400, errorType: 'ValidationException' },
  });
});
