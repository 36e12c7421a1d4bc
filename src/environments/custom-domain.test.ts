import { expect, it } from 'vitest';
import { customDomainOf, customDomainsGiven, customDomainsHeld, publicUrlOf } from './custom-domain.ts';
import type { EnvironmentRecord } from './record.ts';

const spec = (options: Readonly<Record<string, unknown>>) =>
  ({ AirflowConfigurationOptions: options }) as unknown as EnvironmentRecord['spec'];

it('a custom domain is a full name, without protocol, port and path, in whatever case', () => {
  expect(customDomainOf(spec({ 'webserver.base_url': 'Airflow.Corp.example' }))).toBe('airflow.corp.example');
  expect(customDomainOf(spec({ 'api.base_url': 'a.b' }))).toBe('a.b');
  const bad = [
    'https://a.example',
    'a.example/x',
    'a.example:1',
    'localhost',
    'a..b',
    '-a.b',
    'a.1',
    '',
    'ä.de',
  ];
  for (const text of [...bad, `${'a'.repeat(64)}.b`, `${'a.'.repeat(130)}bc`])
    expect(customDomainOf(spec({ 'webserver.base_url': text })), text).toBeUndefined();
  expect(customDomainOf(spec({}))).toBeUndefined();
});

it('two options that differ name none', () => {
  const both = spec({ 'webserver.base_url': 'a.example', 'api.base_url': 'b.example' });
  expect(customDomainsGiven(both)).toEqual(['a.example', 'b.example']);
  expect(customDomainOf(both)).toBeUndefined();
  expect(customDomainOf(spec({ 'webserver.base_url': 'a.b', 'api.base_url': 'a.b' }))).toBe('a.b');
});

it('while an update goes on, the names of before and after are held', () => {
  const [before, after] = ['a.example', 'b.example'].map((name) => spec({ 'webserver.base_url': name }));
  const update = { wanted: after, previous: before, strategy: 'FORCED' };
  const record = { spec: after, update } as unknown as EnvironmentRecord;
  expect(customDomainsHeld(record)).toEqual(['b.example', 'b.example', 'a.example']);
});

it('links of Airflow lead to it, at the port of the own name', () => {
  const record = { spec: spec({ 'webserver.base_url': 'a.example' }), webserverHostname: 'x-vpce.d.e:7443' };
  expect(publicUrlOf(record as unknown as EnvironmentRecord)).toBe('https://a.example:7443');
  const plain = { spec: spec({}), webserverHostname: 'x-vpce.d.e' };
  expect(publicUrlOf(plain as unknown as EnvironmentRecord)).toBe('https://x-vpce.d.e');
});
