import { expect, test } from 'vitest';
import { available, call, fakeWorld, send, setRecord, signedHeaders } from '../testing.ts';

const ask = (world: ReturnType<typeof fakeWorld>, what: string, name = 'demo') =>
  call(world, 'POST', `/windsock/environments/${name}/${what}`);

test('an environment is stopped and started, once and with an audit entry each time', async () => {
  const world = fakeWorld();
  await available(world);
  for (const suspended of [true, true, false]) {
    expect(await ask(world, suspended ? 'stop' : 'start')).toMatchObject({ status: 200, json: {} });
    expect(world.records.get('demo')).toMatchObject({ suspended, status: 'AVAILABLE' });
  }
  expect(world.records.get('demo')?.generation).toBe(3);
  expect(world.audited.map(({ eventName, inTransaction }) => [eventName, inTransaction])).toEqual([
    ['StopEnvironment', true],
    ['StopEnvironment', true],
    ['StartEnvironment', true],
  ]);
});

test('while it is stopped nobody gets in, it says so, and it can be deleted but not changed', async () => {
  const world = fakeWorld();
  await available(world);
  await ask(world, 'stop');
  const message = 'Environment demo is stopped. Start it first: windsock environment start demo';
  expect((await call(world, 'POST', '/webtoken/demo')).json['message']).toBe(message);
  expect((await call(world, 'PATCH', '/environments/demo', '{"MinWorkers":2}')).json['message']).toBe(
    message,
  );
  const { json } = await call(world, 'GET', '/environments/demo');
  expect(json['Environment']).toMatchObject({
    Status: 'AVAILABLE',
    LastUpdate: { Error: { ErrorCode: 'ENVIRONMENT_STOPPED', ErrorMessage: message } },
  });
  expect((await call(world, 'DELETE', '/environments/demo')).status).toBe(200);
});

test('not while it is being changed, and 404 when it is not there', async () => {
  const world = fakeWorld();
  expect(await ask(world, 'stop')).toMatchObject({ status: 404 });
  await available(world);
  setRecord(world, 'demo', { status: 'UPDATING' });
  expect(await ask(world, 'stop')).toMatchObject({ status: 400, type: 'ValidationException' });
});

test('a signature for the one service is none for the other', async () => {
  const world = fakeWorld();
  await available(world);
  const path = '/windsock/environments/demo/stop';
  const forMwaa = await signedHeaders('POST', '/webtoken/demo', '');
  expect(await send(world.deps, 'POST', path, '', forMwaa)).toMatchObject({
    status: 403,
    type: 'InvalidSignatureException',
  });
  expect(world.records.get('demo')?.suspended).toBe(false);
});
