import { describe, expect, test } from 'vitest';
import { available, call, create, fakeWorld, setRecord, type World } from '../testing.ts';

const arnOf = (name: string) => `arn:aws:airflow:us-east-1:123456789012:environment/${name}`;
const pathOf = (arn: string) => `/tags/${encodeURIComponent(arn)}`;
const demo = pathOf(arnOf('demo'));

const tag = (world: World, Tags: unknown) => call(world, 'POST', demo, { Tags });
const untag = (world: World, ...keys: readonly string[]) =>
  call(world, 'DELETE', `${demo}?${keys.map((key) => `tagKeys=${encodeURIComponent(key)}`).join('&')}`);
const list = async (world: World) => (await call(world, 'GET', demo)).json['Tags'];
const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));

const tagged = async () => {
  const world = fakeWorld();
  await create(world, 'demo', { Tags: { a: '1', b: '2' } });
  setRecord(world, 'demo', { status: 'AVAILABLE', webserverHostname: 'localhost:7443' });
  world.audited.length = 0;
  return world;
};

describe('tags', () => {
  test('are merged, replaced, taken away and shown', async () => {
    const world = await tagged();
    expect(await tag(world, { b: '3', 'ключ é': 'x+y', ß: 'p' })).toMatchObject({
      status: 200,
      json: {},
    });
    const all = { a: '1', b: '3', 'ключ é': 'x+y', ß: 'p' };
    expect(await list(world)).toEqual(all);
    const { json } = await call(world, 'GET', '/environments/demo');
    expect((json['Environment'] as Record<string, unknown>)['Tags']).toEqual(all);
    expect(await untag(world, 'b', 'ключ é', 'ß', 'nobody has it')).toMatchObject({
      status: 200,
      json: {},
    });
    expect(await list(world)).toEqual({ a: '1' });
    expect(world.records.get('demo')).toMatchObject({ generation: 1, status: 'AVAILABLE' });
    expect(world.records.get('demo')?.spec).not.toHaveProperty('Tags');
  });

  test('are audited within the transaction, which fails with it', async () => {
    const world = await tagged();
    await tag(world, { c: '3' });
    await untag(world, 'c');
    const id = world.records.get('demo')?.id;
    expect(world.audited).toMatchObject([
      {
        eventName: 'TagResource',
        inTransaction: true,
        environmentId: id,
        requestParameters: { ResourceArn: arnOf('demo'), Tags: { c: '3' } },
      },
      {
        eventName: 'UntagResource',
        inTransaction: true,
        environmentId: id,
        requestParameters: { ResourceArn: arnOf('demo'), tagKeys: ['c'] },
      },
    ]);
    const audit = { write: () => Promise.reject(new Error('disk full')) };
    expect(await call({ deps: { ...world.deps, audit } }, 'POST', demo, { Tags: { d: '4' } })).toMatchObject({
      status: 500,
    });
    expect(await list(world)).toEqual({ a: '1', b: '2' });
  });

  test('repeats change nothing', async () => {
    const world = await tagged();
    for (let i = 0; i < 2; i += 1) {
      expect((await tag(world, { a: '9' })).status).toBe(200);
      expect((await untag(world, 'b')).status).toBe(200);
    }
    expect(await list(world)).toEqual({ a: '9' });
  });

  test('that differ by case only are refused, and nothing is stored', async () => {
    const world = await tagged();
    const refusal = (one: string, other: string) => ({
      status: 400,
      json: {
        message: `Invalid request provided: the tag keys ${one} and ${other} differ by case only, and policies take them for one. Use one spelling, and remove the other first.`,
      },
    });
    expect(await tag(world, { team: '1', Team: '2' })).toMatchObject(refusal('team', 'Team'));
    expect(await tag(world, { A: '9' })).toMatchObject(refusal('a', 'A'));
    expect(await list(world)).toEqual({ a: '1', b: '2' });
    expect(await create(world, 'other', { Tags: { x: '1', X: '2' } })).toMatchObject(refusal('x', 'X'));
    setRecord(world, 'demo', { tags: { a: '1', A: '2' } });
    expect((await tag(world, { A: '3', c: '4' })).status).toBe(200);
    expect((await untag(world, 'a')).status).toBe(200);
    expect(await list(world)).toEqual({ A: '3', c: '4' });
  });

  test('are empty where there are none', async () => {
    const world = fakeWorld();
    await available(world);
    expect(await list(world)).toEqual({});
    expect((await call(world, 'GET', '/environments/demo')).json).toMatchObject({
      Environment: { Tags: {} },
    });
  });

  test.each(['CREATING', 'UPDATING', 'DELETING', 'CREATE_FAILED', 'UNAVAILABLE'] as const)(
    'can be changed while %s',
    async (status) => {
      const world = await tagged();
      setRecord(world, 'demo', { status });
      expect((await tag(world, { c: '3' })).status).toBe(200);
    },
  );

  test('are 50 at most, those that are there included', async () => {
    const world = await tagged();
    expect((await tag(world, many(48))).status).toBe(200);
    expect((await tag(world, many(48))).status).toBe(200);
    expect(await tag(world, { onemore: 'v' })).toMatchObject({
      status: 400,
      json: {
        __type: 'ValidationException',
        message:
          'Invalid request provided: the environment would have 51 tags, and 50 are allowed. Remove some first.',
      },
    });
    expect((await tag(world, many(51))).json['message']).toMatch(/at 'tags' failed .* equal to 50$/);
    expect((await untag(world, ...Object.keys(many(51)))).json['message']).toMatch(
      /at 'tagKeys' failed .* equal to 50$/,
    );
    expect(Object.keys((await list(world)) as object)).toHaveLength(50);
  });

  test.each([
    ['POST', demo, {}, "Value null at 'tags' failed to satisfy constraint: Member must not be null"],
    ['POST', demo, { Tags: {} }, "Value '{}' at 'tags' failed .* greater than or equal to 1"],
    ['POST', demo, { Tags: { a: '' } }, "at 'tags' failed .*: Map value must satisfy constraint"],
    ['POST', demo, { Tags: { 'a*': 'b' } }, "at 'tags' failed .*: Map keys must satisfy constraint"],
    ['DELETE', demo, undefined, "Value null at 'tagKeys' failed"],
    ['DELETE', `${demo}?tagKeys=`, undefined, "at 'tagKeys' failed .*greater than or equal to 1"],
    ['DELETE', `${demo}?TagKeys=a`, undefined, "Value null at 'tagKeys' failed"],
    ['GET', pathOf('arn:aws:s3:::bucket'), undefined, "at 'resourceArn' failed .* pattern"],
    ['POST', demo, { Tags: { 'aws:x': 'y' } }, 'the tag key aws:x begins with aws:, which is reserved'],
    ['DELETE', `${demo}?tagKeys=Aws%3Ax`, undefined, 'the tag key Aws:x begins with aws:, which is reserved'],
  ])('%s %s %j: ValidationException', async (method, path, input, message) => {
    const world = await tagged();
    const answer = await call(world, method, path, input);
    expect(answer).toMatchObject({ status: 400, type: 'ValidationException' });
    expect(answer.json['message']).toMatch(new RegExp(message));
    expect(await list(world)).toEqual({ a: '1', b: '2' });
  });

  test.each([
    ['nobody', arnOf('nobody')],
    ['another Region', arnOf('demo').replace('us-east-1', 'eu-west-1')],
    ['another partition', arnOf('demo').replace('arn:aws:', 'arn:aws-cn:')],
    ['a path behind the name', arnOf('demo/more')],
  ])('of %s: ResourceNotFoundException', async (_what, arn) => {
    const world = await tagged();
    for (const [method, query, input] of [
      ['GET', '', undefined],
      ['POST', '', { Tags: { a: 'b' } }],
      ['DELETE', '?tagKeys=a', undefined],
    ] as const) {
      expect(await call(world, method, pathOf(arn) + query, input)).toMatchObject({
        status: 404,
        json: { __type: 'ResourceNotFoundException', message: `No environment with ARN ${arn} found.` },
      });
    }
  });

  test('of another account: AccessDeniedException', async () => {
    const arn = arnOf('demo').replace('123456789012', '999999999999');
    expect(await call(await tagged(), 'GET', pathOf(arn))).toMatchObject({
      status: 403,
      json: {
        __type: 'AccessDeniedException',
        Message: `User: arn:aws:iam::123456789012:root is not authorized to perform: airflow:ListTagsForResource on resource: ${arn} because no resource-based policy allows the airflow:ListTagsForResource action`,
      },
    });
  });
});
