import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { doorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';
import { nextPage } from './next-page.ts';
import { readTarget } from './target.ts';
import { recordOf } from './test-door.ts';

const payloads = readFileSync(new URL('../../test/conformance/openredirects.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '');

const doorOf = (version: string) =>
  doorFacts({
    record: recordOf('a', 'a', version),
    ...{ hostname: 'localhost:7443', hostnames: () => [], way: 'both', isOwnName: false },
  });
const doors = { 2: doorOf('2.7.2'), 3: doorOf('3.3.1') };

const next = (airflow: 2 | 3, raw: string, method = 'GET') => {
  const target = readTarget(raw);
  if ('refused' in target) throw new Error(target.refused);
  return nextPage({ method, target } as DoorRequest, doors[airflow]);
};
const login = { 2: '/login/', 3: '/api/v2/auth/login' } as const;

describe('the page to go on to after a login', () => {
  it.each([
    [2, '/dags/a/grid?tab=code', '/dags/a/grid?tab=code'],
    [3, '/dags/a/runs/b%2Bc', '/dags/a/runs/b%2Bc'],
    [2, '/login/?next=https%3A%2F%2Flocalhost%3A7443%2Fdags%2Fa%2Fgrid%3Fx%3D1', '/dags/a/grid?x=1'],
    [3, '/api/v2/auth/login?next=https://localhost:7443/dags/a', '/dags/a'],
    [3, '/auth/login?next=/dags/a', '/dags/a'],
    [3, '/dags/a/trigger', '/dags/a/trigger'],
  ] as const)('Airflow %i, %s: %s', (airflow, raw, expected) => expect(next(airflow, raw)).toBe(expected));

  it.each([
    [2, '/dags/a/trigger'],
    [2, '/trigger?dag_id=a'],
    [2, '/parseDagFile/x'],
    [2, '/login/?next=/dags/a/trigger'],
    [2, '/login/'],
    [2, '/login/?next=/login/'],
    [2, '/logout/'],
    [3, '/api/v2/auth/login?next=https://localhost:7443@evil.example/'],
    [3, '/api/v2/auth/login?next=https://localhost:74430/'],
    [3, '/api/v2/auth/login?next=/aws_mwaa/sign-out'],
    [3, '/api/v2/auth/login?next=/execution/x'],
    [3, '/aws_mwaa/sign-out'],
    [3, `/dags/${'a'.repeat(2_000)}`],
  ] as const)('Airflow %i, %s: none', (airflow, raw) => expect(next(airflow, raw)).toBeUndefined());

  it('is none for what is no GET', () => expect(next(3, '/dags/a', 'POST')).toBeUndefined());

  it('leads nowhere else, whatever the address says', () => {
    for (const airflow of [2, 3] as const)
      for (const payload of payloads)
        for (const text of [payload, encodeURIComponent(payload)]) {
          const asked = readTarget(`${login[airflow]}?next=${text}`);
          if ('refused' in asked) continue;
          const found = next(airflow, asked.raw) ?? '/';
          expect(found, payload).toMatch(/^\/(?![/\\])/);
          expect(new URL(found, doors[airflow].origin).origin, payload).toBe(doors[airflow].origin);
        }
  });
});
