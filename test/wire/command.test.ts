// `windsock env` and the AWS tools that it sets up.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rootKey } from '../harness/mwaa.ts';
import { type ProgramResult, python, runProgram } from '../harness/python.ts';
import {
  makePlace,
  type Place,
  type Running,
  removePlace,
  startServer,
  stopServer,
} from '../harness/server.ts';
import { plainEnvironment, repository, tools } from '../harness/tools.ts';

let place: Place;
let server: Running;
let home: string;

beforeAll(async () => {
  place = await makePlace();
  server = await startServer({ place, args: ['--no-demo'] });
  home = join(place.folder, 'home');
  mkdirSync(home);
});

afterAll(async () => {
  if (server && !server.hasEnded) await stopServer(server);
  if (place) removePlace(place);
});

const windsock = (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ProgramResult> =>
  runProgram(process.execPath, [join(repository, 'bin', 'windsock.mjs'), ...args], {
    env: { ...plainEnvironment(home), ...env },
  });

const aws = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<ProgramResult> =>
  runProgram(join(tools().clients, 'bin', 'aws'), args, { env: { ...plainEnvironment(home), ...env } });

describe('a profile', () => {
  test('windsock env --profile writes one that aws cli and boto3 work with', async () => {
    const written = await windsock(['env', '--data', place.data, '--profile', 'windsock']);
    expect(written.code, written.stderr).toBe(0);
    const list = await aws(['mwaa', 'list-environments', '--profile', 'windsock']);
    expect(list.code, list.stderr).toBe(0);
    expect(JSON.parse(list.stdout)).toEqual({ Environments: [] });
    const script =
      'import boto3; print(boto3.Session(profile_name="windsock").client("mwaa").list_environments()["Environments"])';
    const boto = await runProgram(python(), ['-c', script], { env: plainEnvironment(home) });
    expect(boto.stdout.trim(), boto.stderr).toBe('[]');
  });

  test('an error of the API reaches the aws cli with its name', async () => {
    const token = await aws(['mwaa', 'create-cli-token', '--name', 'nobody', '--profile', 'windsock']);
    expect(token.code).not.toBe(0);
    expect(token.stderr).toContain('ResourceNotFoundException');
  });

  test('what Windsock speaks goes to Windsock: the endpoints of other services stay those of AWS', async () => {
    const script = `import boto3
session = boto3.Session(profile_name="windsock")
for service in ("mwaa", "iam", "sts", "cloudtrail", "s3", "logs"):
    print(service, session.client(service).meta.endpoint_url)`;
    const { stdout } = await runProgram(python(), ['-c', script], { env: plainEnvironment(home) });
    const endpoints = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ')),
    );
    for (const service of ['mwaa', 'iam', 'sts', 'cloudtrail'])
      expect(endpoints[service], service).toBe(`http://localhost:${place.ports.api}`);
    for (const service of ['s3', 'logs']) expect(endpoints[service]).toMatch(/^https:\/\/.*amazonaws\.com$/);
  });

  test('the credentials file is for its owner only', () => {
    expect(statSync(join(home, '.aws', 'credentials')).mode & 0o777).toBe(0o600);
  });

  test("somebody else's profile of that name is not touched", async () => {
    const files = {
      AWS_CONFIG_FILE: join(home, 'other-config'),
      AWS_SHARED_CREDENTIALS_FILE: join(home, 'other-credentials'),
    };
    const own = '[windsock]\naws_access_key_id = MINE\naws_secret_access_key = MINE\n';
    writeFileSync(files.AWS_SHARED_CREDENTIALS_FILE, own);
    const refused = await windsock(['env', '--data', place.data, '--profile', 'windsock'], files);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/--force/);
    expect(readFileSync(files.AWS_SHARED_CREDENTIALS_FILE, 'utf8')).toBe(own);
  });
});

describe('exports', () => {
  test('eval "$(windsock env)" sets up the shell for mwaa, and for nothing else', async () => {
    const script = `eval "$('${process.execPath}' '${join(repository, 'bin', 'windsock.mjs')}' env --data '${place.data}' 2>/dev/null)"
echo "general=\${AWS_ENDPOINT_URL-unset}"
'${join(tools().clients, 'bin', 'aws')}' mwaa list-environments --output json`;
    const result = await runProgram('/bin/sh', ['-c', script], {
      env: plainEnvironment(join(place.folder, 'nowhere')),
    });
    expect(result.code, result.stderr).toBe(0);
    const [general, ...list] = result.stdout.trim().split('\n');
    expect(general).toBe('general=unset');
    expect(JSON.parse(list.join('\n'))).toEqual({ Environments: [] });
  });

  test('--json says the same for programs', async () => {
    const result = await windsock(['env', '--data', place.data, '--json']);
    const values = JSON.parse(result.stdout) as Record<string, string>;
    expect(values).toMatchObject({
      AWS_ENDPOINT_URL_MWAA: `http://localhost:${place.ports.api}`,
      AWS_ACCESS_KEY_ID: rootKey(place).accessKeyId,
      AWS_REGION: 'us-east-1',
    });
    expect(values).not.toHaveProperty('AWS_ENDPOINT_URL');
  });

  test('the CA bundle trusts the public web as well as this installation', () => {
    const bundle = readFileSync(join(place.data, 'ca-bundle.pem'), 'utf8');
    expect(bundle).toContain(readFileSync(join(place.data, 'ca.pem'), 'utf8').trim());
    const compact = (pem: string) => pem.replaceAll(/\s/g, '');
    const all = compact(bundle);
    for (const root of rootCertificates) expect(all.includes(compact(root))).toBe(true);
    const script =
      'import ssl, sys; print(len(ssl.create_default_context(cafile=sys.argv[1]).get_ca_certs()))';
    const count = execFileSync(python(), ['-c', script, join(place.data, 'ca-bundle.pem')], {
      encoding: 'utf8',
    });
    expect(Number(count)).toBeGreaterThan(rootCertificates.length / 2);
  });
});

describe('the command', () => {
  test('says what to do when no server was ever started', async () => {
    const result = await windsock(['environment', 'list', '--data', join(place.folder, 'never')]);
    expect(result.code).toBe(3);
    expect(result.stderr).toMatch(/windsock start/);
    expect(result.stderr).not.toMatch(/\bat .*\.ts:\d+/);
  });

  test('a token for an environment that is not there', async () => {
    const result = await windsock(['token', 'web', 'nobody', '--data', place.data]);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain('nobody');
  });

  test('version, help and an unknown command', async () => {
    expect((await windsock(['version'])).stdout).toContain('0.1.0');
    expect((await windsock(['--help'])).stdout).toContain('environment');
    expect((await windsock(['nonsense'])).code).toBe(2);
  });
});
