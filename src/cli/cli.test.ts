import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import aws4 from 'aws4';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tableText } from './output.ts';
import { buildProgram, run } from './run.ts';

const key = { accountId: '123456789012', accessKeyId: 'AKIDWINDSOCK', secretAccessKey: 'very/secret+key' };

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

let base: string;
let seen: Seen[];
let answer: (seen: Seen) => {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
  xml?: string;
};
let endpoint: string;
let close: () => void;

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'windsock-cli-test-'));
  seen = [];
  answer = () => ({ body: {} });
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const one = { method: request.method ?? '', url: request.url ?? '', body, headers: request.headers };
    seen.push(one);
    const { status = 200, headers = {}, body: answered, xml } = answer(one);
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(xml ?? JSON.stringify(answered));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  mkdirSync(join(base, 'data/secrets'), { recursive: true });
  mkdirSync(join(base, 'home'));
  const facts = { endpoint, region: 'us-east-1', caBundle: '/data/ca-bundle.pem', ca: join(base, 'ca.pem') };
  writeFileSync(join(base, 'data/endpoint.json'), JSON.stringify(facts));
  writeFileSync(join(base, 'data/secrets/root-access-key.json'), JSON.stringify(key));
});
afterEach(() => {
  close();
  rmSync(base, { recursive: true, force: true });
});

const cli = async (args: string[], env: Record<string, string> = {}, typed?: string) => {
  let [out, err] = ['', ''];
  const code = await run(args, {
    env: {
      HOME: join(base, 'home'),
      XDG_DATA_HOME: join(base, 'xdg'),
      XDG_RUNTIME_DIR: base,
      PATH: process.env['PATH'],
      ...env,
    },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    errIsTerminal: false,
    input: { isTerminal: typed !== undefined, line: async () => typed },
    isRoot: false,
    platform: 'linux',
    signal: new AbortController().signal,
  });
  return { code, out, err };
};
const data = () => ['--data', join(base, 'data')];
const webToken = { WebToken: 'a.b.c', WebServerHostname: 'localhost:7443' };

/** The Authorization header that another implementation gives for the same request. */
const signedByOthers = (s: Seen, credentials: { accessKeyId: string; secretAccessKey: string }) => {
  const names = /SignedHeaders=([^,]+)/.exec(s.headers.authorization ?? '')?.[1]?.split(';') ?? [];
  const headers = Object.fromEntries(names.map((name) => [name, String(s.headers[name])]));
  const options = {
    host: String(s.headers.host),
    method: s.method,
    path: s.url,
    body: s.body,
    service: 'airflow',
    region: 'us-east-1',
    headers,
  };
  return aws4.sign(options, credentials).headers?.['Authorization'];
};
const signatureOf = (header: unknown) => /Signature=(\w+)/.exec(String(header))?.[1];

