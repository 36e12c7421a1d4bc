// What is recorded of everything that happens, who may read it, and what cannot be done to it unseen.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AuditEvent, auditEvents, lookupEvents, verifyAudit } from '../harness/audit.ts';
import { ask, postCommand, postLogin, type Session, signIn } from '../harness/door.ts';
import type { CliToken, WebToken } from '../harness/mwaa.ts';
import { rootKey } from '../harness/mwaa.ts';
import { ownQuery } from '../harness/own-database.ts';
import { signed } from '../harness/raw.ts';
import { Rig } from '../harness/rig.ts';
import { until } from '../harness/until.ts';

const secret = 'correct-horse-battery';
let rig: Rig;
let session: Session;
let tokens: { readonly web: WebToken; readonly cli: CliToken };

const sql = (text: string) => ownQuery<Record<string, unknown>>(rig.place, 'windsock', text);
const named = (events: readonly AuditEvent[], name: string) =>
  events.filter((event) => event.eventName === name);
/** Long enough for what was recorded to be sealed. */
const sealed = () =>
  until('everything is sealed', 10, async () => (await sql('select 1 from audit_unsealed')).length === 0);

beforeAll(async () => {
  rig = await Rig.make();
  await rig.create('one', '2.7.2');
  await rig.available('one');
  session = await until('a session', 60, () => signIn(rig.place, rig.mint, 'one', 2));
}, 120_000);
afterAll(() => rig?.remove(), 60_000);

describe('what happens is recorded, and no secret with it', () => {
  test('calls, logins, commands, changes through the door, and who was refused', async () => {
    const { place } = rig;
    tokens = { web: await rig.mint.webToken('one'), cli: await rig.mint.cliToken('one') };
    await rig.api.list();
    const key = { ...rootKey(place), secretAccessKey: 'not-the-key' };
    expect((await signed(place, { path: '/environments', key })).status).toBe(403);
    expect((await postLogin(place, tokens.web, 2)).status).toBe(200);
    expect((await postLogin(place, tokens.web, 2)).status).toBe(403);
    const words = `connections add db --conn-type http --conn-password ${secret}`;
    expect((await postCommand(place, tokens.cli, words)).status).toBe(200);
    const wrong = { ...tokens.cli, CliToken: tokens.web.WebToken };
    expect((await postCommand(place, wrong, words)).status).toBe(403);
    const trigger = await ask(place, session.hostname, `/api/v1/dags/x/dagRuns?note=${secret}`, {
      method: 'POST',
      headers: { ...session.headers, 'content-type': 'application/json' },
      body: JSON.stringify({ conf: { password: secret } }),
    });
    expect(trigger.status).toBeLessThan(500);
    const body = JSON.stringify({ Path: '/variables', Method: 'POST', Body: { key: 'k', value: secret } });
    await signed(place, { method: 'POST', path: '/restapi/one', body });
    const events = await auditEvents(place);
    const root = { type: 'Root', accessKeyId: rootKey(place).accessKeyId };
    expect(named(events, 'CreateWebLoginToken').at(-1)).toMatchObject({
      userIdentity: root,
      requestParameters: { Name: 'one' },
      sourceIPAddress: '127.0.0.1',
      additionalEventData: { environmentId: expect.stringMatching(/^[a-z0-9]{12}$/) },
    });
    expect(named(events, 'CreateCliToken').length).toBe(1);
    expect(named(events, 'ListEnvironments').map(({ errorCode }) => errorCode)).toContain(
      'InvalidSignatureException',
    );
    expect(named(events, 'WebLogin').length).toBe(2);
    expect(named(events, 'WebLoginRefused')).toMatchObject([{ errorCode: 'AccessDenied' }]);
    expect(named(events, 'UseCliToken').length).toBe(1);
    expect(named(events, 'CliTokenRefused').length).toBe(1);
    const command = 'connections add db --conn-type http --conn-password …';
    expect(named(events, 'RunCliCommand')).toMatchObject([
      { requestParameters: { Name: 'one', command }, additionalEventData: { phase: 'intent' } },
      { responseElements: { result: 'ran', exitCode: 0 }, additionalEventData: { phase: 'outcome' } },
    ]);
    const [intent, outcome] = named(events, 'AirflowRequest');
    expect(intent).toMatchObject({
      userIdentity: root,
      requestParameters: { method: 'POST', path: '/api/v1/dags/x/dagRuns', AirflowIdentity: 'root' },
    });
    expect(outcome).toMatchObject({
      requestID: intent?.requestID,
      responseElements: { status: trigger.status },
    });
    expect(named(events, 'InvokeRestApi').map((e) => e.additionalEventData?.['phase'])).toEqual([
      'intent',
      'outcome',
    ]);
  });

  test('neither a token, a key nor what a command carried is in the record or the logs', async () => {
    const kept = JSON.stringify(await sql('select event from audit_events'));
    const logs = readdirSync(join(rig.place.data, 'logs')).filter((file) => file.endsWith('.log'));
    const texts = [kept, ...logs.map((file) => readFileSync(join(rig.place.data, 'logs', file), 'utf8'))];
    for (const text of texts)
      for (const hidden of [
        secret,
        tokens.web.WebToken,
        tokens.cli.CliToken,
        rootKey(rig.place).secretAccessKey,
      ])
        expect(text).not.toContain(hidden);
  });

  test('a flood of calls that nobody signed leaves twenty of an address, and a number', async () => {
    const before = (await sql('select 1 from audit_events')).length;
    const strangers = Array.from({ length: 150 }, () =>
      signed(rig.place, {
        path: '/environments',
        key: { accessKeyId: 'AKIANOBODYNOBODYNOBO', secretAccessKey: 'x' },
      }),
    );
    const answers = await Promise.all(strangers);
    expect(answers.every(({ status }) => status === 403)).toBe(true);
    expect((await sql('select 1 from audit_events')).length - before).toBeLessThanOrEqual(20);
  });
});

