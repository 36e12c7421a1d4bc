// Packages that have sources only, and wheels at addresses of their own, on real Airflow: what comes of them, and what
// the code that builds them can reach.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Api } from '../harness/api.ts';
import { putDag } from '../harness/dags.ts';
import { type Machine, machineOf } from '../harness/environments.ts';
import { everyCommand } from '../harness/processes.ts';
import { putPlugins, putRequirements, s3Client } from '../harness/s3.ts';
import {
  type BuildFound,
  brokenSource,
  leftBehind,
  sourceName,
  sourcePackage,
} from '../harness/source-package.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';
import { wheel, wheelName, zipOf } from '../harness/wheels.ts';

const isRoot = process.geteuid?.() === 0;
const version = '3.3.1';
const name = 'sources';

/** Hands out wheels to whoever has the password. */
const addressed = { name: 'windsock_addressed', version: '1.0', files: { 'windsock_addressed.py': '' } };
const password = 'pass-w0rd-of-kim';
const at = (file: string): string => `http://kim:${password}@${host}/${file}`;
const leading = () => ({
  ...addressed,
  name: 'windsock_leading',
  requires: [`windsock_addressed @ ${at(wheelName(addressed))}`],
});
const asked: string[] = [];
const hand = ({ url = '', headers }: IncomingMessage): Uint8Array | undefined => {
  const isKim = headers.authorization === `Basic ${Buffer.from(`kim:${password}`).toString('base64')}`;
  asked.push(`${url} ${isKim}`);
  return isKim
    ? [addressed, leading()].flatMap((one) => (url.endsWith(wheelName(one)) ? [wheel(one)] : []))[0]
    : undefined;
};
const hosting: Server = createServer((request, response) => {
  const bytes = hand(request);
  response.writeHead(bytes === undefined ? 401 : 200, { 'content-length': bytes?.length ?? 0 });
  response.end(request.method === 'HEAD' ? undefined : bytes);
});
await new Promise<void>((resolve) => hosting.listen(0, '127.0.0.1', resolve));
const address = hosting.address();
const host = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;

const used = useServer({ airflow: [version], args: ['--package-hosts', host] });
let api: Api;
let s3: S3Client;
let machine: Machine;
beforeAll(() => {
  api = new Api(used.place);
  s3 = s3Client(used.place);
  putDag(used.place, name, 'none.py', '');
});
afterAll(() => {
  s3?.destroy();
  hosting.close();
});

const pinned = async (requirements: string, source: Uint8Array) => ({
  ...(await putRequirements(s3, name, requirements)),
  ...(await putPlugins(s3, name, zipOf({ [sourceName]: source }))),
});

/** Ends with that status; gives the error. */
const ended = async (status: string): Promise<string> => {
  const found = await until(`${name} ${status}`, 300, async () => {
    const now = await api.find(name);
    return now !== undefined && !/ING|SNAPSHOT/.test(now.Status) ? now : undefined;
  });
  const told = found.LastUpdate?.Error?.ErrorMessage ?? '';
  expect([found.Status, told]).toEqual([status, expect.anything()]);
  return told;
};

const update = async (requirements: string, source = sourcePackage([])): Promise<void> =>
  api.update(name, await pinned(requirements, source));

/** A file that the set of the running environment has among its packages. */
const installed = (file: string): string => {
  const scheduler = readFileSync(`/proc/${machine.pidOf('scheduler')}/cmdline`, 'utf8');
  const set = /\/sets\/([0-9a-f]{16})\//.exec(scheduler)?.[1] ?? 'none';
  const lib = join(used.place.data, 'sets', set, 'lib');
  return readFileSync(join(lib, readdirSync(lib)[0] ?? '', 'site-packages', file), 'utf8');
};

const logs = (): string => {
  const folder = join(machine.folder, 'logs');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const found = files.filter((file) => file.includes('requirements_install_'));
  return found.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
};

const ownPath = `/usr/local/airflow/plugins/${sourceName}\n`;

test('sources in plugins.zip are built by the environment, which reaches nothing of the server there', async () => {
  const { data } = used.place;
  const tried = [join(data, 'secrets'), join(data, 'server.json'), join(data, 'cache', 'uv', 'CACHEDIR.TAG')];
  await api.create(name, version, await pinned(ownPath, sourcePackage(['/etc/hosts', ...tried])));
  await api.available(name, 600);
  machine = await machineOf(used.place, name);
  const quoted = /^FOUND = '(.*)'$/m.exec(installed('windsock_built.py'))?.[1] ?? '';
  const found = JSON.parse(quoted) as BuildFound;
  expect(found.uid).toBe(statSync(machine.home).uid);
  expect(found.opened).toEqual(['/etc/hosts']);
  expect(found.variables.filter((variable) => /PASSWORD|SECRET|TOKEN|AWS_/.test(variable))).toEqual([]);
});

test.runIf(isRoot)('what a build leaves running ends with it', () => {
  expect(everyCommand().filter((command) => command.includes(leftBehind))).toEqual([]);
});

test('a package of the index that has no wheel, and a wheel at an address with a password', async () => {
  const options = { 'foo.user': 'kim', 'foo.pass': password };
  await api.update(name, { AirflowConfigurationOptions: options });
  await ended('AVAILABLE');
  await update(
    `docopt==0.6.2\nhttp://\${AIRFLOW__FOO__USER}:\${AIRFLOW__FOO__PASS}@${host}/${wheelName(addressed)}\n`,
  );
  expect(await ended('AVAILABLE')).toBe('');
  expect(installed('windsock_addressed-1.0.dist-info/METADATA')).toContain('windsock_addressed');
  expect(installed('docopt-0.6.2.dist-info/METADATA')).toContain('docopt');
  expect(asked).toContain(`/${wheelName(addressed)} true`);
  expect(logs()).toContain('Built docopt==0.6.2');
  expect(logs()).not.toContain(password);
});

test('a wheel at an address that leads to another address is refused', async () => {
  await update(`${at(wheelName(leading()))}\n`);
  const told = await ended('UPDATE_FAILED');
  expect(told).not.toContain(password);
  expect(told).toContain('windsock-addressed is needed from an address by another package');
  expect(logs()).not.toContain(password);
});

const refused: readonly (readonly [string, string, RegExp])[] = [
  [
    'sources beside --only-binary :all:',
    `--only-binary :all:\n${ownPath}`,
    /line 2 .*--only-binary :all: forbids/,
  ],
  [
    'two addresses of one package',
    [1, 2].map((n) => `x @ http://${host}/x-${n}-py3-none-any.whl\n`).join(''),
    /`x` has more than one address/,
  ],
  [
    'an address that has nothing',
    `http://${host}/windsock_none-1.0-py3-none-any.whl\n`,
    /line 1 .*windsock_none/,
  ],
];
test.each(refused)('%s: refused, with the reason', async (_, requirements, told) => {
  await update(requirements);
  expect(await ended('UPDATE_FAILED')).toMatch(told);
});

test('a build that fails is told with its line and its own words, and what runs stays', async () => {
  const before = machine.pidOf('scheduler');
  await update(ownPath, brokenSource('there is no compiler for that'));
  const told = await ended('UPDATE_FAILED');
  expect(told).toMatch(/requirements\.txt, line 1 .*windsock_built/);
  expect(told).toContain('there is no compiler for that');
  expect(machine.pidOf('scheduler')).toBe(before);
});