describe('calls', () => {
  it('are signed as others sign them', async () => {
    answer = (s) => ({
      body: s.url.includes('NextToken') ? { Environments: [] } : { Environments: [], NextToken: 'a/b+c= *~' },
    });
    expect((await cli(['environment', 'list', ...data(), '--json'])).out).toBe('[]\n');
    expect(seen.length).toBe(2);
    for (const s of seen)
      expect(signatureOf(s.headers.authorization)).toBe(signatureOf(signedByOthers(s, key)));
    expect(signatureOf(seen[0]?.headers.authorization)).toMatch(/^[0-9a-f]{64}$/);
  });
  it('use the key of the environment only together with an explicit endpoint', async () => {
    answer = () => ({ body: { Environments: [] } });
    const own = { AWS_ACCESS_KEY_ID: 'AKIDOTHER', AWS_SECRET_ACCESS_KEY: 'other', AWS_SESSION_TOKEN: 'st' };
    await cli(['environment', 'list', ...data()], own);
    await cli(['environment', 'list', ...data()], { ...own, AWS_ENDPOINT_URL_MWAA: endpoint });
    await cli(['environment', 'list', ...data(), '--endpoint', endpoint]);
    expect(seen.map((s) => /Credential=(\w+)/.exec(s.headers.authorization ?? '')?.[1])).toEqual([
      'AKIDWINDSOCK',
      'AKIDOTHER',
      'AKIDWINDSOCK',
    ]);
    expect(seen.map((s) => s.headers['x-amz-security-token'])).toEqual([undefined, 'st', undefined]);
  });
  it('show errors of the API with code and text', async () => {
    answer = () => ({
      status: 404,
      headers: { 'x-amzn-errortype': 'ResourceNotFoundException' },
      body: { message: 'No such environment' },
    });
    expect(await cli(['token', 'web', 'nope', ...data()])).toEqual({
      code: 1,
      out: '',
      err: 'windsock: No such environment (ResourceNotFoundException)\n',
    });
  });
  it('say how to start a server when none answers or none was started', async () => {
    close();
    const gone = await cli(['environment', 'list', ...data()]);
    expect(gone.code).toBe(3);
    expect(gone.err).toMatch(
      /No server answers at http:\/\/127.0.0.1:\d+\.\n {2}Nothing listens there\.\n {2}Start it with "windsock start"/,
    );
    const never = await cli(['environment', 'list']);
    expect([never.code, never.err]).toEqual([
      3,
      expect.stringContaining(`data folder ${join(base, 'xdg/windsock')}`),
    ]);
  });
});

describe('token and open', () => {
  it('print what was minted', async () => {
    answer = (s) => ({
      body: s.url.startsWith('/webtoken')
        ? webToken
        : { CliToken: 'x.y.z', WebServerHostname: 'localhost:7443' },
    });
    const url = 'https://localhost:7443/aws_mwaa/aws-console-sso?login=true#a.b.c';
    expect((await cli(['token', 'web', 'demo', ...data()])).out).toBe(`${url}\n`);
    expect(JSON.parse((await cli(['token', 'web', 'demo', '--json', ...data()])).out)).toEqual({
      ...webToken,
      LoginUrl: url,
    });
    expect((await cli(['token', 'cli', 'demo', ...data()])).out).toBe('x.y.z\n');
    expect((await cli(['open', 'demo', '--print', ...data()])).out).toBe(`${url}\n`);
    expect(seen.map((s) => `${s.method} ${s.url}`)).toEqual([
      'POST /webtoken/demo',
      'POST /webtoken/demo',
      'POST /clitoken/demo',
      'POST /webtoken/demo',
    ]);
  });
  it('hands the browser a private page instead of the token, and removes it', async () => {
    answer = () => ({ body: webToken });
    const browser = join(base, 'browser');
    const script = `#!/bin/sh\necho "$@" > ${base}/args\nf="\${1#file://}"\ncat "$f" > ${base}/page\nstat -c '%a' "$f" "$(dirname "$f")" > ${base}/modes\nexit 1\n`;
    writeFileSync(browser, script, { mode: 0o755 });
    const { code, err } = await cli(['open', 'demo', ...data()], { BROWSER: browser });
    expect([code, err]).toEqual([1, expect.stringContaining('windsock open demo --print')]);
    expect(readFileSync(join(base, 'args'), 'utf8')).toMatch(/^file:\/\/\S+\/login\.html\n$/);
    expect(readFileSync(join(base, 'page'), 'utf8')).toContain(
      'location.replace("https://localhost:7443/aws_mwaa/aws-console-sso?login=true#a.b.c")',
    );
    expect(readFileSync(join(base, 'modes'), 'utf8')).toBe('600\n700\n');
    expect(readdirSync(base).filter((name) => name.startsWith('windsock-open-'))).toEqual([]);
  });
  it('mints nothing when there is no browser', async () => {
    const { code, err } = await cli(['open', 'demo', ...data()], { BROWSER: '/nowhere' });
    expect([code, err, seen.length]).toEqual([1, expect.stringContaining('No browser'), 0]);
  });
});

