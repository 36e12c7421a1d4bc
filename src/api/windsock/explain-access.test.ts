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

const withAnn = async () => {
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
  const explain = (Action: string, Resource?: string, Context = {}) =>
    call(world, 'POST', '/windsock/access', { Principal: 'user/ann', Action, Resource, Context });
  return { ...world, explain };
};

test('an explanation knows the tags of the environment and of its roles, and what is given goes over them', async () => {
  const world = await withAnn();
  const allowed = async (resource: string, context = {}) =>
    (await world.explain('airflow:TagResource', resource, context)).json['Allowed'];
  const arn = environmentArn(world.deps, 'demo');
  expect(await allowed(arn)).toBe(true);
  expect(await allowed(airflowRoleArn(world.deps, 'demo', 'User'))).toBe(true);
  expect(await allowed(arn, { 'aws:ResourceTag/team': 'web' })).toBe(false);
  for (const other of [arn.replace('demo', 'other'), arn.replace('airflow', 's3'), `${arn}/more`, '*'])
    expect(await allowed(other), other).toBe(false);
});

test('a way in is explained for roles only, which are what is asked for', async () => {
  const { deps, explain } = await withAnn();
  for (const action of ['airflow:CreateWebLoginToken', 'airflow:invokerestapi']) {
    for (const resource of [undefined, environmentArn(deps, 'demo'), '*'])
      expect(await explain(action, resource)).toMatchObject({ status: 400, type: 'ValidationException' });
    expect((await explain(action, airflowRoleArn(deps, 'demo', 'User'))).json['Allowed']).toBe(true);
  }
});