describe('LookupEvents', () => {
  const names = async (input: object) => {
    const { status, body } = await lookupEvents(rig.place, input);
    expect(status, JSON.stringify(body)).toBe(200);
    return (body['Events'] as readonly Record<string, unknown>[]).map((event) => event['EventName']);
  };
  const by = (AttributeKey: string, AttributeValue: string) => ({
    LookupAttributes: [{ AttributeKey, AttributeValue }],
  });

  test('finds by each attribute, newest first', async () => {
    const [newest] = (await lookupEvents(rig.place, by('EventName', 'WebLogin'))).body['Events'] as [
      Readonly<Record<string, unknown>>,
    ];
    expect(newest).toMatchObject({
      EventName: 'WebLogin',
      ReadOnly: 'false',
      Username: 'root',
      Resources: [{ ResourceType: 'AWS::MWAA::Environment', ResourceName: 'one' }],
      EventSource: 'airflow.amazonaws.com',
      AccessKeyId: rootKey(rig.place).accessKeyId,
    });
    expect(Math.abs(Number(newest['EventTime']) - Date.now() / 1000)).toBeLessThan(120);
    expect(JSON.parse(String(newest['CloudTrailEvent']))).toMatchObject({ eventID: newest['EventId'] });
    expect(await names(by('EventId', String(newest['EventId'])))).toEqual(['WebLogin']);
    expect(await names(by('EventSource', 'cloudtrail.amazonaws.com'))).toContain('LookupEvents');
    expect((await names(by('Username', 'root'))).length).toBeGreaterThan(20);
    expect(await names(by('Username', 'nobody'))).toEqual([]);
    expect(await names(by('ResourceName', 'one'))).toContain('RunCliCommand');
    expect(await names(by('ResourceType', 'AWS::IAM::User'))).toEqual([]);
    expect(await names(by('AccessKeyId', rootKey(rig.place).accessKeyId))).toContain('WebLogin');
    expect(await names(by('ReadOnly', 'true'))).not.toContain('CreateCliToken');
    expect(await names({ StartTime: Date.now() / 1000 + 60 })).toEqual([]);
    expect(await names({ EndTime: Date.now() / 1000 - 86_400 })).toEqual([]);
    expect(await names({ EventCategory: 'insight' })).toEqual([]);
  });

  test('goes through pages without a gap or a repeat, also while more is recorded', async () => {
    const all: unknown[] = [];
    const question = { EndTime: Math.floor(Date.now() / 1000) - 1, MaxResults: 7 };
    let NextToken: unknown;
    do {
      const { body } = await lookupEvents(rig.place, { ...question, ...(NextToken ? { NextToken } : {}) });
      all.push(...(body['Events'] as readonly Record<string, unknown>[]).map((event) => event['EventId']));
      NextToken = body['NextToken'];
    } while (NextToken !== undefined);
    expect(new Set(all).size).toBe(all.length);
    const rows = await sql(
      `select event_id from audit_events where event_time <= to_timestamp(${question.EndTime}) order by event_time desc, id desc`,
    );
    expect(all).toEqual(rows.map((row) => row['event_id']));
  });

  test.each([
    [
      { LookupAttributes: [1, 2].map(() => ({ AttributeKey: 'EventName', AttributeValue: 'x' })) },
      'InvalidLookupAttributesException',
    ],
    [{ StartTime: 2, EndTime: 1 }, 'InvalidTimeRangeException'],
    [{ MaxResults: 51 }, 'InvalidMaxResultsException'],
    [{ MaxResults: 0 }, 'InvalidMaxResultsException'],
    [{ NextToken: 'x' }, 'InvalidNextTokenException'],
    [
      { NextToken: Buffer.from('{"time":1e999,"id":"1","of":""}').toString('base64url') },
      'InvalidNextTokenException',
    ],
    [{ EventCategory: 'x' }, 'InvalidEventCategoryException'],
    [{ LookupAttributes: [{ AttributeKey: 'Nope', AttributeValue: 'x' }] }, 'ValidationException'],
    [{ LookupAttributes: 'x' }, 'SerializationException'],
    [{ StartTime: 1e300 }, 'InvalidTimeRangeException'],
  ])('%j is answered with %s', async (input, code) => {
    const answer = await lookupEvents(rig.place, input);
    expect([answer.status, answer.errorType]).toEqual([400, code]);
  });

  test('calls with megabytes of query leave short records, without values, and pages stay readable', async () => {
    const { place } = rig;
    const body = JSON.stringify({
      ...{ Path: '/dags', Method: 'GET' },
      QueryParameters: { note: `${secret}${'x'.repeat(60_000)}` },
    });
    for (let i = 0; i < 20; i += 1) await signed(place, { method: 'POST', path: '/restapi/one', body });
    const tooLong = body.replace('xxx', 'x'.repeat(5_000_000));
    const refused = await signed(place, { method: 'POST', path: '/restapi/one', body: tooLong });
    expect([refused.status, refused.body['message']]).toEqual([
      400,
      expect.stringContaining('QueryParameters is longer than'),
    ]);
    const longName = JSON.stringify({ Path: '/dags', Method: 'GET', ['n'.repeat(5_000_000)]: 1 });
    await signed(place, { method: 'POST', path: '/restapi/one', body: longName });
    const page = await lookupEvents(place, {});
    expect(page.status).toBe(200);
    const text = JSON.stringify(page.body);
    expect(text.length).toBeLessThan(200_000);
    expect(text).not.toContain(secret);
    expect(text).toContain('note');
  });

  test('a page has a bound of bytes, and the next goes on after it', async () => {
    const { place } = rig;
    await sql(
      `insert into audit_events (event_id, event_time, event)
       select gen_random_uuid(), date_trunc('milliseconds', now()) + interval '1 day', json_build_object('eventName', 'Large', 'readOnly', true,
         'requestParameters', json_build_object('text', repeat('x', 400000))) from generate_series(1, 5)`,
    );
    const counts: number[] = [];
    let NextToken: string | undefined;
    do {
      const page = await lookupEvents(place, {
        LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'Large' }],
        ...(NextToken === undefined ? {} : { NextToken }),
      });
      const answer = page.body as { Events: unknown[]; NextToken?: string };
      counts.push(answer.Events.length);
      NextToken = answer.NextToken;
    } while (NextToken !== undefined);
    expect(counts).toEqual([2, 2, 1]);
    await sql(
      `delete from audit_unsealed where id in (select id from audit_events where event_name = 'Large')`,
    );
    await sql(`delete from audit_events where event_name = 'Large'`);
  });

  test('a target that is not served, a body that is no JSON, another service', async () => {
    const target = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'CloudTrail_20131101.DeleteTrail',
    };
    expect((await lookupEvents(rig.place, {}, { headers: target })).errorType).toBe(
      'UnknownOperationException',
    );
    expect((await lookupEvents(rig.place, {}, { body: '{' })).errorType).toBe('SerializationException');
    expect((await lookupEvents(rig.place, {}, { service: 'airflow' })).errorType).toBe('InvalidAction');
  });
});

