import { expect, test } from 'vitest';
import type { AuditEntry } from './record.ts';
import { createStrangers } from './strangers.ts';

const open = () => {
  const kept: AuditEntry[] = [];
  const strangers = createStrangers({
    audit: { write: async (entry) => void kept.push(entry) },
    now: () => 0,
    failed: () => {},
  });
  return { kept, strangers };
};

test('the first twenty of an address are kept one by one, the others as a number', async () => {
  const { kept, strangers } = open();
  const admitted = Array.from({ length: 1_000 }, () => strangers.admit('10.0.0.1'));
  expect(admitted.filter(Boolean).length).toBe(20);
  expect(strangers.admit('10.0.0.2')).toBe(true);
  await strangers.close();
  expect(kept).toMatchObject([
    { eventName: 'UnidentifiedCalls', sourceIp: '10.0.0.1', requestParameters: { count: 980 } },
  ]);
});

test('addresses beyond the first thousand share one number', async () => {
  const { kept, strangers } = open();
  const admitted = Array.from({ length: 5_000 }, (_, i) => strangers.admit(`2001:db8::${i.toString(16)}`));
  expect(admitted.filter(Boolean).length).toBe(1_000 + 20);
  await strangers.close();
  expect(kept).toMatchObject([{ sourceIp: 'others', requestParameters: { count: 3_980 } }]);
});
