// The execution role that the first environment names is in IAM, as tools look it up. Airflow is trivial here.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lookupEvents } from '../harness/audit.ts';
import { rootKey } from '../harness/mwaa.ts';
import { runClient } from '../harness/python.ts';
import { Rig } from '../harness/rig.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await Rig.make({ demo: true });
});
afterAll(() => rig?.remove());

interface Looked {
  readonly error?: string;
  readonly arn?: boolean;
  readonly trust?: readonly string[];
  readonly policies?: number;
  readonly decisions?: readonly (readonly [action: string, decision: string])[];
}

const look = (more: object = {}): Promise<Looked> =>
  runClient(
    'execution_role.py',
    {
      ...{ endpoint: `http://localhost:${rig.place.ports.api}`, region: 'us-east-1', environment: 'demo' },
      key: rootKey(rig.place),
      ...more,
    },
    { seconds: 120 },
  );

const recorded = async (EventName: string): Promise<number> => {
  const { body } = await lookupEvents(rig.place, {
    LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: EventName }],
  });
  return (body as { Events: object[] }).Events.length;
};

test('a plain start makes it, with the trust and the policy of the guide, and records it', async () => {
  await rig.available('demo');
  const role = await look();
  expect(role).toMatchObject({
    arn: true,
    trust: ['airflow.amazonaws.com', 'airflow-env.amazonaws.com'],
    policies: 1,
  });
  const other = (role.decisions ?? []).filter(([, decision]) => decision !== 'allowed');
  expect(other).toEqual([['s3:ListAllMyBuckets', 'explicitDeny']]);
  expect(role.decisions?.length).toBeGreaterThan(20);
  expect([await recorded('CreateRole'), await recorded('PutRolePolicy')]).toEqual([1, 1]);
});

test('whoever deletes it has deleted it', async () => {
  expect((await look({ delete: true })).arn).toBe(true);
  await rig.stop();
  await rig.start();
  expect(await look()).toEqual({ error: 'NoSuchEntity' });
  expect(await recorded('CreateRole')).toBe(1);
});

test('a server that is killed between the role and its environment makes each once', async () => {
  await rig.remove();
  rig = await Rig.make({ demo: true, killedAt: 'execution-role:after-commit' });
  await rig.available('demo');
  expect(await look()).toMatchObject({ arn: true, policies: 1 });
  expect([await recorded('CreateRole'), await recorded('PutRolePolicy')]).toEqual([1, 1]);
});
