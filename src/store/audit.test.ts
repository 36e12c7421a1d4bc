import { expect, test } from 'vitest';
import { auditKeyFrom } from '../audit/audit-key.ts';
import { systemClock } from '../lib/clock.ts';
import { parseExact } from '../lib/exact-json.ts';
import { createAuditStore } from './audit.ts';
import type { Database } from './database.ts';

test('what PostgreSQL cannot keep as JSON is written so that it can', async () => {
  const kept: string[] = [];
  const query = async (_text: string, values: readonly unknown[] = []) => {
    kept.push(String(values[2]));
    return [];
  };
  const sink = createAuditStore({ query } as unknown as Database, {
    clock: systemClock,
    region: 'us-east-1',
    accountId: '123456789012',
    key: auditKeyFrom(Buffer.alloc(32, 1)),
    trouble: () => undefined,
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

test('nothing is recorded while records cannot be sealed', async () => {
  const query = async () => {
    throw new Error('this must not be asked');
  };
  const sink = createAuditStore({ query } as unknown as Database, {
    clock: systemClock,
    region: 'us-east-1',
    accountId: '123456789012',
    key: auditKeyFrom(Buffer.alloc(32, 1)),
    trouble: () => 'the disk is full',
  });
  const entry = { eventName: 'WebLogin', readOnly: false, principal: undefined } as const;
  await expect(sink.write({ ...entry, sourceIp: '', userAgent: '', requestId: '' })).rejects.toThrow(
    'the disk is full',
  );
});
