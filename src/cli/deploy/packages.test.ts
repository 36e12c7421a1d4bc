import { beforeEach, expect, test } from 'vitest';
import { ApiError } from '../api-client.ts';
import { CliError } from '../errors.ts';
import type { Environment } from '../mwaa.ts';
import { run } from '../run.ts';
import { deployPackages } from './deploy-packages.ts';
import type { PackageFile, PackageKind } from './package-files.ts';
import { packageChange, packagePlace, packagesBody } from './package-plan.ts';

const file = (kind: PackageKind, md5 = 'new'): PackageFile => ({
  ...{ kind, file: `/here/${kind}`, size: 3, sha256: `sha-${md5}`, md5, files: undefined },
});
const usual: Environment = {
  ...{ Name: 'demo', Status: 'AVAILABLE', SourceBucketArn: 'arn:aws:s3:::b', DagS3Path: 'team/dags/' },
};

test('the place is that of the environment, else beside its DAGs', () => {
  expect(packagePlace(usual, 'plugins')).toEqual({
    ...{ bucket: 'b', key: 'team/plugins.zip', version: undefined },
  });
  expect(packagePlace({ ...usual, DagS3Path: 'dags' }, 'requirements').key).toBe('requirements.txt');
  const named = { ...usual, RequirementsS3Path: 'x/r.txt', RequirementsS3ObjectVersion: 'v1' };
  expect(packagePlace(named, 'requirements')).toMatchObject({ key: 'x/r.txt', version: 'v1' });
});

test('the same size and MD5 are the same file; what came in parts is not known', () => {
  expect(packageChange(file('plugins', 'm'), undefined)).toBe('new');
  expect(packageChange(file('plugins', 'm'), { size: 3, etag: 'm' })).toBe('unchanged');
  for (const there of [
    { size: 4, etag: 'm' },
    { size: 3, etag: 'o' },
    { size: 3, etag: 'm-2' },
  ])
    expect(packageChange(file('plugins', 'm'), there)).toBe('changed');
});

test('the update names path and version of what was uploaded', () => {
  expect(packagesBody([{ kind: 'plugins', key: 'p.zip', version: 'v' }])).toEqual({
    ...{ PluginsS3Path: 'p.zip', PluginsS3ObjectVersion: 'v' },
  });
});

let done: string[];
let out: string;
let err: string;
let environments: Environment[];
let aborted: AbortController;
let errIsTerminal: boolean;
beforeEach(() => {
  [done, out, err, environments, aborted] = [[], '', '', [], new AbortController()];
  errIsTerminal = false;
});

const context = () => ({
  env: {},
  out: (text: string) => {
    out += text;
  },
  err: (text: string) => {
    err += text;
  },
  errIsTerminal,
  input: { isTerminal: false, line: async () => undefined },
  isRoot: false,
  platform: 'linux' as const,
  signal: aborted.signal,
});
const api = {
  call: async <T>(schema: { parse: (value: unknown) => T }, call: { method: string; body?: unknown }) => {
    if (call.method === 'PATCH') done.push(JSON.stringify(call.body));
    return schema.parse({
      Arn: 'arn',
      Environment: environments.length > 1 ? environments.shift() : environments[0],
    });
  },
  form: () => Promise.reject(new Error('not asked for')),
};
const s3 = (versionId: string | undefined = 'v2', head?: () => never) => ({
  put: async (bucket: string, key: string) => {
    done.push(`put ${bucket}/${key}`);
    return { versionId };
  },
  head: async (_: string, __: string, version: string) =>
    head ? head() : version === 'v1' ? { size: 3, etag: 'old' } : undefined,
  remove: async () => {},
  close: async () => {},
});
const deploy = (files: readonly PackageFile[], o: { json?: boolean; dryRun?: boolean } = {}, store = s3()) =>
  deployPackages({ api, s3: store, name: 'demo', o: { timeout: '90', ...o }, context: context() }, files);

const named = { RequirementsS3Path: 'r.txt', RequirementsS3ObjectVersion: 'v1' };

