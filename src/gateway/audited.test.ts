import { describe, expect, it, test } from 'vitest';
import { mayChange } from './changes.ts';
import { scriptCookie, t, three, two, useDoors } from './test-clients.ts';

useDoors();

const target = (path: string) => ({ path, raw: path, query: '' });

test.each([
  [2, 'GET', '/home', false],
  [2, 'HEAD', '/', false],
  [2, 'OPTIONS', '/api/v1/dags', false],
  [2, 'GET', '/trigger', true],
  [2, 'GET', '/dags/my/trigger', true],
  [2, 'HEAD', '/dags/my/trigger', true],
  [2, 'OPTIONS', '/dags/my/trigger', true],
  [2, 'GET', '/parseDagFile/token', true],
  [2, 'GET', '/variable/delete/1', false],
  [2, 'HEAD', '/variable/delete/1', false],
  [2, 'POST', '/variable/delete/1', true],
  [3, 'GET', '/dags/my/trigger', false],
  [3, 'HEAD', '/api/v2/dags', false],
  [2, 'POST', '/next_run_datasets_summary', false],
  [2, 'POST', '/paused', true],
  [2, 'POST', '/task_stats', false],
  [2, 'PUT', '/task_stats', true],
  [2, 'POST', '/task_stats/', true],
  [2, 'POST', '/x/task_stats', true],
  [2, 'POST', '/api/v1/dags/~/dagRuns/~/taskInstances/list', false],
  [2, 'POST', '/api/v1/dags/my/dagRuns', true],
  [3, 'POST', '/task_stats', true],
  [3, 'POST', '/api/v2/dags/~/dagRuns/list', false],
  [3, 'PATCH', '/api/v2/dags/my', true],
  [3, 'DELETE', '/api/v2/dags/my', true],
] as const)('Airflow %i, %s %s may change something: %s', (airflow, method, path, expected) => {
  expect(mayChange({ method, target: target(path) }, { airflow })).toBe(expected);
});

const secret = 's3cret';
const send = async (door: typeof two, method: string, path: string) =>
  t.ask(door.port, {
    method,
    path,
    headers: { cookie: await scriptCookie(door), 'content-type': 'text/plain' },
    ...(method === 'GET' ? {} : { body: secret }),
  });
const ofAirflow = () => t.audit.filter(({ eventName }) => eventName.startsWith('Airflow'));

describe('what a session changes', () => {
  it('is recorded before and after, by person and path, without query and body', async () => {
    const answer = await send(two, 'POST', `/api/v1/dags/d/dagRuns?password=${secret}`);
    expect(answer.status).toBe(200);
    const same = {
      eventName: 'AirflowRequest',
      readOnly: false,
      principal: expect.objectContaining({ iamIdentity: 'user/ann' }),
      environmentId: 'aaaaaaaaaaaa',
      requestParameters: {
        Name: 'demo',
        method: 'POST',
        path: '/api/v1/dags/d/dagRuns',
        AirflowIdentity: 'user/ann',
      },
    };
    await expect.poll(ofAirflow).toMatchObject([
      { ...same, phase: 'intent' },
      { ...same, phase: 'outcome', responseElements: { status: 200 } },
    ]);
    const [intent, outcome] = ofAirflow();
    expect(intent?.requestId).toBe(outcome?.requestId);
    expect(JSON.stringify(t.audit)).not.toContain(secret);
  });

  it('does not happen when it cannot be recorded', async () => {
    const cookie = await scriptCookie();
    t.world.auditFails = true;
    const answer = await t.ask(two.port, { method: 'DELETE', path: '/api/v1/dags/d', headers: { cookie } });
    expect(answer.status).toBe(500);
    expect(t.airflow.seen).toEqual([]);
  });

  it('has an outcome also when Airflow breaks off', async () => {
    t.airflow.state.reply = (_req, res) => void res.destroy();
    expect((await send(three, 'POST', '/api/v2/dags/d/dagRuns')).status).toBe(502);
    await expect
      .poll(ofAirflow)
      .toMatchObject([{ phase: 'intent' }, { phase: 'outcome', errorCode: 'NoAnswer' }]);
  });
});
