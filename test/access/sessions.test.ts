// Sessions are seen, and taken back: one, a person's, an environment's, all. Airflow is trivial here.

import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditEvents } from '../harness/audit.ts';
import { ask, type Session, signIn } from '../harness/door.ts';
import { Iam } from '../harness/iam.ts';
import { Minter } from '../harness/minter.ts';
import { ownQuery } from '../harness/own-database.ts';
import { type Key, type RawAnswer, signed } from '../harness/raw.ts';
import { Rig } from '../harness/rig.ts';
import { until } from '../harness/until.ts';
import { runWindsock } from '../harness/windsock.ts';

let rig: Rig;
let iam: Iam;

beforeAll(async () => {
  rig = await Rig.make({ args: ['--session-idle-minutes', '60', '--session-hours', '2'] });
  await rig.create('one', '3.3.1');
  await rig.create('two', '2.7.2');
  await rig.available('one');
  await rig.available('two');
  iam = new Iam(rig.place);
}, 120_000);
afterAll(() => rig?.remove(), 60_000);

const enter = (name: 'one' | 'two', minter = rig.mint): Promise<Session> =>
  until('a session', 60, () => signIn(rig.place, minter, name, name === 'one' ? 3 : 2));
const list = (query = '', key?: Key): Promise<RawAnswer> =>
  signed(rig.place, { path: `/windsock/sessions${query}`, service: 'windsock', ...(key ? { key } : {}) });
const revoke = (body: object, key?: Key): Promise<RawAnswer> =>
  signed(rig.place, {
    ...{ method: 'POST', path: '/windsock/sessions/revoke', service: 'windsock', body: JSON.stringify(body) },
    ...(key ? { key } : {}),
  });
const shown = async (query = '') =>
  (await list(query)).body['Sessions'] as readonly {
    SessionId: string;
    EnvironmentName: string;
    AirflowIdentity: string;
  }[];
const isIn = async (session: Session, airflow: 2 | 3) =>
  (await session.get(airflow === 3 ? '/api/v2/dags' : '/api/v1/dags')).status === 200;
/** Begins a request that Airflow answers after 30 s; `cut` resolves when it is cut before. */
const openRequest = (session: Session): { readonly cut: Promise<void> } => {
  const [host, port] = session.hostname.split(':');
  const cut = new Promise<void>((resolve, reject) => {
    const sent = request({
      ...{ host, port: Number(port), path: '/api/v2/slow', headers: session.headers, agent: false },
      ca: readFileSync(join(rig.place.data, 'ca.pem')),
    });
    sent.on('response', () => reject(new Error('it was answered')));
    sent.on('error', () => resolve());
    sent.end();
  });
  return { cut };
};

test('sessions are listed with whose they are, by environment, person and page', async () => {
  const [a, b] = [await enter('one'), await enter('two')];
  expect([await isIn(a, 3), await isIn(b, 2)]).toEqual([true, true]);
  const all = (await list()).body['Sessions'] as readonly Record<string, unknown>[];
  expect(all.length).toBe(2);
  expect(all[0]).toMatchObject({
    EnvironmentName: 'two',
    AirflowIdentity: 'root',
    Kind: 'script',
    SourceIp: '127.0.0.1',
    Principal: expect.stringMatching(/^arn:aws:iam::\d{12}:root$/),
  });
  expect(Number(all[0]?.['ExpiresAt']) - Number(all[0]?.['CreatedAt'])).toBe(7_200);
  expect((await shown('?EnvironmentName=one')).map((s) => s.EnvironmentName)).toEqual(['one']);
  expect((await shown('?Principal=root')).length).toBe(2);
  expect(await shown('?Principal=user%2Fnobody')).toEqual([]);
  const first = await list('?MaxResults=1');
  const token = encodeURIComponent(String(first.body['NextToken']));
  expect((await shown(`?MaxResults=1&NextToken=${token}`)).map((s) => s.EnvironmentName)).toEqual(['one']);
  expect((await list('?NextToken=x')).errorType).toBe('ValidationException');
  expect((await list('?EnvironmentName=nope')).errorType).toBe('ResourceNotFoundException');
  expect(JSON.stringify(all)).not.toMatch(/wss_/);
  const { stdout } = await runWindsock(rig.place, ['session', 'list', '--environment', 'two']);
  expect(stdout).toMatch(/^SESSION +ENVIRONMENT +PERSON .*\n[\w-]{22} +two +root +script +127\.0\.0\.1 /);
});