describe('environment', () => {
  it('creates with sensible defaults', async () => {
    answer = () => ({ body: { Arn: 'arn:aws:airflow:us-east-1:123456789012:environment/a' } });
    const { out } = await cli(['environment', 'create', 'a', '--bucket', 'b', ...data()]);
    expect(out).toBe('Creating arn:aws:airflow:us-east-1:123456789012:environment/a\n');
    const iam = seen.slice(0, 2).map(({ body }) => new URLSearchParams(body));
    expect(iam.map((members) => [members.get('Action'), members.get('RoleName')])).toEqual([
      ['CreateRole', 'windsock-a'],
      ['PutRolePolicy', 'windsock-a'],
    ]);
    expect(iam[0]?.get('AssumeRolePolicyDocument')).toContain('airflow-env.amazonaws.com');
    expect(iam[1]?.get('PolicyDocument')).toContain('arn:aws:s3:::b/*');
    expect(JSON.parse(seen[2]?.body ?? '')).toMatchObject({
      SourceBucketArn: 'arn:aws:s3:::b',
      DagS3Path: 'dags',
      ExecutionRoleArn: 'arn:aws:iam::123456789012:role/windsock-a',
    });
  });
  it('leaves a role alone that is named, and takes one that is there', async () => {
    const roles = 'arn:aws:iam::123456789012:role';
    answer = ({ method, body }) => {
      if (method === 'PUT') return { body: { Arn: 'x' } };
      const there = '<Error><Code>EntityAlreadyExists</Code><Message>There.</Message></Error>';
      return body.includes('CreateRole') ? { status: 409, xml: there } : { xml: '<Answer/>' };
    };
    const create = (...more: string[]) =>
      cli(['environment', 'create', 'a', '--bucket', 'b', ...more, ...data()]);
    expect((await create()).code).toBe(0);
    expect((await create('--execution-role', `${roles}/mine`)).code).toBe(0);
    const asked = seen.filter(({ method }) => method === 'PUT').map(({ body }) => JSON.parse(body));
    expect(asked.map((body) => body.ExecutionRoleArn)).toEqual([`${roles}/windsock-a`, `${roles}/mine`]);
    expect(seen).toHaveLength(4);
  });
  it('waits, and gives the reason of a failure', async () => {
    const failed = {
      Name: 'a',
      Status: 'CREATE_FAILED',
      LastUpdate: { Status: 'FAILED', Error: { ErrorMessage: 'no such version' } },
    };
    answer = (s) => ({ body: s.method === 'PUT' ? { Arn: 'x' } : { Environment: failed } });
    const { code, err } = await cli(['environment', 'create', 'a', '--bucket', 'b', '--wait', ...data()]);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^windsock: a could not be created\.\n {2}no such version/),
    ]);
  });
  it('shows progress, and ends when it is available', async () => {
    const states = ['CREATING', 'AVAILABLE'];
    const now = () => ({ Name: 'a', Status: states.shift(), WebserverUrl: 'localhost:7444' });
    answer = (s) => ({ body: s.method === 'GET' ? { Environment: now() } : { Arn: 'x' } });
    const { code, out, err } = await cli([
      'environment',
      'create',
      'a',
      '--bucket',
      'b',
      '--wait',
      ...data(),
    ]);
    expect([code, out, err]).toEqual([
      0,
      'a is available: https://localhost:7444\n',
      '   0 s  CREATING\n   1 s  AVAILABLE\n',
    ]);
  });
  it('prints a table without control characters', () => {
    expect(tableText(['A', 'LONG'], [['\u001b[31mred\u001b[0m', 'x\ny']])).toBe('A    LONG\nred  x y\n');
  });
});

