// `windsock env` and the AWS tools that it sets up.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { hasOwnHosts, OwnHosts } from '../harness/hosts.ts';
import { rootKey } from '../harness/mwaa.ts';
import { type ProgramResult, python, runProgram } from '../harness/python.ts';
import { type Place, serverLog } from '../harness/server.ts';
import { compiled, plainEnvironment, repository, tools, windsockProgram } from '../harness/tools.ts';
import { useServer } from '../harness/use-server.ts';

let place: Place;
let home: string;

const used = useServer();
beforeAll(async () => {
  ({ place } = used);
  home = join(place.folder, 'home');
  mkdirSync(home);
});

const windsock = (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Promise<ProgramResult> =>
  runProgram(process.execPath, [windsockProgram('cli/main'), ...args], {
    env: { ...plainEnvironment(home), ...compiled(), ...env },
    input,
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

describe('somebody who is not root', () => {
  const credentials = () => readFileSync(join(home, '.aws', 'credentials'), 'utf8');
  const keyOf = (profile: string) =>
    new RegExp(`\\[${profile}\\]\\naws_access_key_id = (\\w+)\\naws_secret_access_key = (\\S+)`).exec(
      credentials(),
    );
  const whoIs = async (profile: string) => {
    const ran = await aws([
      ...['sts', 'get-caller-identity', '--profile', profile, '--query', 'Arn', '--output', 'text'],
    ]);
    expect(ran.code, ran.stderr).toBe(0);
    return ran.stdout.trim();
  };
  const env = (...args: readonly string[]) => windsock(['env', '--data', place.data, ...args]);

  test('docs/access.md makes ann and her profile, as it is printed', async () => {
    const page = readFileSync(join(repository, 'docs', 'access.md'), 'utf8');
    const commands = /## A data engineer[\s\S]*?```sh\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    const programs = join(place.folder, 'programs');
    mkdirSync(programs);
    const npx = `#!/bin/sh\nexec '${process.execPath}' '${repository}'/bin/"$1".mjs $(shift; echo "$@") --data '${place.data}'\n`;
    writeFileSync(join(programs, 'npx'), npx, { mode: 0o755 });
    const PATH = `${programs}:${join(tools().clients, 'bin')}:${process.env['PATH'] ?? ''}`;
    const ran = await runProgram('/bin/sh', ['-euc', commands], { env: { ...plainEnvironment(home), PATH } });
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toContain(`arn:aws:iam::${rootKey(place).accountId}:user/ann`);
    const list = await aws(['mwaa', 'list-environments', '--profile', 'ann']);
    expect([list.code, list.stderr]).toEqual([0, '']);
    expect((await aws(['iam', 'list-users', '--profile', 'ann'])).stderr).toContain('AccessDenied');
  });

  test('the profile keeps its key; a user has two keys, and the secret stands in the file alone', async () => {
    const first = keyOf('ann')?.[1];
    const again = await env('--user', 'ann', '--profile', 'ann');
    expect([again.code, keyOf('ann')?.[1]]).toEqual([0, first]);
    const second = await env('--user', 'ann', '--profile', 'ann2');
    expect(second.code, second.stderr).toBe(0);
    expect(await whoIs('ann2')).toMatch(/:user\/ann$/);
    const third = await env('--user', 'ann', '--profile', 'ann3');
    expect([third.code, third.stderr]).toEqual([1, expect.stringContaining('aws iam delete-access-key')]);
    expect(keyOf('ann3')).toBeNull();
    expect(statSync(join(home, '.aws', 'credentials')).mode & 0o777).toBe(0o600);
    for (const profile of ['ann', 'ann2']) {
      const secret = keyOf(profile)?.[2] ?? '';
      expect(secret).toMatch(/^[\w+/]{40}$/);
      for (const told of [again, second, third].flatMap(({ stdout, stderr }) => [stdout, stderr]))
        expect(told).not.toContain(secret);
      expect(serverLog(place)).not.toContain(secret);
    }
  });

  test('a key that no longer counts gives way to a new one', async () => {
    const old = keyOf('ann2')?.[1] ?? '';
    const remove = ['iam', 'delete-access-key', '--user-name', 'ann', '--access-key-id', old];
    expect((await aws([...remove, '--profile', 'windsock'])).code).toBe(0);
    expect((await env('--user', 'ann', '--profile', 'ann2')).code).toBe(0);
    expect(keyOf('ann2')?.[1]).not.toBe(old);
    expect(await whoIs('ann2')).toMatch(/:user\/ann$/);
  });

  test('a user who is not there, and a caller who may not', async () => {
    const nobody = await env('--user', 'bob', '--profile', 'bob');
    expect([nobody.code, nobody.stderr]).toEqual([
      1,
      expect.stringContaining('aws iam create-user --user-name bob'),
    ]);
    const [, id = '', secret = ''] = keyOf('ann') ?? [];
    const asAnn = {
      AWS_ENDPOINT_URL_MWAA: `http://localhost:${place.ports.api}`,
      ...{ AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret },
    };
    const denied = await windsock(['env', '--data', place.data, '--user', 'bob', '--profile', 'bob'], asAnn);
    expect([denied.code, denied.stderr]).toEqual([1, expect.stringContaining('iam:CreateAccessKey')]);
  });

  test('a key that was handed over: its secret comes from standard input', async () => {
    const [, id = '', secret = ''] = keyOf('ann') ?? [];
    const args = ['env', '--data', place.data, '--access-key', id, '--profile', 'mine'];
    const wrong = await windsock(args, {}, `${secret}x\n`);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('does not accept')]);
    const none = await windsock(args);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('standard input')]);
    expect(keyOf('mine')).toBeNull();
    const written = await windsock(args, {}, `${secret}\n`);
    expect(written.code, written.stderr).toBe(0);
    expect(written.stdout + written.stderr).not.toContain(secret);
    expect(await whoIs('mine')).toMatch(/:user\/ann$/);
  });
});

