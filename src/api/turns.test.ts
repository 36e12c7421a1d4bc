// The worst requests of each kind that a caller may send: none holds the event loop. Processor time of a turn is
// measured, which other programs on the machine do not change; the bound is far below what each took in one turn before
// its work was bounded, and above what a cold start takes.
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { handleCall } from './pipeline.ts';
import { query } from './test-query.ts';
import { available, call, fakeWorld } from './testing.ts';

const mebibyte = 1024 * 1024;
const longestTurn = 200;

/** Milliseconds of processor time of the longest turn of the event loop during the work. */
const busiest = async (work: () => Promise<unknown>): Promise<number> => {
  let [most, isDone, before] = [0, false, process.threadCpuUsage()];
  const look = (): void => {
    const used = process.threadCpuUsage(before);
    most = Math.max(most, (used.user + used.system) / 1_000);
    before = process.threadCpuUsage();
    if (!isDone) setImmediate(look);
  };
  setImmediate(look);
  await new Promise((resolve) => setImmediate(resolve));
  before = process.threadCpuUsage();
  await work();
  isDone = true;
  await new Promise((resolve) => setImmediate(resolve));
  return most;
};

const repeated = (item: (i: number) => string, size: number): string => {
  const items: string[] = [];
  for (let [i, length] = [0, 0]; length < size; i += 1) {
    const next = item(i);
    items.push(next);
    length += next.length + 1;
  }
  return items.join(',');
};

const bodies: readonly [string, string, string][] = [
  ['names', 'PUT /environments/new', `{${repeated((i) => `"k${i}":0`, mebibyte - 50)}}`],
  ['options', 'PUT /environments/new', `{"Tags":{${repeated((i) => `"k${i}":"v"`, mebibyte - 50)}}}`],
  ['nesting', 'PUT /environments/new', `{"Tags":${'['.repeat(500_000)}${']'.repeat(500_000)}}`],
  ['items', 'POST /metrics/environments/demo', `{"MetricData":[${repeated(() => '{}', mebibyte - 50)}]}`],
  ['context', 'POST /windsock/access', `{"Context":{${repeated((i) => `"k${i}":"v"`, mebibyte - 50)}}}`],
  ['query', 'POST /restapi/demo', `{"QueryParameters":{${repeated((i) => `"${i}":1.0`, 5 * mebibyte)}}}`],
  ['numbers', 'POST /restapi/demo', `{"Body":[${repeated(() => '1.0', 5 * mebibyte)}]}`],
  ['lists', 'POST /restapi/demo', `{"Body":[${repeated(() => '[]', 5 * mebibyte)}]}`],
  ['escapes', 'POST /restapi/demo', `{"Body":"${'\\n'.repeat(3 * mebibyte - 20)}"}`],
  ['members', 'POST /restapi/demo', `{${repeated((i) => `"${i}":0`, 5 * mebibyte)}}`],
  ['path', 'POST /restapi/demo', `{"Method":"GET","Path":"${'/a'.repeat(2 * mebibyte)}"}`],
];

describe('no body holds the event loop', () => {
  test.each(bodies)('%s', async (_name, target, body) => {
    const world = fakeWorld();
    await available(world);
    const [method = '', path = ''] = target.split(' ');
    await call(world, method, path, '{}');
    expect(await busiest(() => call(world, method, path, body))).toBeLessThan(longestTurn);
  });
});

const forms: readonly [string, string][] = [
  ['names', 'a&'.repeat(mebibyte / 2)],
  ['empty', 'a=&'.repeat(mebibyte / 3)],
  ['blanks', `a=${'+'.repeat(mebibyte - 2)}`],
  ['dots', '.'.repeat(mebibyte)],
];

describe('no form of somebody who is not known holds the event loop', () => {
  test.each(forms)('%s', async (_name, form) => {
    const { deps } = fakeWorld();
    const authorization =
      'AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0';
    const rawHeaders = Object.entries({ host: 'localhost', authorization }).flat();
    const request = {
      method: 'POST',
      target: '/',
      rawHeaders,
      sourceIp: '127.0.0.1',
      requestId: randomUUID(),
    };
    const sent = (body: string) => handleCall({ ...request, body: Buffer.from(body) }, deps);
    await sent('a=1');
    expect(await busiest(() => sent(form))).toBeLessThan(longestTurn);
  });
});

const statement = (Resource: unknown, more: object = {}) => ({
  Effect: 'Allow',
  Action: 's3:*',
  Resource,
  ...more,
});
const policies: readonly [string, object][] = [
  ['stars', statement(`arn:aws:s3:::${'*a'.repeat(9_000)}b`)],
  ['any characters', statement(`arn:aws:s3:::*${'a?'.repeat(500)}b*`)],
  ['many patterns', statement(Array.from({ length: 700 }, (_, i) => `arn:aws:s3:::*a?b*${i}`))],
  ['values', statement('*', { Condition: { StringLike: { 'aws:x': Array(3_000).fill('*b*') } } })],
  ['digits', statement('*', { Condition: { NumericEquals: { 'aws:x': Array(3_000).fill('1') } } })],
];

test.each(policies)('no policy holds the event loop: %s', async (_name, Statement) => {
  const world = fakeWorld();
  const asked = {
    PolicyInputList: Array(20).fill(JSON.stringify({ Version: '2012-10-17', Statement })),
    ActionNames: Array.from({ length: 100 }, (_, i) => `s3:Get${i}`),
    ResourceArns: Array.from({ length: 10 }, () => `arn:aws:s3:::${'a'.repeat(2_000)}`),
    ContextEntries: [
      {
        ContextKeyName: 'aws:x',
        ContextKeyType: 'string',
        ContextKeyValues: Array(1_000).fill('1'.repeat(100)),
      },
    ],
    MaxItems: 1_000,
  };
  expect(await busiest(() => query(world, 'SimulateCustomPolicy', asked))).toBeLessThan(longestTurn);
});

const named = (documents: number, keys: number) =>
  Array.from({ length: documents }, (_, document) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: statement('*', {
        Condition: {
          StringEquals: Object.fromEntries(
            Array.from({ length: keys }, (_, i) => [`a:${document}-${i}`, '']),
          ),
        },
      }),
    }),
  );

test.each([
  ['InvalidInput', 'SimulateCustomPolicy', named(30, 1_400)],
  ['InvalidInput', 'GetContextKeysForCustomPolicy', named(30, 1_400)],
  [undefined, 'SimulateCustomPolicy', named(4, 1_200)],
  [undefined, 'GetContextKeysForCustomPolicy', named(4, 1_200)],
])('many condition keys: %s of %s', async (expected, operation, PolicyInputList) => {
  const world = fakeWorld();
  const ActionNames = Array.from({ length: 50 }, (_, i) => `s3:Get${i}`);
  const asked = { PolicyInputList, ...(operation.startsWith('Sim') ? { ActionNames, MaxItems: 1_000 } : {}) };
  let code: string | undefined;
  const most = await busiest(async () => {
    ({ code } = await query(world, operation, asked));
  });
  expect([code, most < longestTurn]).toEqual([expected, true]);
});
