// Who stands in front of the doors: load balancers that pass TLS through with the PROXY protocol, and reverse proxies that
// end it and say in a header for whom they ask. Airflow is trivial here.
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditEvents } from '../harness/audit.ts';
import { writeCertificate } from '../harness/certificate.ts';
import { Rig } from '../harness/rig.ts';
import { launch, makePlace, type Place, removePlace } from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { ask, openTls, statusOf, type Visit, type Visited, visit } from '../harness/visit.ts';

const domain = 'airflow.example.com';
/** The address of the proxy; whoever comes from 127.0.0.1 is none. */
const proxy = '127.0.0.9';

/** A server whose environments have names, with a proxy in front. */
class Fronted {
  readonly place: Place;
  readonly rig: Rig;
  readonly #ca: string;

  private constructor(place: Place, rig: Rig, ca: string) {
    this.place = place;
    this.rig = rig;
    this.#ca = ca;
  }

  static async make(...more: readonly string[]): Promise<Fronted> {
    const place = await makePlace();
    const { certificate, key, pem } = await writeCertificate(place.folder, [`*.${domain}`]);
    const named = ['--domain', domain, '--certificate', certificate, '--certificate-key', key];
    const rig = await Rig.make({
      place,
      args: [...named, '--proxy-address', `${proxy},10.9.0.0/16`, ...more],
    });
    return new Fronted(place, rig, pem);
  }

  /** The name of an environment, once it is there. */
  async name(environment: string, more: object = {}): Promise<string> {
    await this.rig.create(environment, '3.3.1', more);
    await this.rig.available(environment);
    return (await this.rig.mint.webToken(environment)).WebServerHostname;
  }

  async remove(): Promise<void> {
    try {
      await this.rig.remove();
    } finally {
      removePlace(this.place);
    }
  }

  at(hostname: string, more: Partial<Visit> = {}): Visit {
    const servername = hostname.replace(/:.*/, '');
    const where = { address: '127.0.0.1', port: this.place.ports.door, servername, host: hostname };
    return { ...where, ca: this.#ca, ...more };
  }

  async #signIn(environment: string, more: Partial<Visit>): Promise<Visited> {
    const { WebToken, WebServerHostname } = await this.rig.mint.webToken(environment);
    const headers = { 'content-type': 'application/x-www-form-urlencoded', ...more.headers };
    const form = { path: '/pluginsv2/aws_mwaa/login', method: 'POST', body: `token=${WebToken}` };
    return visit(this.at(WebServerHostname, { ...form, ...more, headers }));
  }

  /** Signs in as a script. */
  async session(environment: string, more: Partial<Visit>): Promise<Pick<Visit, 'headers'>> {
    const visited = await this.#signIn(environment, more);
    const [, secret] = /_token=([^;]+)/.exec('cookies' in visited ? visited.cookies.join() : '') ?? [];
    return { headers: { authorization: `Bearer ${secret}` } };
  }

  /** Signs in, and gives the address that the record says it was from. */
  async signedInFrom(environment: string, more: Partial<Visit>): Promise<string | number> {
    const visited = await this.#signIn(environment, more);
    if (statusOf(visited) !== 200 && statusOf(visited) !== 303) return statusOf(visited);
    const events = await auditEvents(this.place);
    return events.filter((e) => e.eventName === 'WebLogin').at(-1)?.sourceIPAddress ?? 'no record';
  }
}

const base64 = (bytes: string | Buffer): string => Buffer.from(bytes).toString('base64');
const line = (client: string): string => `PROXY TCP4 ${client} 10.0.0.1 40000 443\r\n`;
const signature = '\r\n\r\n\0\r\nQUIT\n';
const binary = (client: readonly number[]): Buffer =>
  Buffer.concat([
    Buffer.from(signature),
    Buffer.from([0x21, 0x11, 0, 12, ...client, 10, 0, 0, 1, 9, 9, 1, 187]),
  ]);