describe('windsock audit verify names what was done to the database', () => {
  const whats = async () => (await verifyAudit(rig.place)).findings.map(({ what }) => what);
  const restore: string[] = [];
  const change = async (does: string, undoes: string) => {
    restore.unshift(undoes);
    await sql(does);
  };
  const undo = async () => {
    for (const text of restore.splice(0)) await sql(text);
  };

  test('intact, while it runs', async () => {
    const found = await until('a chain of several seals', 60, async () => {
      await lookupEvents(rig.place, {});
      await sealed();
      const now = await verifyAudit(rig.place);
      return now.seals > 3 ? now : undefined;
    });
    expect(found).toMatchObject({ intact: true, findings: [] });
    expect(found.records).toBeGreaterThan(20);
  });

  test('an altered record, by name', async () => {
    await sealed();
    await sql('create table saved as select * from audit_events');
    await sql(`update audit_events set event = replace(event::text, '"Root"', '"Ann"')::json where id = 1`);
    const { findings } = await verifyAudit(rig.place);
    expect(findings).toMatchObject([{ what: 'altered record', seal: 1, record: '1' }]);
    await sql('update audit_events e set event = s.event from saved s where s.id = e.id and e.id = 1');
    expect(await whats()).toEqual([]);
  });

  test('another time, a missing record, a copy of one', async () => {
    await change(
      `update audit_events set event_time = event_time + interval '1 hour' where id = 2`,
      `update audit_events set event_time = event_time - interval '1 hour' where id = 2`,
    );
    expect(await whats()).toEqual(['altered record']);
    await undo();
    await change(
      'delete from audit_events where id = 3',
      'insert into audit_events (id, event_id, event_time, event, mac) overriding system value select id, event_id, event_time, event, mac from saved where id = 3',
    );
    expect(await whats()).toEqual(['missing record']);
    await undo();
    const copy = `insert into audit_events (event_id, event_time, event, mac)
      select gen_random_uuid(), event_time, event, mac from saved where id = 4 returning id`;
    const [copied] = await sql(copy);
    expect(await whats()).toEqual(['inserted record']);
    await sql(`insert into audit_unsealed values (${copied?.['id']})`);
    await sealed();
    expect(await whats()).toEqual(['inserted record']);
  });

  test('a cut end, while it is stopped; the gap stays after the next start', async () => {
    await rig.stop();
    const before = await verifyAudit(rig.place);
    expect(before.findings.map(({ what }) => what)).toEqual(['inserted record']);
    await rig.start();
    await rig.api.list();
    await sealed();
    const cut = `with gone as (delete from audit_seals where number > ${before.seals} returning ids)
      delete from audit_events where id in (select unnest(ids) from gone)`;
    await sql(cut);
    expect(await whats()).toEqual(['inserted record', 'cut off']);
    await rig.api.list();
    await sealed();
    expect(await whats()).toEqual(['inserted record', 'missing seal']);
    expect(readFileSync(join(rig.place.data, 'logs', 'windsock.log'), 'utf8')).toContain('audit seals lost');
  });

  test('the file of the newest seal, and a key that is not its own', async () => {
    const file = join(rig.place.data, 'newest-audit-seal.json');
    rmSync(file);
    expect(await whats()).toContain('no newest seal');
    const key = join(rig.place.data, 'secrets', 'audit-key');
    const own = readFileSync(key);
    writeFileSync(key, `${Buffer.alloc(32, 5).toString('base64url')}\n`);
    expect(new Set(await whats())).toEqual(new Set(['other key', 'missing seal', 'no newest seal']));
    writeFileSync(key, 'x');
    await expect(verifyAudit(rig.place)).rejects.toThrow(/no usable key in .*audit-key/);
    writeFileSync(key, own);
    expect(await whats()).not.toContain('other key');
  });
});