describe.runIf(hasOwnHosts)('names of the API in /etc/hosts', () => {
  const program = (...args: readonly string[]) => [windsockProgram('cli/main'), ...args];
  const plain = '127.0.0.1 localhost\r\n# a caf\xe9';
  const line = /^127\.0\.0\.1 api\.localhost env\.localhost ops\.localhost #.*windsock trust --hosts$/m;
  const inside = (hosts: OwnHosts, ...args: readonly string[]) =>
    runProgram(...hosts.around(process.execPath, program(...args)), { env: plainEnvironment(home) });

  test('windsock env says what is missing, on stderr; trust --hosts adds it, and takes it back', async () => {
    const hosts = new OwnHosts(place.folder, '127.0.0.1 localhost');
    const read = () => readFileSync(hosts.file, 'utf8');
    const { ino } = statSync(hosts.file);
    const missing = await inside(hosts, 'env', '--data', place.data);
    expect(missing.stderr).toContain('sudo windsock trust --hosts');
    expect(missing.stdout).not.toContain('trust');
    const unasked = await inside(hosts, 'trust', '--hosts');
    expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining('--yes')]);
    expect(read()).toBe('127.0.0.1 localhost');
    const added = await inside(hosts, 'trust', '--hosts', '--yes');
    expect([added.code, added.stderr]).toEqual([0, '']);
    const after = read();
    expect(after.split('\n')).toEqual(['127.0.0.1 localhost', expect.stringMatching(line)]);
    expect((await inside(hosts, 'trust', '--hosts', '--yes')).stdout).toContain('already');
    expect(read()).toBe(after);
    expect((await inside(hosts, 'env', '--data', place.data)).stderr).not.toContain('trust --hosts');
    expect((await inside(hosts, 'trust', '--hosts', '--remove', '--yes')).code).toBe(0);
    expect([read(), statSync(hosts.file).ino]).toEqual(['127.0.0.1 localhost', ino]);
    expect((await inside(hosts, 'trust', '--hosts', '--remove', '--yes')).stdout).toContain('no line');
  });

  test('a name that leads elsewhere is told, and nothing is written', async () => {
    const text = '127.0.0.1 localhost\n10.1.2.3 env.localhost\n';
    const hosts = new OwnHosts(place.folder, text);
    expect((await inside(hosts, 'env', '--data', place.data)).stderr).toContain('env.localhost');
    const refused = await inside(hosts, 'trust', '--hosts', '--yes');
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('Line 2 of /etc/hosts leads env.localhost to 10.1.2.3'),
    ]);
    expect(readFileSync(hosts.file, 'utf8')).toBe(text);
  });

  test('where the file can be renamed over: link, owner, mode and every byte stay', async () => {
    const etc = join(place.folder, 'etc');
    mkdirSync(etc);
    writeFileSync(join(etc, 'nsswitch.conf'), 'hosts: files\n');
    const real = join(etc, 'hosts.real');
    symlinkSync('hosts.real', join(etc, 'hosts'));
    writeFileSync(real, plain, 'latin1');
    chmodSync(real, 0o664);
    chownSync(real, 12_345, 54_321);
    const run = (...args: readonly string[]) => {
      const script = 'mount --bind "$1" /etc && shift && exec "$@"';
      const command = ['--mount', 'sh', '-c', script, 'sh', etc, process.execPath, ...program(...args)];
      return runProgram('unshare', command, { env: plainEnvironment(home) });
    };
    const before = statSync(real);
    const added = await run('trust', '--hosts', '--yes');
    expect(added.code, added.stderr).toBe(0);
    const { mode, uid, gid, ino } = statSync(real);
    expect([mode & 0o777, uid, gid, ino === before.ino]).toEqual([0o664, 12_345, 54_321, false]);
    expect(lstatSync(join(etc, 'hosts')).isSymbolicLink()).toBe(true);
    const text = readFileSync(real, 'latin1');
    expect(text.startsWith(`${plain}\r\n127.0.0.1 api.localhost`)).toBe(true);
    expect((await run('trust', '--hosts', '--remove', '--yes')).code).toBe(0);
    expect(readFileSync(real, 'latin1')).toBe(plain);
  });

  test('whoever is not root is told to be', async () => {
    const hosts = new OwnHosts(place.folder, '127.0.0.1 localhost\n');
    const [unshare, args] = hosts.around('setpriv', [
      ...['--reuid', '65534', '--regid', '65534', '--clear-groups', process.execPath],
      ...program('trust', '--hosts', '--yes'),
    ]);
    const ran = await runProgram(unshare, args, { env: plainEnvironment(home) });
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringMatching(/Only root[\s\S]*sudo/)]);
  });
});

describe('exports', () => {
  test('eval "$(windsock env)" sets up the shell for mwaa, and for nothing else', async () => {
    const script = `eval "$('${process.execPath}' '${windsockProgram('cli/main')}' env --data '${place.data}' 2>/dev/null)"
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