test('only what differs is uploaded, and the environment is updated to it', async () => {
  environments = [{ ...usual, ...named }, { ...usual, Status: 'UPDATING' }, usual];
  await deploy([file('requirements', 'old'), file('plugins')]);
  expect(done).toEqual([
    'put b/team/plugins.zip',
    '{"PluginsS3Path":"team/plugins.zip","PluginsS3ObjectVersion":"v2"}',
  ]);
  expect(out).toMatch(/^unchanged +r\.txt +3 bytes +v1\nnew +team\/plugins\.zip +3 bytes +v2$/m);
  expect(err).toContain('demo runs with these packages.');
});

test('the same again does nothing, whatever the status; a dry run neither', async () => {
  environments = [{ ...usual, ...named, Status: 'UPDATING' }];
  await deploy([file('requirements', 'old')]);
  expect(err).toBe('demo has these packages already: no update.\n');
  environments = [{ ...usual, ...named }];
  await deploy([file('requirements')], { dryRun: true });
  expect(out).toMatch(/^changed +r\.txt +3 bytes$/m);
  expect(done).toEqual([]);
});

test('nothing is uploaded where it could not be used', async () => {
  const stopped = { Status: 'SUCCESS', Error: { ErrorCode: 'ENVIRONMENT_STOPPED' } };
  for (const [e, text] of [
    [{ Status: 'UPDATING' }, /its status is UPDATING/],
    [{ LastUpdate: stopped }, /demo is stopped/],
  ] as const) {
    environments = [{ ...usual, ...e }];
    await expect(deploy([file('plugins')])).rejects.toThrow(text);
  }
  environments = [{ ...usual, ...named }];
  const denied = () => {
    throw new ApiError('HTTP 403', 403, '');
  };
  const reason = await deploy([file('requirements')], {}, s3('v2', denied)).catch((error: unknown) => error);
  expect(reason).toBeInstanceOf(CliError);
  expect(reason).toMatchObject({ todo: 'It takes s3:GetObjectVersion on arn:aws:s3:::b/r.txt' });
  expect(done).toEqual([]);
});

test('a bucket without versions is told, and no update asked for', async () => {
  environments = [usual];
  await expect(deploy([file('plugins')], {}, s3('null'))).rejects.toThrow(/keeps no versions/);
  expect(done).toEqual(['put b/team/plugins.zip']);
});

test('a failed update gives its reason, for programs as well', async () => {
  const lastUpdate = { Status: 'FAILED', Error: { ErrorMessage: 'no such package' } };
  environments = [usual, usual, { ...usual, Status: 'UPDATE_FAILED', LastUpdate: lastUpdate }];
  const failed = deploy([file('plugins')], { json: true });
  await expect(failed).rejects.toMatchObject({ exitCode: 1, why: 'no such package' });
  expect(JSON.parse(out)).toMatchObject({
    Packages: {
      Plugins: { Change: 'new', Path: 'team/plugins.zip', Version: 'v2', Size: 3 },
      ...{ Status: 'UPDATE_FAILED', Error: 'no such package' },
    },
  });
});

test('whoever stops waiting is told that the update goes on', async () => {
  errIsTerminal = true;
  environments = [usual, usual, { ...usual, Status: 'UPDATING' }];
  const waits = deploy([file('plugins')]);
  setTimeout(() => aborted.abort(new Error('SIGINT')), 1_050);
  await expect(waits).rejects.toThrow();
  expect(err).toMatch(/ 0 s {2}UPDATING\r +1 s {2}UPDATING\nThe update of demo goes on without this\./);
});

test.each([
  [['--requirements', '/nowhere/requirements.txt'], /There is no file \/nowhere\/requirements\.txt/],
  [['--plugins', import.meta.filename], /packages\.test\.ts is no zip archive/],
  [['--plugins', 'p.zip', '--watch'], /--watch is about a folder of DAGs/],
  [['/tmp', '--plugins', 'p.zip', '--delete'], /--delete asks before it deletes/],
  [['/nowhere', '--plugins', 'p.zip'], /There is no folder \/nowhere/],
])('%j is a wrong use, and nobody is asked', async (args, text) => {
  const keys = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret' };
  const world = { ...context(), env: keys };
  expect(await run(['deploy', 'demo', ...args, '--endpoint', 'http://127.0.0.1:1'], world)).toBe(2);
  expect(err).toMatch(text);
});
