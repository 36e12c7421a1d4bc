import { expect, test } from 'vitest';
import { call, fakeWorld } from '../testing.ts';

const publish = (world: ReturnType<typeof fakeWorld>, name: string, body: unknown) =>
  call(world, 'POST', `/metrics/environments/${name}`, body);

test('PublishMetrics is refused in the words of the model, and audited', async () => {
  const world = fakeWorld();
  expect(
    await publish(world, 'demo', { MetricData: [{ MetricName: 'a', Timestamp: 1, Unit: 'Count' }] }),
  ).toMatchObject({
    status: 400,
    json: {
      __type: 'ValidationException',
      message: 'This API is for internal use and not meant for public use, and is no longer available.',
    },
  });
  expect(world.audited).toMatchObject([
    {
      eventName: 'PublishMetrics',
      errorCode: 'ValidationException',
      requestParameters: { EnvironmentName: 'demo' },
    },
  ]);
});

test.each([
  ['demo', {}, "Value null at 'metricData' failed"],
  ['demo', { MetricData: [{ MetricName: 'a' }] }, "Value null at 'metricData.1.member.timestamp' failed"],
  ['demo', { MetricData: [{ MetricName: 'a', Timestamp: 1, Unit: 'Mile' }] }, 'enum value set: [Seconds, '],
  ['1demo', { MetricData: [] }, "Value '1demo' at 'environmentName' failed"],
])('PublishMetrics to %s of %j is checked first', async (name, body, message) => {
  const answer = await publish(fakeWorld(), name, body);
  expect(answer).toMatchObject({ status: 400, type: 'ValidationException' });
  expect(answer.json['message']).toContain(message);
});
