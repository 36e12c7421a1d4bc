// Requests made by hand, good, wrong and on the border: status, x-amzn-errortype and body are compared as a whole.
// Airflow is trivial here, everything else is real.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Iam, QueryFault } from '../harness/iam.ts';
import { rootKey } from '../harness/mwaa.ts';
import { type Key, type RawAnswer, send, signed } from '../harness/raw.ts';
import { Rig } from '../harness/rig.ts';
import { serverLog } from '../harness/server.ts';

let rig: Rig;
let account: string;

beforeAll(async () => {
  rig = await Rig.make();
  account = rootKey(rig.place).accountId;
  await rig.create('two', '2.7.2');
  await rig.create('three', '3.3.1');
  await rig.available('two');
  await rig.available('three');
});
afterAll(() => rig?.remove());

/** Each answer has a request id of its own, which is checked here; the rest of it is compared. */
const ask = async (method: string, path: string, body?: unknown): Promise<Omit<RawAnswer, 'requestId'>> => {
  const { requestId, ...answer } = await signed(rig.place, {
    method,
    path,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  expect(requestId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  return answer;
};
const good = (body: unknown) => ({ status: 200, errorType: undefined, body });
const fault = (status: number, code: string, message: string, member = 'message') => ({
  status,
  errorType: code,
  body: { __type: code, [member]: message },
});
const invalid = (message: string) => fault(400, 'ValidationException', message);
const violates = (what: string) => invalid(`1 validation error detected: ${what}`);

const arnOf = (name: string) => `arn:aws:airflow:us-east-1:${account}:environment/${name}`;
const tagsOf = (name: string) => `/tags/${encodeURIComponent(arnOf(name))}`;
const invoke = (name: string, input: unknown) => ask('POST', `/restapi/${name}`, input);
const rest = (status: number, response: unknown) =>
  good({ RestApiStatusCode: status, RestApiResponse: response });
const restFault = (code: string, status: number, message: string, response: unknown) => ({
  status: 400,
  errorType: code,
  body: { __type: code, message, RestApiStatusCode: status, RestApiResponse: response },
});

describe('GetEnvironment', () => {
  test('of an environment without options and tags has both, empty', async () => {
    const { Environment: e } = (await ask('GET', '/environments/two')).body as { Environment: object };
    expect(e).toMatchObject({ AirflowConfigurationOptions: {}, Tags: {} });
  });

  test('nothing to list is an empty list', async () => {
    const rest = `NextToken=${Buffer.from('{"after":"two"}').toString('base64url')}`;
    expect(await ask('GET', `/environments?${rest}`)).toEqual(good({ Environments: [] }));
    expect(await ask('GET', tagsOf('two'))).toEqual(good({ Tags: {} }));
  });
});

describe('tags', () => {
  test('go there, come back and go away, over one escaped segment', async () => {
    const path = tagsOf('two');
    expect(await ask('GET', path)).toEqual(good({ Tags: {} }));
    expect(await ask('POST', path, '{"Tags":{"a":"1","__proto__":"2","ключ é":"x+y=z @:/"}}')).toEqual(
      good({}),
    );
    const { Tags } = (await ask('GET', path)).body as { Tags: Record<string, string> };
    expect(Object.entries(Tags).sort()).toEqual([
      ['__proto__', '2'],
      ['a', '1'],
      ['ключ é', 'x+y=z @:/'],
    ]);
    const { Environment } = (await ask('GET', '/environments/two')).body as {
      Environment: { Tags: Record<string, string> };
    };
    expect(Environment.Tags).toEqual(Tags);
    const gone = `tagKeys=${encodeURIComponent('ключ é')}&tagKeys=__proto__&tagKeys=nobody`;
    expect(await ask('DELETE', `${path}?${gone}`)).toEqual(good({}));
    expect(await ask('DELETE', `${path}?${gone}`)).toEqual(good({}));
    expect(await ask('GET', path)).toEqual(good({ Tags: { a: '1' } }));
  });

  test('set by many at once are all kept; the fifty-first is refused', async () => {
    const path = tagsOf('three');
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => ask('POST', path, { Tags: { [`k${i}`]: 'v' } })),
    );
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused).toHaveLength(10);
    for (const answer of refused) {
      expect(answer).toEqual(
        invalid(
          'Invalid request provided: the environment would have 51 tags, and 50 are allowed. Remove some first.',
        ),
      );
    }
    const { Tags } = (await ask('GET', path)).body as { Tags: object };
    expect(Object.keys(Tags)).toHaveLength(50);
  });

  test('are given at creation as well', async () => {
    const { Environment: e } = (await ask('GET', '/environments/two')).body as {
      Environment: Record<string, unknown>;
    };
    const body = Object.fromEntries(
      ['SourceBucketArn', 'DagS3Path', 'ExecutionRoleArn', 'NetworkConfiguration'].map((m) => [m, e[m]]),
    );
    expect(
      await ask('PUT', '/environments/tagged', { ...body, AirflowVersion: '2.7.2', Tags: { 'aws:x': 'y' } }),
    ).toEqual(
      invalid(
        'Invalid request provided: the tag key aws:x begins with aws:, which is reserved for AWS. Choose another key.',
      ),
    );
    expect(
      await ask('PUT', '/environments/tagged', { ...body, AirflowVersion: '2.7.2', Tags: { a: 'b' } }),
    ).toEqual(good({ Arn: arnOf('tagged') }));
    expect(await ask('GET', tagsOf('tagged'))).toEqual(good({ Tags: { a: 'b' } }));
    await rig.available('tagged');
    await rig.api.delete('tagged');
    await rig.gone('tagged');
    expect(await ask('GET', tagsOf('tagged'))).toEqual(
      fault(404, 'ResourceNotFoundException', `No environment with ARN ${arnOf('tagged')} found.`),
    );
  });

  test('wrong requests', async () => {
    const path = tagsOf('two');
    expect(await ask('POST', path, { Tags: {} })).toEqual(
      violates(
        "Value '{}' at 'tags' failed to satisfy constraint: Member must have length greater than or equal to 1",
      ),
    );
    expect(await ask('POST', path, {})).toEqual(
      violates("Value null at 'tags' failed to satisfy constraint: Member must not be null"),
    );
    expect(await ask('POST', path, { Tags: { a: 1 } })).toEqual(
      fault(400, 'SerializationException', "NUMBER_VALUE cannot be converted to String at 'tags'"),
    );
    expect(await ask('DELETE', path)).toEqual(
      violates("Value null at 'tagKeys' failed to satisfy constraint: Member must not be null"),
    );
    expect(await ask('GET', `/tags/${encodeURIComponent('arn:aws:s3:::x')}`)).toEqual(
      violates(
        String.raw`Value 'arn:aws:s3:::x' at 'resourceArn' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:aws(-[a-z]+)?:airflow:[a-z0-9\-]+:\d{12}:environment/\w+.*`,
      ),
    );
    const elsewhere = arnOf('two').replace('us-east-1', 'eu-west-1');
    expect(await ask('GET', `/tags/${encodeURIComponent(elsewhere)}`)).toEqual(
      fault(404, 'ResourceNotFoundException', `No environment with ARN ${elsewhere} found.`),
    );
    const foreign = arnOf('two').replace(
      account,
      account === '1'.repeat(12) ? '2'.repeat(12) : '1'.repeat(12),
    );
    expect(await ask('DELETE', `/tags/${encodeURIComponent(foreign)}?tagKeys=a`)).toEqual(
      fault(
        403,
        'AccessDeniedException',
        `User: arn:aws:iam::${account}:root is not authorized to perform: airflow:UntagResource on resource: ${foreign} because no resource-based policy allows the airflow:UntagResource action`,
        'Message',
      ),
    );
    // The ARN is one segment: with its slash unescaped there is no such path.
    expect((await ask('GET', `/tags/${arnOf('two')}`)).errorType).toBe('UnknownOperationException');
  });
});

