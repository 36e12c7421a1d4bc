import { expect, test } from 'vitest';
import { createAuditReader } from './audit-reader.ts';
import type { Database } from './database.ts';

const nothing = { from: undefined, to: undefined, where: undefined, before: undefined };

test.each([nothing, { ...nothing, where: { by: 'EventName', value: 'PutObject' } as const }])(
  'data events are never looked up: %j',
  async (asked) => {
    const statements: string[] = [];
    const query = async (text: string) => {
      statements.push(text);
      return [];
    };
    await createAuditReader({ query } as unknown as Database).find({ ...asked, most: 1, mostText: 1 });
    expect(statements.join()).toContain(`where event ->> 'eventCategory' is distinct from 'Data'`);
  },
);
