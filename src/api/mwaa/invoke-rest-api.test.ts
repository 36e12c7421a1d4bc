import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { ApiDeps } from '../deps.ts';
import { available, call, create, fakeWorld, setRecord } from '../testing.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** An available environment whose Airflow gives that reply. */
const open = async (reply: Reply = { body: '{"dags":[]}' }, version = '3.3.1') => {
  const seen: Seen[] = [];
  const server = createServer((req, res) => {
    let body = '';
    req.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    req.on('end', () => {
      seen.push({ method: req.method ?? '', url: req.url ?? '', headers: req.headers, body });
      res.writeHead(reply.status ?? 200, reply.headers ?? {}).end(reply.body ?? '');
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const world = fakeWorld();
  await create(world, 'demo', { AirflowVersion: version });
  setRecord(world, 'demo', { status: 'AVAILABLE', webserverHostname: 'localhost:7443' });
  world.audited.length = 0;
  const signed: unknown[] = [];
  const deps: ApiDeps = {
    ...world.deps,
    driver: { ...world.deps.driver, webTarget: () => ({ host: '127.0.0.1', port, startId: '1' }) },
    assertions: {
      sign: async (...args) => {
        signed.push(args);
        return 'the-assertion';
      },
    },
  };
  return { world, deps, seen, signed, id: world.records.get('demo')?.id };
};
type Opened = Awaited<ReturnType<typeof open>>;

const invoke = (o: Pick<Opened, 'deps'>, input: unknown) => call(o, 'POST', '/restapi/demo', input);
const get = { Path: '/dags', Method: 'GET' };

describe('InvokeRestApi', () => {
  test('asks Airflow with an assertion for this action, and nothing of the caller', async () => {
    const o = await open();
    const answer = await invoke(o, { ...get, Body: {}, QueryParameters: { limit: 5, tags: ['a', 'b'] } });
    expect(answer).toMatchObject({
      status: 200,
      json: { RestApiStatusCode: 200, RestApiResponse: { dags: [] } },
    });
    expect(o.seen).toEqual([
      {
        method: 'GET',
        url: '/api/v2/dags?limit=5&tags=a&tags=b',
        body: '',
        headers: {
          accept: 'application/json',
          authorization: 'Bearer the-assertion',
          connection: 'keep-alive',
          host: 'localhost:7443',
          'x-forwarded-for': '127.0.0.1',
          'x-forwarded-host': 'localhost:7443',
          'x-forwarded-port': '7443',
          'x-forwarded-proto': 'https',
        },
      },
    ]);
    expect(o.signed).toMatchObject([
      [{ airflowIdentity: 'root', mint: { userAgent: 'test/1' } }, { name: 'demo' }, 'airflow:InvokeRestApi'],
    ]);
  });

  test('Airflow 2 is asked at /api/v1; bodies arrive to the digit', async () => {
    const o = await open({ body: '{"id":12345678901234567890,"half":1.0}' }, '2.7.2');
    const body =
      '{"Path":"/dags/a/dagRuns","Method":"POST","Body":{"conf":{"id":12345678901234567890,"x":1.0}}}';
    const answer = await invoke(o, body);
    expect(o.seen).toMatchObject([
      { method: 'POST', url: '/api/v1/dags/a/dagRuns', body: '{"conf":{"id":12345678901234567890,"x":1.0}}' },
    ]);
    expect(o.seen[0]?.headers['content-type']).toBe('application/json');
    expect(answer.text).toBe(
      '{"RestApiStatusCode":200,"RestApiResponse":{"id":12345678901234567890,"half":1.0}}',
    );
  });

  test.each([
    ['[1,"two",null]', [1, 'two', null]],
    ['"text"', 'text'],
    ['false', false],
    ['null', null],
    ['', {}],
    ['<html>no JSON</html>', '<html>no JSON</html>'],
  ])('an answer %j is %j', async (body, expected) => {
    const answer = await invoke(await open({ status: body === '' ? 204 : 200, body }), get);
    expect(answer.json).toEqual({ RestApiStatusCode: body === '' ? 204 : 200, RestApiResponse: expected });
  });

  test.each([
    [404, 'RestApiClientException', '{"detail":"no such DAG"}', 'Not Found: no such DAG'],
    [401, 'RestApiClientException', '', 'Unauthorized'],
    [422, 'RestApiClientException', '[1]', 'Unprocessable Entity'],
    [429, 'RestApiClientException', 'slow down', 'Too Many Requests'],
    [500, 'RestApiServerException', '{"detail":"oh"}', 'Internal Server Error: oh'],
    [503, 'RestApiServerException', '<html>', 'Service Unavailable'],
  ])('%i is a %s: HTTP 400 with status, answer and words', async (status, name, body, words) => {
    const o = await open({ status, body });
    const answer = await invoke(o, get);
    expect([answer.status, answer.type]).toEqual([400, name]);
    const response = body.startsWith('{') || body.startsWith('[') ? JSON.parse(body) : body || {};
    const message = `Airflow answered ${status} ${words}`;
    expect(answer.json).toEqual({
      __type: name,
      message,
      RestApiStatusCode: status,
      RestApiResponse: response,
    });
    expect(o.world.audited).toMatchObject([{ errorCode: name, errorMessage: `Airflow answered ${status}` }]);
  });

  test('a redirect is not followed, and says where to', async () => {
    const o = await open({ status: 307, headers: { location: 'http://localhost:7443/api/v2/dags' } });
    const answer = await invoke(o, { Path: '/dags/', Method: 'POST' });
    expect(answer).toMatchObject({
      status: 400,
      json: {
        __type: 'RestApiClientException',
        message:
          'Airflow answered 307 Temporary Redirect: Airflow redirects this request, and redirects are not followed. Call /dags instead.',
        RestApiStatusCode: 307,
        RestApiResponse: {
          detail: 'Airflow redirects this request, and redirects are not followed. Call /dags instead.',
        },
      },
    });
    expect(o.seen).toHaveLength(1);
  });

  test('6 MiB may come back, and not one byte more', async () => {
    const largest = 6 * 1024 * 1024;
    const fits = await invoke(await open({ body: `"${'x'.repeat(largest - 2)}"` }), get);
    expect(fits.status).toBe(200);
    const answer = await invoke(await open({ body: `"${'x'.repeat(largest - 1)}"` }), get);
    expect(answer).toMatchObject({
      status: 400,
      json: { __type: 'RestApiServerException', RestApiStatusCode: 502 },
    });
    expect(JSON.stringify(answer.json)).toContain('larger than 6291456 bytes');
  });

  test('an Airflow that breaks off is a RestApiServerException with 502', async () => {
    const o = await open();
    const deps = {
      ...o.deps,
      driver: { ...o.deps.driver, webTarget: () => ({ host: '127.0.0.1', port: 9, startId: '1' }) },
    };
    expect(await invoke({ deps }, get)).toMatchObject({
      status: 400,
      json: {
        __type: 'RestApiServerException',
        message: 'The web server of Airflow did not answer.',
        RestApiStatusCode: 502,
        RestApiResponse: { detail: 'The web server of Airflow did not answer.' },
      },
    });
  });

  test('a web server that is not up yet is one with 503', async () => {
    const world = fakeWorld();
    await available(world);
    expect(await invoke(world, get)).toMatchObject({
      status: 400,
      json: {
        __type: 'RestApiServerException',
        message: 'Airflow of environment demo is starting. Try again in a few seconds.',
        RestApiStatusCode: 503,
        RestApiResponse: { detail: 'Airflow of environment demo is starting. Try again in a few seconds.' },
      },
    });
  });

  test('only while there is a web server, 404 when absent', async () => {
    const world = fakeWorld();
    expect((await invoke(world, get)).json).toEqual({
      __type: 'ResourceNotFoundException',
      message: 'No environment named demo found.',
    });
    await create(world);
    expect((await invoke(world, get)).json).toEqual({
      __type: 'ValidationException',
      message:
        'Environment demo is in status CREATING: its web server does not run. Wait until it is AVAILABLE.',
    });
  });

  test('who has no role is refused in the words that clients look for', async () => {
    const o = await open();
    const deps = { ...o.deps, assertions: { sign: async () => undefined } };
    expect(await invoke({ deps }, get)).toMatchObject({
      status: 403,
      json: { __type: 'AccessDeniedException', Message: 'No Airflow role granted in IAM.' },
    });
    expect(o.seen).toEqual([]);
  });

  test.each([
    [{ Path: '/dags' }, "Value null at 'method' failed"],
    [{ Path: '', Method: 'GET' }, "Value '' at 'path' failed .*greater than or equal to 1"],
    [{ Path: '/dags', Method: 'HEAD' }, "Value 'HEAD' at 'method' failed .*GET, PUT, POST, PATCH, DELETE"],
    [{ Path: '/../../health', Method: 'GET' }, 'Path is not valid\\. The path holds a dot segment'],
    [{ Path: '/auth/logout', Method: 'GET' }, 'The paths below /auth are not served'],
    [{ ...get, QueryParameters: [] }, 'QueryParameters is not valid\\. It must be an object'],
    [{ ...get, Body: { a: 1 } }, 'a GET has no Body'],
  ])('%j: ValidationException, and Airflow hears nothing', async (input, message) => {
    const o = await open();
    const answer = await invoke(o, input);
    expect(answer).toMatchObject({ status: 400, type: 'ValidationException' });
    expect(answer.json['message']).toMatch(new RegExp(message));
    expect(o.seen).toEqual([]);
  });

  test('is audited with path and status, and without bodies', async () => {
    const o = await open({ status: 201, body: '{"value":"hunter2"}' });
    const input = { Path: '/variables', Method: 'POST', QueryParameters: { a: 1 } };
    await invoke(o, { ...input, Body: { key: 'k', value: 'hunter2' } });
    const same = {
      eventName: 'InvokeRestApi',
      readOnly: false,
      environmentId: o.id,
      requestParameters: { Name: 'demo', ...input, QueryParameters: ['a'], Body: '***' },
    };
    expect(o.world.audited).toMatchObject([
      { ...same, phase: 'intent' },
      { ...same, phase: 'outcome', responseElements: { RestApiStatusCode: 201 } },
    ]);
    expect(JSON.stringify(o.world.audited)).not.toContain('hunter2');
  });

  test('a question has one record; a failure after the intent is its outcome', async () => {
    const o = await open({ status: 404, body: '{}' });
    await invoke(o, { Path: '/dags', Method: 'GET' });
    await invoke(o, { Path: '/dags/x', Method: 'DELETE' });
    expect(o.world.audited.map(({ phase, errorCode }) => [phase, errorCode])).toEqual([
      [undefined, 'RestApiClientException'],
      ['intent', undefined],
      ['outcome', 'RestApiClientException'],
    ]);
  });
});
