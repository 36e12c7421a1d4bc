import { expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { parseExact } from '../lib/exact-json.ts';
import { createAuditStore } from './audit.ts';
import type { Database } from './database.ts';

test('what PostgreSQL cannot keep as JSON is written so that it can', async () => {
  const kept: string[] = [];
  const query = async (_text: string, values: readonly unknown[] = []) => {
    kept.push(String(values[4]));
    return [];
  };
  const sink = createAuditStore({ query } as unknown as Database, {
    clock: systemClock,
    region: 'us-east-1',
    accountId: '123456789012',
  });
  await sink.write({
    eventName: 'InvokeRestApi',
    readOnly: false,
    principal: undefined,
    sourceIp: '127.0.0.1',
    userAgent: 'test',
    requestId: 'r',
    requestParameters: {
      'nul\0': 'a\0b',
      text: 'a\\u0000b 💨 "\n',
      half: '\ud800x',
      number: parseExact('[1e999999, 1.0, 7]'),
    },
  });
  expect(kept[0]).not.toMatch(/[^\\]\\u(0000|d8)/);
  expect(JSON.parse(kept[0] ?? '')).toMatchObject({
    requestParameters: {
      'nul\ufffd': 'a\ufffdb',
      text: 'a\\u0000b 💨 "\n',
      half: '\ufffdx',
      number: ['1e999999', '1.0', 7],
    },
  });
});
