// Private and public web servers: which socket lets people in to which environment. Airflow is trivial here.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditEvents } from '../harness/audit.ts';
import { writeCertificate } from '../harness/certificate.ts';
import type { WebToken } from '../harness/mwaa.ts';
import { canMakeNetworks, OtherHost } from '../harness/networks.ts';
import { Rig } from '../harness/rig.ts';
import { launch, makePlace, type Place, removePlace } from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { statusOf, type Visit, type Visited, visit } from '../harness/visit.ts';

const mode = (WebserverAccessMode: string) => ({ WebserverAccessMode });
const login = (token: Pick<WebToken, 'WebToken'>): Pick<Visit, 'path' | 'method' | 'headers' | 'body'> => ({
  ...{ path: '/pluginsv2/aws_mwaa/login', method: 'POST' },
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams({ token: token.WebToken }).toString(),
});
const cookieOf = (visited: Visited): string =>
  'cookies' in visited ? (/_token=([^;]+)/.exec(visited.cookies.join())?.[1] ?? '') : '';

describe('a port each: private at 127.0.0.1, public at ::1', () => {
  let rig: Rig;
  let hostname: string;
  beforeAll(async () => {
    rig = await Rig.make({ args: ['--private-address', '127.0.0.1', '--public-address', '::1'] });
    await rig.create('one', '3.3.1');
    await rig.available('one');
    hostname = (await rig.mint.webToken('one')).WebServerHostname;
  }, 120_000);
  afterAll(() => rig?.remove(), 60_000);

  const at = (address: string, more: Partial<Visit> = {}): Promise<Visited> =>
    visit({
      ...{ address, port: Number(hostname.split(':')[1]), servername: 'localhost', host: hostname },
      ca: readFileSync(join(rig.place.data, 'ca.pem'), 'utf8'),
      ...more,
    });
  const reached = async () => [statusOf(await at('127.0.0.1')), statusOf(await at('::1'))];
  const become = async (wanted: string) => {
    await rig.api.update('one', mode(wanted));
    await rig.becomes('one', 'AVAILABLE');
  };
  const enter = async (address: string) => {
    const cookie = cookieOf(await at(address, login(await rig.mint.webToken('one'))));
    expect(cookie).toMatch(/^wss_/);
    return { authorization: `Bearer ${cookie}` };
  };

  test('PRIVATE_ONLY is what an environment is that asked for nothing', async () => {
    expect(await reached()).toEqual([401, 'ECONNREFUSED']);
  });

  test('PUBLIC_AND_PRIVATE lets in both ways; then PUBLIC_ONLY ends who came by the private one, and the reverse', async () => {
    await become('PUBLIC_AND_PRIVATE');
    expect(await reached()).toEqual([401, 401]);
    const [inside, outside] = [await enter('127.0.0.1'), await enter('::1')];
    const path = '/api/v2/dags';
    expect(statusOf(await at('::1', { path, headers: inside }))).toBe(200);
    await become('PUBLIC_ONLY');
    expect(await reached()).toEqual(['ECONNREFUSED', 401]);
    expect(statusOf(await at('::1', { path, headers: inside }))).toBe(401);
    expect(statusOf(await at('::1', { path, headers: outside }))).toBe(200);
    await become('PRIVATE_ONLY');
    expect(await reached()).toEqual([401, 'ECONNREFUSED']);
    expect(statusOf(await at('127.0.0.1', { path, headers: outside }))).toBe(401);
    const ended = (await auditEvents(rig.place)).filter((e) => e.eventName === 'WebSessionsEnded');
    expect(ended.map((e) => e.responseElements)).toEqual([
      { reason: 'way-closed', way: 'private', count: 1 },
      { reason: 'way-closed', way: 'public', count: 1 },
    ]);
  }, 120_000);

  test('a header says nothing about the way', async () => {
    const headers = { 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1', host: hostname };
    expect(statusOf(await at('::1', { headers }))).toBe('ECONNREFUSED');
  });

  test('it is the same after a restart', async () => {
    await become('PUBLIC_ONLY');
    await rig.stop();
    await rig.start();
    await until('the door is open', 60, async () => (await reached())[1] === 401);
    expect(await reached()).toEqual(['ECONNREFUSED', 401]);
  }, 120_000);
});

describe('settings that cannot work are refused at the start', () => {
  test.each([
    [['--private-address', '10.0.0.1'], /To listen at 10\.0\.0\.1, environments need names: give --domain/],
    [['--public-address', '0.0.0.0'], /To listen at 0\.0\.0\.0/],
    [['--private-address', 'eth0'], /must be IP addresses/],
    [['--domain', 'a.example'], /--domain a\.example needs a certificate for \*\.a\.example/],
    [['--domain', 'nonsense'], /must be a domain such as/],
    [
      ['--domain', 'a.example', '--certificate', '/no/such', '--certificate-key', '/no/such'],
      /\/no\/such cannot be read \(ENOENT\)/,
    ],
  ])('%j', async (args, words) => {
    const place = await makePlace();
    const failed = launch({ place, args: ['--no-demo', ...args] });
    expect(await failed.end(60)).not.toBe(0);
    expect(failed.output).toMatch(words);
    expect(failed.output).not.toMatch(/\n\s+at .*:\d+/);
    removePlace(place);
  });
});

describe.skipIf(!canMakeNetworks())('by name, with a host in a VPN and one outside', () => {
  const domain = 'airflow.example.com';
  let place: Place;
  let rig: Rig;
  let vpn: OtherHost;
  let outside: OtherHost;
  let ca: string;
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    const net = 1 + (process.pid % 120);
    vpn = new OtherHost('vpn', net);
    outside = new OtherHost('out', net + 120);
    place = await makePlace();
    const files = await writeCertificate(place.folder, [`*.${domain}`]);
    ca = files.pem;
    rig = await Rig.make({
      place,
      args: [
        ...['--domain', domain, '--certificate', files.certificate, '--certificate-key', files.key],
        ...['--private-address', `${vpn.ours},127.0.0.1`, '--public-address', outside.ours],
      ],
    });
    const modes = { secret: 'PRIVATE_ONLY', open: 'PUBLIC_ONLY', both: 'PUBLIC_AND_PRIVATE' };
    for (const [name, wanted] of Object.entries(modes)) await rig.create(name, '3.3.1', mode(wanted));
    for (const name of Object.keys(modes)) {
      const { WebserverUrl } = (await rig.available(name)) as unknown as { WebserverUrl: string };
      ids[name] = WebserverUrl.split(/[.-]/)[0] ?? '';
    }
  }, 180_000);
  afterAll(async () => {
    try {
      await rig?.remove();
    } finally {
      vpn?.remove();
      outside?.remove();
      if (place) removePlace(place);
    }
  }, 60_000);

  const port = () => place.ports.door;
  const nameOf = (name: string, kind: 'private' | 'public') =>
    `${ids[name]}${kind === 'private' ? '-vpce' : ''}.${domain}`;
  const from = (host: OtherHost, servername: string, more: Partial<Visit> = {}) =>
    host.visit({ address: host.ours, port: port(), servername, ca, ...more });
  const refusedHandshake = /^(ECONNRESET|EPROTO|ERR_SSL_.*)$/;

  test('addresses are by name; a private one says so', async () => {
    const url = async (name: string) => (await rig.api.find(name)) as unknown as { WebserverUrl: string };
    expect((await url('secret')).WebserverUrl).toBe(`${ids['secret']}-vpce.${domain}:${port()}`);
    expect((await url('open')).WebserverUrl).toBe(`${ids['open']}.${domain}:${port()}`);
    expect((await url('both')).WebserverUrl).toBe(`${ids['both']}.${domain}:${port()}`);
  });

  test('a host in the VPN reaches what is private, a host outside what is public', () => {
    const reach = (host: OtherHost, kind: 'private' | 'public') =>
      ['secret', 'open', 'both'].map((name) => statusOf(from(host, nameOf(name, kind))));
    const refused = expect.stringMatching(refusedHandshake);
    expect(reach(vpn, 'private')).toEqual([401, refused, 401]);
    expect(reach(vpn, 'public')).toEqual([refused, refused, refused]);
    expect(reach(outside, 'public')).toEqual([refused, 401, 401]);
    expect(reach(outside, 'private')).toEqual([refused, refused, refused]);
  });

  test('from outside there is no way to the address of the VPN', () => {
    const visited = outside.visit({
      address: vpn.ours,
      port: port(),
      servername: nameOf('secret', 'private'),
      ca,
    });
    expect(statusOf(visited)).toMatch(/^(ENETUNREACH|EHOSTUNREACH|TIMEOUT)$/);
  });

  test('the handshake and the Host header must name the same environment', () => {
    const servername = nameOf('both', 'private');
    for (const host of [
      nameOf('secret', 'private'),
      nameOf('both', 'public'),
      'localhost',
      `${servername}:1`,
      servername,
    ])
      expect(
        statusOf(
          from(vpn, servername, {
            host: host.includes(':') ? host : `${host}:${host === servername ? 443 : port()}`,
          }),
        ),
        host,
      ).toBe(421);
    expect(statusOf(from(vpn, 'nobody.airflow.example.com'))).toMatch(refusedHandshake);
    expect(statusOf(from(vpn, 'localhost'))).toMatch(refusedHandshake);
  });

  test('a session is for its environment; another one in the same domain cannot use it', async () => {
    const token = await rig.mint.webToken('both');
    expect(token.WebServerHostname).toBe(`${nameOf('both', 'public')}:${port()}`);
    const entered = from(outside, nameOf('both', 'public'), login(token));
    const headers = { authorization: `Bearer ${cookieOf(entered)}` };
    const path = '/api/v2/dags';
    expect(statusOf(from(outside, nameOf('both', 'public'), { path, headers }))).toBe(200);
    expect(statusOf(from(vpn, nameOf('both', 'private'), { path, headers }))).toBe(200);
    expect(statusOf(from(outside, nameOf('open', 'public'), { path, headers }))).toBe(401);
  });

  test('a change takes effect at once, with the name', async () => {
    const entered = from(outside, nameOf('open', 'public'), login(await rig.mint.webToken('open')));
    const headers = { authorization: `Bearer ${cookieOf(entered)}` };
    await rig.api.update('open', mode('PRIVATE_ONLY'));
    const changed = (await rig.becomes('open', 'AVAILABLE')) as unknown as { WebserverUrl: string };
    expect(changed.WebserverUrl).toBe(`${nameOf('open', 'private')}:${port()}`);
    expect(statusOf(from(outside, nameOf('open', 'public'), { headers }))).toMatch(refusedHandshake);
    expect(statusOf(from(vpn, nameOf('open', 'private'), { path: '/api/v2/dags', headers }))).toBe(401);
    const again = from(vpn, nameOf('open', 'private'), login(await rig.mint.webToken('open')));
    expect(cookieOf(again)).toMatch(/^wss_/);
  }, 120_000);

  test('who came by a way that is closed is out, also where the name stays the same', async () => {
    const enter = async (host: OtherHost, kind: 'private' | 'public') => ({
      authorization: `Bearer ${cookieOf(from(host, nameOf('both', kind), login(await rig.mint.webToken('both'))))}`,
    });
    const [inside, beyond] = [await enter(vpn, 'private'), await enter(outside, 'public')];
    const statusFor = (headers: Record<string, string>) =>
      statusOf(from(outside, nameOf('both', 'public'), { path: '/api/v2/dags', headers }));
    expect([statusFor(inside), statusFor(beyond)]).toEqual([200, 200]);
    await rig.api.update('both', mode('PUBLIC_ONLY'));
    await rig.becomes('both', 'AVAILABLE');
    expect([statusFor(inside), statusFor(beyond)]).toEqual([401, 200]);
    await rig.api.update('both', mode('PUBLIC_AND_PRIVATE'));
    await rig.becomes('both', 'AVAILABLE');
    expect(statusOf(from(vpn, nameOf('both', 'private'), { path: '/api/v2/dags', headers: inside }))).toBe(
      401,
    );
  }, 120_000);

  test('a new certificate counts without a restart; a pair that does not fit is told and changes nothing', async () => {
    const before = ca;
    rmSync(join(place.folder, 'domain.key'));
    await until('it is told', 30, () =>
      readFileSync(join(place.data, 'logs', 'windsock.log'), 'utf8').includes('certificate not renewed'),
    );
    expect(statusOf(from(vpn, nameOf('both', 'private')))).toBe(401);
    ca = (await writeCertificate(place.folder, [`*.${domain}`])).pem;
    await until('the new one is served', 30, () => statusOf(from(vpn, nameOf('both', 'private'))) === 401);
    expect(statusOf(from(vpn, nameOf('both', 'private'), { ca: before }))).toMatch(
      /SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_VERIFY|CERT/,
    );
  }, 120_000);
});