test('one is revoked: its open requests end within a second, others go on', async () => {
  const [gone, stays] = [await enter('one'), await enter('one')];
  const [, target] = (await shown('?EnvironmentName=one')).map((s) => s.SessionId);
  const open = openRequest(gone);
  await delay(500);
  const begun = performance.now();
  expect((await revoke({ SessionId: target })).body).toEqual({ Revoked: 1 });
  await open.cut;
  expect(performance.now() - begun).toBeLessThan(1_000);
  expect([await isIn(gone, 3), await isIn(stays, 3)]).toEqual([false, true]);
  expect((await revoke({ SessionId: target })).errorType).toBe('ResourceNotFoundException');
  const event = (await auditEvents(rig.place, ['--by', 'EventName=RevokeSession'])).find((e) => !e.errorCode);
  expect(event?.responseElements).toMatchObject({
    count: 1,
    sessions: [{ id: target, AirflowIdentity: 'root' }],
  });
});

test('a person is signed out everywhere, an environment by everybody, and all by one call', async () => {
  const key = await iam.user('ann', { attached: ['AmazonMWAAWebServerAccess'] });
  const ann = [
    await enter('one', new Minter(rig.place, key)),
    await enter('two', new Minter(rig.place, key)),
  ] as const;
  const root = await enter('two');
  const { stdout } = await runWindsock(rig.place, ['session', 'revoke', '--person', 'user/ann']);
  expect(stdout).toBe('2 ended.\n');
  expect([await isIn(ann[0], 3), await isIn(ann[1], 2), await isIn(root, 2)]).toEqual([false, false, true]);
  await revoke({ EnvironmentName: 'two' });
  expect(await isIn(root, 2)).toBe(false);
  expect(await isIn(await enter('two', new Minter(rig.place, key)), 2)).toBe(true);
  await revoke({ All: true });
  expect(await shown()).toEqual([]);
});

test('nothing asked for revokes nothing; without the right neither list nor end', async () => {
  const session = await enter('one');
  expect((await revoke({})).errorType).toBe('ValidationException');
  expect((await revoke({ All: false })).errorType).toBe('ValidationException');
  expect((await revoke({ All: true, Principal: 'root' })).errorType).toBe('ValidationException');
  const environment = `arn:aws:airflow:us-east-1:${iam.accountId}:environment/two`;
  const key = await iam.user('looker', {
    statements: [{ Action: ['windsock:ListSessions', 'windsock:RevokeSession'], Resource: [environment] }],
  });
  expect((await list('', key)).errorType).toBe('AccessDeniedException');
  expect((await list('?EnvironmentName=one', key)).errorType).toBe('AccessDeniedException');
  expect((await list('?EnvironmentName=two', key)).status).toBe(200);
  const [one] = await shown('?EnvironmentName=one');
  for (const body of [
    { All: true },
    { SessionId: one?.SessionId },
    { SessionId: 'no-such' },
    { Principal: 'root' },
  ])
    expect((await revoke(body, key)).errorType, JSON.stringify(body)).toBe('AccessDeniedException');
  expect(await isIn(session, 3)).toBe(true);
});

test('a session without a request ends when its time is over', async () => {
  const session = await enter('two');
  const [{ SessionId: id } = { SessionId: '' }] = await shown('?EnvironmentName=two');
  await rig.stop();
  await rig.start();
  await ownQuery(
    rig.place,
    'windsock',
    `update sessions set last_seen_at = last_seen_at - interval '59 minutes' where id = '${id}'`,
  );
  expect(await until('the door', 60, async () => (await isIn(session, 2)) || undefined)).toBe(true);
  await rig.stop();
  await rig.start();
  await ownQuery(
    rig.place,
    'windsock',
    `update sessions set last_seen_at = last_seen_at - interval '61 minutes' where id = '${id}'`,
  );
  expect((await shown()).map((s) => s.SessionId)).not.toContain(id);
  const status = await until('an answer', 60, async () => {
    const answer = await ask(rig.place, session.hostname, '/api/v1/dags', { headers: session.headers });
    return answer.status === 503 ? undefined : answer.status;
  });
  expect(status).toBe(401);
}, 180_000);