describe('env', () => {
  it('prints exports that a shell reads as they are', async () => {
    const { out } = await cli(['env', ...data()]);
    expect(out).toContain(`export AWS_ENDPOINT_URL_MWAA='${endpoint}'\n`);
    expect(out).toContain("export AWS_DISABLE_HOST_PREFIX_INJECTION='true'\n");
    expect(out).not.toMatch(/AWS_ENDPOINT_URL=/);
    const json = JSON.parse((await cli(['env', '--json', ...data()])).out);
    expect(json).toMatchObject({
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
      REQUESTS_CA_BUNDLE: '/data/ca-bundle.pem',
    });
  });
  it('writes a profile and harms nothing else', async () => {
    const files = {
      AWS_CONFIG_FILE: join(base, 'home/c'),
      AWS_SHARED_CREDENTIALS_FILE: join(base, 'home/k'),
    };
    writeFileSync(files.AWS_CONFIG_FILE, '[default]\nregion = eu-west-1\n');
    writeFileSync(files.AWS_SHARED_CREDENTIALS_FILE, '[default]\naws_access_key_id = REAL\n', {
      mode: 0o644,
    });
    expect((await cli(['env', '--profile', 'ws', ...data()], files)).code).toBe(0);
    const services = ['mwaa', 'iam', 'sts', 'cloudtrail']
      .map((name) => `${name} =\n  endpoint_url = ${endpoint}\n`)
      .join('');
    const first = [
      readFileSync(files.AWS_CONFIG_FILE, 'utf8'),
      readFileSync(files.AWS_SHARED_CREDENTIALS_FILE, 'utf8'),
    ];
    expect(first).toEqual([
      `[default]\nregion = eu-west-1\n\n[profile ws]\nregion = us-east-1\nca_bundle = /data/ca-bundle.pem\ndisable_host_prefix_injection = true\nservices = windsock-ws\n\n[services windsock-ws]\n${services}`,
      `[default]\naws_access_key_id = REAL\n\n[ws]\naws_access_key_id = AKIDWINDSOCK\naws_secret_access_key = very/secret+key\n`,
    ]);
    expect(statSync(files.AWS_SHARED_CREDENTIALS_FILE).mode & 0o777).toBe(0o600);
    await cli(['env', '--profile', 'ws', ...data()], files);
    expect([
      readFileSync(files.AWS_CONFIG_FILE, 'utf8'),
      readFileSync(files.AWS_SHARED_CREDENTIALS_FILE, 'utf8'),
    ]).toEqual(first);
  });
  it("does not replace somebody else's profile unless forced", async () => {
    mkdirSync(join(base, 'home/.aws'));
    writeFileSync(join(base, 'home/.aws/credentials'), '[prod]\naws_access_key_id = REAL\n');
    const { code, err } = await cli(['env', '--profile', 'prod', ...data()]);
    expect([code, err]).toEqual([1, expect.stringContaining('--force')]);
    expect(readFileSync(join(base, 'home/.aws/credentials'), 'utf8')).toBe(
      '[prod]\naws_access_key_id = REAL\n',
    );
    expect((await cli(['env', '--profile', 'prod', '--force', ...data()])).code).toBe(0);
  });
  it('refuses a name that would break the file', async () => {
    expect((await cli(['env', '--profile', 'a]\nx', ...data()])).code).toBe(2);
  });
});

