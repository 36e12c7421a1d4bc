// A name outside of the installation's domain, by which a private environment answers as well. Airflow is trivial here.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeCertificate } from '../harness/certificate.ts';
import { machineOf } from '../harness/environments.ts';
import { Rig } from '../harness/rig.ts';
import { makePlace, type Place, removePlace } from '../harness/server.ts';
import { statusOf, type Visit, type Visited, visit } from '../harness/visit.ts';

const domain = 'airflow.example.com';
const custom = 'pipelines.corp.example';
let place: Place;
let rig: Rig;
let cas: Readonly<Record<'own' | 'custom', string>>;

const options = (name: string, option = 'webserver.base_url') => ({
  AirflowConfigurationOptions: { [option]: name },
});

beforeAll(async () => {
  place = await makePlace();
  const own = await writeCertificate(place.folder, [`*.${domain}`]);
  mkdirSync(join(place.folder, 'other'));
  const other = await writeCertificate(join(place.folder, 'other'), [custom, 'second.corp.example']);
  cas = { own: own.pem, custom: other.pem };
  rig = await Rig.make({
    place,
    args: [
      ...['--domain', domain, '--certificate', `${own.certificate},${other.certificate}`],
      ...['--certificate-key', `${own.key},${other.key}`],
    ],
  });
  await rig.create('one', '3.3.1', options('Pipelines.Corp.example'));
  await rig.available('one');
}, 120_000);
afterAll(async () => {
  try {
    await rig?.remove();
  } finally {
    if (place) removePlace(place);
  }
}, 60_000);

const at = (servername: string, ca: 'own' | 'custom', more: Partial<Visit> = {}): Promise<Visited> =>
  visit({ address: '127.0.0.1', port: place.ports.door, servername, ca: cas[ca], ...more });
const nameOf = async (environment: string): Promise<string> =>
  (await rig.mint.webToken(environment)).WebServerHostname.replace(/:.*/, '');
const refusedHandshake = /^(ECONNRESET|EPROTO|ERR_SSL_.*)$/;
const baseUrl = async (): Promise<string | undefined> => {
  const { home } = await machineOf(place, 'one');
  const written = readFileSync(join(home, '..', 'config', 'airflow.cfg'), 'utf8');
  return /base_url = (.+)/.exec(written)?.[1];
};

test('it answers by both names, each with its certificate; Airflow’s links lead to the custom one', async () => {
  const own = await nameOf('one');
  expect(own).toMatch(/-vpce\.airflow\.example\.com$/);
  expect([statusOf(await at(custom, 'custom')), statusOf(await at(own, 'own'))]).toEqual([401, 401]);
  expect(statusOf(await at('second.corp.example', 'custom'))).toMatch(refusedHandshake);
  const pinned = { headers: { 'strict-transport-security': 'max-age=31536000' } };
  expect(await at(own, 'own')).toMatchObject(pinned);
  expect(await at(custom, 'custom')).not.toMatchObject(pinned);
  expect(await baseUrl()).toBe(`https://${custom}:${place.ports.door}`);
});

test('UI, REST API and CLI work there; a session of one name and a request of the other do not mix up', async () => {
  const { WebToken } = await rig.mint.webToken('one');
  const browser = { 'sec-fetch-site': 'same-origin', origin: `https://${custom}:${place.ports.door}` };
  const form = { 'content-type': 'application/x-www-form-urlencoded', ...browser };
  const login = {
    path: '/pluginsv2/aws_mwaa/login',
    method: 'POST',
    body: `token=${WebToken}`,
    headers: form,
  };
  const entered = await at(custom, 'custom', login);
  const cookie = 'cookies' in entered ? (entered.cookies[0]?.split(';')[0] ?? '') : '';
  expect(cookie).toMatch(/^__Host-Http-windsock-/);
  const asked = { path: '/api/v2/dags', headers: { cookie, ...browser } };
  expect(statusOf(await at(custom, 'custom', asked))).toBe(200);
  const foreign = { ...asked, method: 'POST', body: '{}' };
  expect(statusOf(await at(await nameOf('one'), 'own', foreign))).toBe(403);
  const { CliToken } = await rig.mint.cliToken('one');
  const headers = { authorization: `Bearer ${CliToken}`, 'content-type': 'text/plain' };
  const ran = await at(custom, 'custom', { path: '/aws_mwaa/cli', method: 'POST', body: 'version', headers });
  expect(ran).toMatchObject({ status: 200, text: expect.stringContaining('stdout') });
});

test.each([
  ['https://pipelines.corp.example', {}, /must be a full name of at most 255 characters without protocol/],
  ['pipelines.corp.example/home', {}, /must be a full name/],
  ['second.corp.example', { WebserverAccessMode: 'PUBLIC_ONLY' }, /with WebserverAccessMode PRIVATE_ONLY/],
  ['PIPELINES.corp.example', {}, /Another environment answers by pipelines\.corp\.example/],
  ['elsewhere.example', {}, /No certificate of this installation is for elsewhere\.example/],
  [`x.${domain}`, {}, /is in the domain of this installation/],
])('%s for another environment is refused', async (name, more, words) => {
  await expect(rig.create('two', '3.3.1', { ...options(name), ...more })).rejects.toThrow(words);
  expect(await rig.api.find('two')).toBeUndefined();
});

test('of two that ask for one name at once, one gets it', async () => {
  const asked = await Promise.allSettled(
    ['two', 'three', 'four'].map((name) =>
      rig.create(name, '3.3.1', options('second.corp.example', 'api.base_url')),
    ),
  );
  expect(asked.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
});

test('public access ends it first; another name, and none, take effect at once', async () => {
  await expect(rig.api.update('one', { WebserverAccessMode: 'PUBLIC_ONLY' })).rejects.toThrow(/PRIVATE_ONLY/);
  await rig.api.update('one', { AirflowConfigurationOptions: {} });
  await rig.becomes('one', 'AVAILABLE');
  expect(statusOf(await at(custom, 'custom'))).toMatch(refusedHandshake);
  expect(await baseUrl()).toBe(`https://${await nameOf('one')}:${place.ports.door}`);
  await rig.api.update('one', options(custom));
  await rig.becomes('one', 'AVAILABLE');
  expect(statusOf(await at(custom, 'custom'))).toBe(401);
}, 120_000);

test('it is the same after a restart', async () => {
  await rig.stop();
  await rig.start();
  await rig.available('one');
  await rig.wait('the name', 60, async () => statusOf(await at(custom, 'custom')) === 401);
}, 120_000);