describe('PROXY protocol', () => {
  let fronted: Fronted;
  let hostname: string;
  beforeAll(async () => {
    const limit = ['--connections-per-address', '10'];
    fronted = await Fronted.make('--proxy-tells', 'proxy-protocol', '--external-port', '443', ...limit);
    hostname = await fronted.name('one');
  }, 120_000);
  afterAll(() => fronted?.remove(), 60_000);

  const by = (...preface: readonly (string | Buffer)[]): Partial<Visit> => ({
    localAddress: proxy,
    preface: preface.map(base64),
  });

  test('the address of the environment is that of the proxy’s port', () =>
    expect(hostname).toMatch(/^[a-z0-9]+-vpce\.airflow\.example\.com$/));

  test('Airflow is told the address that people use, and who they are', async () => {
    const session = await fronted.session('one', by(line('192.0.2.4')));
    const told = await visit(
      fronted.at(hostname, { ...by(line('192.0.2.4')), path: '/api/v2/head', ...session }),
    );
    const lines = 'text' in told ? (JSON.parse(told.text) as string[]).map((l) => l.toLowerCase()) : [];
    for (const header of [
      `host: ${hostname}`,
      `x-forwarded-host: ${hostname}`,
      ...['x-forwarded-port: 443', 'x-forwarded-proto: https', 'x-forwarded-for: 192.0.2.4'],
    ])
      expect(lines).toContain(header);
  });

  test('a target in absolute form names the port that people use, with or without saying it', async () => {
    const reach = async (target: string, host = hostname) =>
      statusOf(await visit(fronted.at(hostname, { ...by(line('192.0.2.4')), path: target, host })));
    expect(await reach(`https://${hostname}/home`)).toBe(401);
    expect(await reach(`https://${hostname}:443/home`)).toBe(401);
    expect(await reach(`https://${hostname}/home`, `${hostname}:443`)).toBe(401);
    expect(await reach(`https://${hostname}:${fronted.place.ports.door}/home`)).toBe(421);
    expect(await reach(`https://evil.example/home`)).toBe(421);
    expect(await reach(`http://${hostname}/home`)).toBe(421);
  });

  test('of the proxy, the client is who it says: version 1, version 2, and in pieces', async () => {
    expect(await fronted.signedInFrom('one', by(line('192.0.2.1')))).toBe('192.0.2.1');
    expect(await fronted.signedInFrom('one', by(binary([192, 0, 2, 2])))).toBe('192.0.2.2');
    const whole = line('192.0.2.3');
    expect(await fronted.signedInFrom('one', by(whole.slice(0, 9), whole.slice(9)))).toBe('192.0.2.3');
  });

  test('when it speaks for itself, it is the client', async () => {
    expect(await fronted.signedInFrom('one', by('PROXY UNKNOWN\r\n'))).toBe(proxy);
    const local = Buffer.concat([Buffer.from(signature), Buffer.from([0x20, 0, 0, 0])]);
    expect(await fronted.signedInFrom('one', by(local))).toBe(proxy);
  });

  test('without the header, or with a malformed one, it is cut', async () => {
    for (const more of [{ localAddress: proxy }, by('PROXY TCP4 nobody 10.0.0.1 1 2\r\n')])
      expect(statusOf(await visit(fronted.at(hostname, more)))).toMatch(
        /^(ECONNRESET|EPIPE|.*disconnected.*)$/,
      );
  });

  test('nobody else is believed, neither by the protocol nor by a header', async () => {
    const liar = await visit(fronted.at(hostname, { preface: [base64(line('192.0.2.1'))] }));
    expect(statusOf(liar)).not.toBe(401);
    const headers = { forwarded: 'for=192.0.2.1', 'x-forwarded-for': '192.0.2.1', 'x-real-ip': '192.0.2.1' };
    expect(await fronted.signedInFrom('one', { headers })).toBe('127.0.0.1');
    expect(await fronted.signedInFrom('one', { ...by(line('192.0.2.9')), headers })).toBe('192.0.2.9');
  });

  test('connections at work are bounded for each client by itself, with a plain answer', async () => {
    const from = by(line('198.51.100.3'));
    const crowd = fronted.at(hostname, from);
    const { headers } = await fronted.session('one', from);
    const fields = Object.entries({ host: hostname, ...headers }).map(([name, value]) => `${name}: ${value}`);
    const slow = ['GET /api/v2/slow HTTP/1.1', ...fields, '', ''].join('\r\n');
    const open: TLSSocket[] = [];
    const work = async () => {
      const socket = await openTls(crowd);
      open.push(socket.on('error', () => {}));
      socket.write(slow);
    };
    try {
      for (let i = 0; i < 10; i += 1) await work();
      // one whose request has not begun yet still makes room: another takes its place
      await until('a refusal', 20, async () => statusOf(await visit(crowd)) === 429 || void (await work()));
      expect(await visit(crowd)).toMatchObject({
        status: 429,
        text: /Too many connections from your address/ as never,
      });
      expect(statusOf(await visit(fronted.at(hostname, by(line('198.51.100.4')))))).toBe(401);
      for (const socket of open) socket.destroy();
      await until('room', 10, async () => statusOf(await visit(crowd)) === 401);
    } finally {
      for (const socket of open) socket.destroy();
    }
  });

  test('connections are bounded for each client by itself: those at rest make room', async () => {
    const crowd = fronted.at(hostname, by(line('198.51.100.1')));
    const open = await Promise.all(Array.from({ length: 10 }, () => openTls(crowd)));
    const made = Promise.race(open.map((socket) => once(socket, 'close')));
    try {
      expect(statusOf(await visit(fronted.at(hostname, by(line('198.51.100.2')))))).toBe(401);
      expect(open.filter((socket) => socket.destroyed)).toEqual([]);
      expect(statusOf(await visit(crowd))).toBe(401);
      await made;
    } finally {
      for (const socket of open) socket.destroy();
    }
  });
});