describe('env for somebody who is not root', () => {
  const credentials = () => readFileSync(join(base, 'home/.aws/credentials'), 'utf8');
  const xml = (name: string, inner: string) => ({
    headers: { 'content-type': 'text/xml' },
    xml: `<${name}Response><${name}Result>${inner}</${name}Result></${name}Response>`,
  });
  const fault = (code: string) => ({
    status: 404,
    xml: `<ErrorResponse><Error><Code>${code}</Code><Message>a &lt;b&gt; &amp;amp;</Message></Error></ErrorResponse>`,
  });
  const identity = (arn: string) =>
    xml('GetCallerIdentity', `<Arn>${arn}</Arn><UserId>AIDA</UserId><Account>123456789012</Account>`);
  const made = xml(
    'CreateAccessKey',
    '<AccessKey><UserName>ann</UserName><AccessKeyId>AKIAANN</AccessKeyId><SecretAccessKey>ann/s+1</SecretAccessKey></AccessKey>',
  );
  /** The server knows the key of ann. */
  const serve = (answers: Partial<Record<string, ReturnType<typeof fault> | typeof made>>) => {
    answer = (s) => answers[/Action=(\w+)/.exec(s.body)?.[1] ?? ''] ?? fault('InvalidAction');
  };
  const actions = () => seen.map((s) => s.body.replace(/&?Version=[\d-]+/, ''));

  it('makes a key of the user with the rights of the caller, and keeps it for itself', async () => {
    serve({ CreateAccessKey: made, GetCallerIdentity: identity('arn:aws:iam::123456789012:user/data/ann') });
    const first = await cli(['env', '--user', 'ann', '--profile', 'ann', ...data()]);
    expect([first.code, first.err]).toEqual([0, expect.stringContaining('AKIAANN')]);
    expect(first.out + first.err).not.toContain('ann/s+1');
    expect(credentials()).toBe('[ann]\naws_access_key_id = AKIAANN\naws_secret_access_key = ann/s+1\n');
    expect(statSync(join(base, 'home/.aws/credentials')).mode & 0o777).toBe(0o600);
    expect((await cli(['env', '--user', 'ann', '--profile', 'ann', ...data()])).code).toBe(0);
    expect(actions()).toEqual(['Action=CreateAccessKey&UserName=ann', 'Action=GetCallerIdentity']);
    const used = seen.map((s) => /Credential=(\w+)/.exec(s.headers.authorization ?? '')?.[1]);
    expect(used).toEqual(['AKIDWINDSOCK', 'AKIAANN']);
  });
  it.each([
    ['is of somebody else', identity('arn:aws:iam::123456789012:user/bob')],
    [
      'is of a session whose name is that of the user',
      identity('arn:aws:sts::123456789012:assumed-role/x/ann'),
    ],
    ['no longer counts', fault('InvalidClientTokenId')],
  ])('makes a new one where the key of the profile %s', async (_, whose) => {
    serve({ CreateAccessKey: made, GetCallerIdentity: whose });
    await cli(['env', '--profile', 'p', ...data()]);
    expect((await cli(['env', '--user', 'ann', '--profile', 'p', ...data()])).code).toBe(0);
    expect(credentials()).toContain('aws_access_key_id = AKIAANN\n');
  });
  it.each([
    [
      'NoSuchEntity',
      /There is no IAM user "ann"\.\n {2}Make it first: aws iam create-user --user-name ann\n/,
    ],
    ['LimitExceeded', /two access keys already[\s\S]*aws iam delete-access-key --user-name ann/],
    ['AccessDenied', /windsock: a <b> &amp; \(AccessDenied\)/],
  ])('says what to do about %s', async (code, text) => {
    serve({ CreateAccessKey: fault(code) });
    const { code: exit, out, err } = await cli(['env', '--user', 'ann', '--profile', 'ann', ...data()]);
    expect([exit, out, err]).toEqual([1, '', expect.stringMatching(text)]);
    expect(() => credentials()).toThrow(/ENOENT/);
  });
  it('makes no key for a profile that it may not write, and takes back one that it could not', async () => {
    mkdirSync(join(base, 'home/.aws'));
    writeFileSync(join(base, 'home/.aws/credentials'), '[prod]\naws_access_key_id = REAL\n');
    expect((await cli(['env', '--user', 'ann', '--profile', 'prod', ...data()])).code).toBe(1);
    expect(seen).toEqual([]);
    serve({ CreateAccessKey: made, DeleteAccessKey: xml('DeleteAccessKey', '') });
    // its temporary file would have too long a name
    const nowhere = { AWS_CONFIG_FILE: join(base, 'x'.repeat(250)) };
    expect((await cli(['env', '--user', 'ann', '--profile', 'ann', ...data()], nowhere)).code).toBe(1);
    expect(actions().at(-1)).toBe('Action=DeleteAccessKey&UserName=ann&AccessKeyId=AKIAANN');
  });
  it('takes the secret of a given key from the environment only beside its id, else as it is typed', async () => {
    serve({ GetCallerIdentity: identity('arn:aws:iam::123456789012:user/ann') });
    const id = 'AKIAIOSFODNN7EXAMPLE';
    const args = ['env', '--access-key', id, '--profile', 'ann', ...data()];
    const other = { AWS_ACCESS_KEY_ID: 'AKIAOTHER', AWS_SECRET_ACCESS_KEY: 'other' };
    const none = await cli(args, other);
    expect([none.code, none.err]).toEqual([2, expect.stringContaining('standard input')]);
    expect((await cli(args, other, 'typed/1')).code).toBe(0);
    expect(credentials()).toBe(`[ann]\naws_access_key_id = ${id}\naws_secret_access_key = typed/1\n`);
    expect((await cli(args, { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: 'own' })).code).toBe(0);
    expect(credentials()).toContain('aws_secret_access_key = own\n');
    serve({ GetCallerIdentity: fault('SignatureDoesNotMatch') });
    const wrong = await cli(args, {}, 'wrong');
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringMatching(/does not accept the access key/)]);
    expect(wrong.err).not.toContain('wrong');
    expect(credentials()).toContain('aws_secret_access_key = own\n');
  });
  it.each([
    [['--access-key', 'a/secret+by+mistake'], 2],
    [['--user', 'ann', '--access-key', 'AKIAIOSFODNN7EXAMPLE'], 2],
    [['--user', 'a/b'], 1],
  ])('refuses %j', async (args, code) => {
    const ended = await cli(['env', ...args, ...data()], {}, 'x');
    expect([ended.code, seen.length]).toEqual([code, 0]);
    expect(ended.err).not.toContain('by+mistake');
  });
});