describe('PublishMetrics', () => {
  test('is no longer available, whatever is published', async () => {
    const MetricData = [{ MetricName: 'a', Timestamp: 1_700_000_000.5, Value: 1.5, Unit: 'Count/Second' }];
    for (const name of ['two', 'nobody']) {
      expect(await ask('POST', `/metrics/environments/${name}`, { MetricData })).toEqual(
        invalid('This API is for internal use and not meant for public use, and is no longer available.'),
      );
    }
  });

  test('wrong requests are told first', async () => {
    expect(await ask('POST', '/metrics/environments/two', { MetricData: [{ MetricName: 'a' }] })).toEqual(
      violates(
        "Value null at 'metricData.1.member.timestamp' failed to satisfy constraint: Member must not be null",
      ),
    );
  });
});

describe('InvokeRestApi', () => {
  test.for([
    ['two', '/api/v1'],
    ['three', '/api/v2'],
  ] as const)('%s is called at %s', async ([name, root]) => {
    expect(await invoke(name, { Path: '/dags', Method: 'GET', Body: {}, QueryParameters: {} })).toEqual(
      rest(200, { dags: [], total_entries: 0 }),
    );
    expect(await invoke(name, { Path: '/echo', Method: 'GET', Body: {} })).toEqual(
      rest(200, { method: 'GET', target: `${root}/echo`, body: '' }),
    );
  });

  test('path, query and body arrive as they were meant', async () => {
    const run = '/echo/a b/dagRuns/manual__2026-01-01T00:00:00+00:00';
    const QueryParameters = { limit: 5, only_active: false, tags: ['x', 'y&z=#'], q: 'a/b?c é' };
    expect(
      await invoke('three', { Path: run, Method: 'PATCH', QueryParameters, Body: { note: 'ü\n' } }),
    ).toEqual(
      rest(200, {
        method: 'PATCH',
        target:
          '/api/v2/echo/a%20b/dagRuns/manual__2026-01-01T00%3A00%3A00%2B00%3A00?limit=5&only_active=false&tags=x&tags=y%26z%3D%23&q=a%2Fb%3Fc%20%C3%A9',
        body: '{"note":"ü\\n"}',
      }),
    );
    expect(
      await invoke('three', '{"Path":"/echo","Method":"POST","Body":{"conf":{"id":12345678901234567890}}}'),
    ).toEqual(
      rest(200, { method: 'POST', target: '/api/v2/echo', body: '{"conf":{"id":12345678901234567890}}' }),
    );
    const long = `/echo/${'x'.repeat(1000)}`;
    expect(await invoke('three', { Path: long, Method: 'DELETE' })).toEqual(
      rest(200, { method: 'DELETE', target: `/api/v2${long}`, body: '' }),
    );
  });

  test('whatever Airflow answers', async () => {
    expect(await invoke('three', { Path: '/nothing', Method: 'DELETE' })).toEqual(rest(204, {}));
    expect(await invoke('three', { Path: '/missing', Method: 'GET' })).toEqual(
      restFault('RestApiClientException', 404, 'Airflow answered 404 Not Found: there is none', {
        detail: 'there is none',
      }),
    );
    expect(await invoke('three', { Path: '/broken', Method: 'GET' })).toEqual(
      restFault('RestApiServerException', 500, 'Airflow answered 500 Internal Server Error', '<h1>oh</h1>'),
    );
    const redirect = 'Airflow redirects this request, and redirects are not followed. Call /dags instead.';
    expect(await invoke('three', { Path: '/moved', Method: 'POST' })).toEqual(
      restFault('RestApiClientException', 307, `Airflow answered 307 Temporary Redirect: ${redirect}`, {
        title: 'Redirect',
        detail: redirect,
        status: 307,
      }),
    );
    const tooLarge = 'The answer of Airflow is larger than 6291456 bytes. Ask for smaller pages (limit).';
    expect(await invoke('three', { Path: '/large', Method: 'GET' })).toEqual(
      restFault('RestApiServerException', 502, tooLarge, {
        title: 'Answer too large',
        detail: tooLarge,
        status: 502,
      }),
    );
  });

  test('ten seconds are the limit', async () => {
    const late =
      'Airflow did not answer within 10 seconds. It may still act on the request. Ask for less, or for smaller pages (limit).';
    const begun = performance.now();
    expect(await invoke('three', { Path: '/slow', Method: 'GET' })).toEqual(
      restFault('RestApiServerException', 504, late, {
        title: 'Timeout',
        detail: late,
        status: 504,
      }),
    );
    expect(performance.now() - begun).toBeLessThan(14_000);
  });

  test('six megabytes may be sent, and no more', async () => {
    const body = (bytes: number) => {
      const frame = JSON.stringify({ Path: '/dags', Method: 'POST', Body: { x: '' } });
      return frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`);
    };
    const limit = 6 * 1024 * 1024;
    expect((await invoke('three', body(limit))).status).toBe(200);
    expect(await invoke('three', body(limit + 1))).toEqual(
      fault(413, 'RequestEntityTooLargeException', 'The request body is larger than 6291456 bytes.'),
    );
  });

  test.for([
    ['dags', 'It must begin with a slash, for instance /dags.'],
    ['@evil.example', 'It must begin with a slash, for instance /dags.'],
    ['https://evil.example/', 'It must begin with a slash, for instance /dags.'],
    ['//evil.example/', 'The path holds an empty segment.'],
    ['/../../health', 'The path holds a dot segment.'],
    ['/%2e%2e/%2e%2e/health', 'The path holds a dot segment.'],
    ['/dags/%2f..', 'It holds an encoded slash.'],
    ['/dags\\..\\x', 'The path holds a control character, a backslash or a double encoding.'],
    ['/dags/%00', 'The path holds a control character, a backslash or a double encoding.'],
    ['/dags/\0', 'The path holds a control character, a backslash or a double encoding.'],
    ['/dags\r\nX-A: b', 'The path holds a control character, a backslash or a double encoding.'],
    ['/%252e%252e/x', 'The path holds a control character, a backslash or a double encoding.'],
    ['/dags?limit=1', 'It must not hold ? or #; parameters belong in QueryParameters.'],
    ['/dags#x', 'It must not hold ? or #; parameters belong in QueryParameters.'],
    ['/dags/%', 'It is not percent-encoded UTF-8; a percent sign itself is written %25.'],
    ['/auth/logout', 'The paths below /auth are not served: the caller is signed in already.'],
    ['/%41uth/token', 'The paths below /auth are not served: the caller is signed in already.'],
  ])('the path %j leads nowhere', async ([Path, why]) => {
    expect(await invoke('three', { Path, Method: 'GET' })).toEqual(
      invalid(`Invalid request provided: Path is not valid. ${why}`),
    );
  });

  test('wrong requests', async () => {
    expect(await invoke('three', { Path: '/dags', Method: 'OPTIONS' })).toEqual(
      violates(
        "Value 'OPTIONS' at 'method' failed to satisfy constraint: Member must satisfy enum value set: [GET, PUT, POST, PATCH, DELETE]",
      ),
    );
    expect(await invoke('three', {})).toEqual(
      invalid(
        "2 validation errors detected: Value null at 'path' failed to satisfy constraint: Member must not be null; Value null at 'method' failed to satisfy constraint: Member must not be null",
      ),
    );
    expect(await invoke('three', { Path: '/dags', Method: 'GET', QueryParameters: { a: { b: 1 } } })).toEqual(
      invalid(
        'Invalid request provided: QueryParameters is not valid. a must be text, a number, true, false, or a list of those.',
      ),
    );
    expect(await invoke('nobody', { Path: '/dags', Method: 'GET' })).toEqual(
      fault(404, 'ResourceNotFoundException', 'No environment named nobody found.'),
    );
  });

  test('what callers send with it is in no log', async () => {
    await invoke('three', { Path: '/echo', Method: 'POST', Body: { value: 'a-secret-of-theirs' } });
    expect(serverLog(rig.place)).toContain('InvokeRestApi');
    expect(serverLog(rig.place)).not.toContain('a-secret-of-theirs');
    expect(serverLog(rig.place)).not.toContain('not recorded');
  });
});

describe('the worst requests of one leave the others their turn', () => {
  const mebibyte = 1024 * 1024;
  let iam: Iam;
  let ann: Key;
  let ben: Key;

  beforeAll(async () => {
    iam = new Iam(rig.place);
    const may = ['iam:SimulateCustomPolicy', 'airflow:InvokeRestApi'];
    ann = await iam.user('ann', { statements: [{ Action: may }] });
    ben = await iam.user('ben', { statements: [{ Action: 'airflow:ListEnvironments' }] });
  });

  /** How often ben is answered, one call after the other, before the work has ended. */
  const answersMeanwhile = async (work: Promise<unknown>): Promise<number> => {
    let [answers, hasEnded] = [0, false];
    const end = () => {
      hasEnded = true;
    };
    work.then(end, end);
    while (!hasEnded) {
      const { status } = await signed(rig.place, { path: '/environments', key: ben });
      expect(status).toBe(200);
      if (!hasEnded) answers += 1;
    }
    return answers;
  };

  /** The code of the refusal, or `ok`. */
  const simulate = (PolicyDocuments: readonly object[], more: Parameters<Iam['call']>[1] = {}) =>
    iam
      .call(
        'SimulateCustomPolicy',
        {
          PolicyInputList: PolicyDocuments.map((Statement) =>
            JSON.stringify({
              Version: '2012-10-17',
              Statement: { Effect: 'Allow', Action: 's3:*', ...Statement },
            }),
          ),
          ActionNames: Array.from({ length: 100 }, (_, i) => `s3:Get${i}`),
          ResourceArns: Array.from({ length: 10 }, () => `arn:aws:s3:::${'a'.repeat(2_000)}`),
          MaxItems: 1_000,
          ...more,
        },
        ann,
      )
      .then(
        () => 'ok',
        (error: unknown) => (error instanceof QueryFault ? error.code : String(error)),
      );

  test('SimulateCustomPolicy with many patterns', async () => {
    const Resource = Array.from({ length: 700 }, (_, i) => `arn:aws:s3:::*a?b*${i}`);
    const worst = simulate(Array(20).fill({ Resource }));
    expect(await answersMeanwhile(worst)).toBeGreaterThanOrEqual(3);
    expect(await worst).toBe('ok');
  });

  test('SimulateCustomPolicy with many condition keys is refused', async () => {
    const keys = (document: number) =>
      Object.fromEntries(Array.from({ length: 1_400 }, (_, i) => [`a:${document}-${i}`, '']));
    const documents = Array.from({ length: 12 }, (_, i) => ({
      Resource: '*',
      Condition: { StringEquals: keys(i) },
    }));
    expect(await simulate(documents)).toBe('InvalidInput');
  });

  test.each<[string, string, string]>([
    ['numbers', 'SerializationException', `{"QueryParameters":[${'1.0,'.repeat(1.4 * mebibyte)}1]}`],
    ['lists', 'ValidationException', `{"Body":[${'[],'.repeat(1.9 * mebibyte)}1]}`],
  ])('bodies with many %s', async (_name, code, body) => {
    const worst = Array.from({ length: 6 }, () =>
      signed(rig.place, { method: 'POST', path: '/restapi/two', body, key: ann }),
    );
    expect(await answersMeanwhile(Promise.all(worst))).toBeGreaterThanOrEqual(3);
    for (const { errorType } of await Promise.all(worst)) expect(errorType).toBe(code);
  });

  test('forms of nobody who is known', async () => {
    const authorization =
      'AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0';
    const headers = { host: 'localhost', authorization };
    const forms = Array.from({ length: 20 }, () =>
      send(rig.place, { method: 'POST', path: '/', headers, body: 'a&'.repeat(mebibyte / 2) }),
    );
    expect((await signed(rig.place, { path: '/environments', key: ben })).status).toBe(200);
    for (const { errorType } of await Promise.all(forms)) expect(errorType).toBe('MalformedInput');
  });
});
