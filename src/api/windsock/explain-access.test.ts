import { expect, test } from 'vitest';
import { airflowRoleArn, environmentArn } from '../../contract/arn.ts';
import { available, call, fakeWorld } from '../testing.ts';

const sameTeam = JSON.stringify({
  Version: '2012-10-17',
  Statement: {
    ...{ Effect: 'Allow', Action: 'airflow:*', Resource: '*' },
    Condition: { StringEquals: { 'aws:ResourceTag/team': `\${aws:PrincipalTag/team}` } },
  },
});

test('an explanation knows the tags of the environment and of its roles, and what is given goes over them', async () => {
  const world = fakeWorld();
  await available(world, 'demo', { Tags: { team: 'data' } });
  await world.deps.directory.change(
    (draft) =>
      draft.put({
        ...{ kind: 'user', name: 'ann', id: 'AIDAANN', path: '/', createdAt: 0, attached: [], groups: [] },
        inline: { own: sameTeam },
        tags: { team: 'data' },
      }),
    async () => {},
  );
  const allowed = async (Resource: string, Context = {}) => {
    const question = { Principal: 'user/ann', Action: 'airflow:InvokeRestApi', Resource, Context };
    return (await call(world, 'POST', '/windsock/access', question)).json['Allowed'];
  };
  const arn = environmentArn(world.deps, 'demo');
  expect(await allowed(arn)).toBe(true);
  expect(await allowed(airflowRoleArn(world.deps, 'demo', 'User'))).toBe(true);
  expect(await allowed(arn, { 'aws:ResourceTag/team': 'web' })).toBe(false);
  for (const other of [arn.replace('demo', 'other'), arn.replace('airflow', 's3'), `${arn}/more`, '*'])
    expect(await allowed(other), other).toBe(false);
});