describe('trust --hosts', () => {
  it('prints the line, and asks for root and for an answer before it writes', async () => {
    const { out } = await cli(['trust', '--hosts', '--print']);
    expect(out).toMatch(/^127\.0\.0\.1 api\.localhost env\.localhost ops\.localhost # .*windsock.*\n$/);
    expect((await cli(['trust', '--remove'])).code).toBe(2);
  });
});

describe('the command line', () => {
  it.each([
    [['nonsense'], /windsock: unknown command 'nonsense'/],
    [['token', 'web'], /windsock: missing required argument 'env'\n {2}More: windsock token web --help/],
    [['environment', 'create', 'a'], /required option '--bucket <name>'/],
    [['env', '--profil', 'x'], /unknown option '--profil'[\s\S]*--profile/],
  ])('%j is a wrong use', async (args, text) => {
    const { code, err } = await cli(args);
    expect([code, err]).toEqual([2, expect.stringMatching(text)]);
  });
  it('prints versions', async () => {
    expect((await cli(['version'])).out).toMatch(/^windsock \d+\.\d+\.\d+ \(Node \d+/);
    expect(JSON.parse((await cli(['version', '--json'])).out)).toHaveProperty('windsock');
  });
  it('has help for every command', () => {
    const texts: string[] = [];
    const context = {
      env: {},
      out: (text: string) => void texts.push(text),
      err: () => {},
      errIsTerminal: false,
      input: { isTerminal: false, line: async () => undefined },
      isRoot: false,
      platform: 'linux' as const,
      signal: new AbortController().signal,
    };
    const walk = (command: ReturnType<typeof buildProgram>): void => {
      command.outputHelp();
      texts.push('––––\n');
      for (const child of command.commands) walk(child);
    };
    walk(buildProgram(context));
    expect(texts.join('')).toMatchSnapshot();
  });
});
