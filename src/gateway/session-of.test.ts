import { expect, test } from 'vitest';
import type { Tokens } from '../tokens/tokens.ts';
import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';
import { sessionOf } from './session-of.ts';

test('cookies of a stranger cause three look-ups at most, and none without the form of a secret', async () => {
  const asked: string[] = [];
  const find: Tokens['sessions']['find'] = async (secret) => {
    asked.push(secret);
    return undefined;
  };
  const lookups = async (form: (i: number) => string) => {
    asked.length = 0;
    const cookies = Array.from({ length: 50 }, (_, i) => ['session', form(i)] as const);
    const request = { cookies, browser: false, headers: new Map() } as unknown as DoorRequest;
    const deps = { tokens: { sessions: { find } as Tokens['sessions'] } };
    expect(await sessionOf(deps, request, { id: 'aaaaaaaaaaaa', airflow: 2 } as DoorFacts)).toBeUndefined();
    return [...asked];
  };
  const secret = (i: number, length = 43) => `wss_${String(i).padStart(length, 'x')}`;
  expect(await lookups((i) => secret(i))).toEqual([secret(0), secret(1), secret(2)]);
  const others = [
    (i: number) => secret(i, 42),
    (i: number) => secret(i, 44),
    String,
    (i: number) => `${secret(i, 42)}.`,
  ];
  for (const form of others) expect(await lookups(form)).toEqual([]);
});