describe('a reverse proxy that ends TLS', () => {
  let fronted: Fronted;
  let [one, two, open] = ['', '', ''];
  beforeAll(async () => {
    fronted = await Fronted.make('--proxy-tells', 'forwarded', '--public-address', '127.0.0.3');
    one = await fronted.name('one');
    two = await fronted.name('two', {
      AirflowConfigurationOptions: { 'webserver.base_url': 'Pipelines.corp.example' },
    });
    open = await fronted.name('open', { WebserverAccessMode: 'PUBLIC_ONLY' });
  }, 180_000);
  afterAll(() => fronted?.remove(), 60_000);

  const by = (forwarded: string | undefined, more: Partial<Visit> = {}): Partial<Visit> => ({
    ...{ localAddress: proxy, servername: '' },
    headers: forwarded === undefined ? {} : { forwarded },
    ...more,
  });

  test('of the proxy, the client is who its header says, right of what the client wrote itself', async () => {
    expect(await fronted.signedInFrom('one', by('for=192.0.2.1;proto=https'))).toBe('192.0.2.1');
    const chain = 'for=127.0.0.1, for="[2001:db8::5]:4711", for=10.9.1.1';
    expect(await fronted.signedInFrom('one', by(chain))).toBe('2001:db8::5');
    expect(await fronted.signedInFrom('one', by('for=192.0.2.1, for=unknown'))).toBe(proxy);
    expect(await fronted.signedInFrom('one', by(undefined))).toBe(proxy);
    expect(await fronted.signedInFrom('one', by('for=nonsense'))).toBe(400);
  });

  test('nobody else is believed, and no other header', async () => {
    expect(await fronted.signedInFrom('one', { headers: { forwarded: 'for=192.0.2.1' } })).toBe('127.0.0.1');
    const other = by(undefined, { headers: { 'x-forwarded-for': '192.0.2.1' } });
    expect(await fronted.signedInFrom('one', other)).toBe(proxy);
  });

  test('a connection without a name in the handshake is for all environments; of others it is for none', async () => {
    const kept = by('for=192.0.2.1', { headers: { connection: 'keep-alive' } });
    const connection = await openTls(fronted.at(one, kept));
    try {
      for (const hostname of [one, two, one])
        expect(await ask(fronted.at(hostname, kept), connection)).toMatchObject({ status: 401 });
      expect(statusOf(await ask(fronted.at(`nobody.${domain}`, kept), connection))).toBe(421);
    } finally {
      connection.destroy();
    }
    expect(statusOf(await visit(fronted.at(one, { servername: '' })))).toBe(421);
  });

  test('when the proxy names one in the handshake, its requests must agree', async () => {
    const servername = one.replace(/:.*/, '');
    expect(statusOf(await visit(fronted.at(one, by('for=192.0.2.1', { servername }))))).toBe(401);
    expect(statusOf(await visit(fronted.at(two, by('for=192.0.2.1', { servername }))))).toBe(421);
  });

  test('what is private and what is public is said by the listener that the proxy uses, not by the proxy', async () => {
    const reach = async (address: string, hostname: string) =>
      statusOf(await visit(fronted.at(hostname, by('for=127.0.0.1', { address }))));
    expect(await reach('127.0.0.1', one)).toBe(401);
    expect(await reach('127.0.0.1', open)).toBe(421);
    expect(await reach('127.0.0.3', one)).toBe(421);
    expect(await reach('127.0.0.3', open)).toBe(401);
  });

  test('a custom domain, whose certificate the proxy has', async () => {
    const custom = `pipelines.corp.example:${fronted.place.ports.door}`;
    const certified = `x.${domain}`;
    expect(statusOf(await visit(fronted.at(custom, by('for=192.0.2.1', { certified }))))).toBe(401);
    const elsewhere = by('for=192.0.2.1', { certified, address: '127.0.0.3' });
    expect(statusOf(await visit(fronted.at(custom, elsewhere)))).toBe(421);
  });
});

describe('settings that do not fit are refused at the start', () => {
  test.each([
    [['--proxy-address', '10.0.0.1'], /--proxy-address and --proxy-tells belong together/],
    [['--proxy-tells', 'forwarded'], /--proxy-address and --proxy-tells belong together/],
    [
      ['--proxy-address', '10.0.0.1', '--proxy-tells', 'x-real-ip'],
      /must be proxy-protocol, forwarded or x-/,
    ],
    [['--proxy-address', '0.0.0.0/0', '--proxy-tells', 'forwarded'], /must be IP addresses or networks/],
    [['--proxy-address', 'lb.example', '--proxy-tells', 'forwarded'], /must be IP addresses or networks/],
    [['--external-port', '443'], /--external-port is for a --domain/],
  ])('%j', async (args, words) => {
    const place = await makePlace();
    const failed = launch({ place, args: ['--no-demo', ...args] });
    expect(await failed.end(60)).not.toBe(0);
    expect(failed.output).toMatch(words);
    removePlace(place);
  });
});
