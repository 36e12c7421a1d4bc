// Who may do what, over real AWS clients: policies, roles, temporary credentials. Airflow is trivial here.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rootKey } from '../harness/mwaa.ts';
import { runClient } from '../harness/python.ts';
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