test('without a record there is no token, no session and no command', async () => {
  const { place } = rig;
  const [web, cli] = [await rig.mint.webToken('one'), await rig.mint.cliToken('one')];
  const tokenCount = async () => (await sql('select 1 from tokens')).length;
  const before = await tokenCount();
  await sql('alter table audit_events add constraint none check (false) not valid');
  for (const path of ['/webtoken/one', '/clitoken/one'])
    expect((await signed(place, { method: 'POST', path })).status).toBe(500);
  expect((await signed(place, { path: '/environments' })).status).toBe(500);
  expect((await postLogin(place, web, 2)).status).toBe(500);
  expect((await postCommand(place, cli, 'dags list')).status).toBe(500);
  const headers = { ...session.headers, 'content-type': 'application/json' };
  const change = await ask(place, session.hostname, '/api/v1/dags/x', {
    method: 'PATCH',
    headers,
    body: '{}',
  });
  expect(change.status).toBe(500);
  expect(await tokenCount()).toBe(before);
  await sql('alter table audit_events drop constraint none');
  expect((await postLogin(place, web, 2)).status).toBe(200);
  expect((await postCommand(place, cli, 'dags list')).status).toBe(200);
});

test.each(['audit:before-seal-commit', 'audit:before-seal-file'])(
  'a server that ends at %s seals on',
  async (name) => {
    const before = (await verifyAudit(rig.place)).findings;
    rig.failpoints.killAt(name);
    await rig.api.list().catch(() => {});
    await rig.server.end(20);
    rig.failpoints.disarm();
    await rig.start();
    await rig.api.list();
    await sealed();
    const after = await verifyAudit(rig.place);
    expect(after.findings.filter(({ what }) => what !== 'no newest seal')).toEqual(
      before.filter(({ what }) => what !== 'no newest seal'),
    );
  },
);

test('reads are counted, and kept at the end at the latest', async () => {
  session = await until('a session', 60, () => signIn(rig.place, rig.mint, 'one', 2));
  for (let i = 0; i < 12; i += 1) await session.get('/api/v1/dags');
  await ask(rig.place, session.hostname, '/home');
  await delay(100);
  await rig.stop();
  await rig.start();
  const events = await auditEvents(rig.place);
  expect(named(events, 'AirflowReads').at(-1)).toMatchObject({
    readOnly: true,
    userIdentity: { type: 'Root' },
    requestParameters: { Name: 'one', count: 12, AirflowIdentity: 'root' },
  });
  expect(
    named(events, 'UnauthenticatedRequests').at(-1)?.requestParameters?.['count'],
  ).toBeGreaterThanOrEqual(1);
}, 120_000);
