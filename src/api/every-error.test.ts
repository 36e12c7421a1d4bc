// An error without words is shown as nothing by clients: each has some, however it is written.
import { expect, test } from 'vitest';
import { iamService } from '../contract/aws-model.ts';
import * as errors from '../contract/errors.ts';
import { NoRestAnswer } from '../upstream/rest-call.ts';
import * as iamErrors from './iam/errors.ts';
import { renderQueryError } from './query-output.ts';
import { airflowSilent, airflowStarting, restApiOutput } from './rest-api/answer.ts';
import { renderError, renderJsonError } from './restjson.ts';

const thrown = async (status: number): Promise<errors.AwsError> => {
  try {
    await restApiOutput({ status, location: undefined, body: Buffer.alloc(0) }, '/api/v2');
  } catch (error) {
    return error as errors.AwsError;
  }
  throw new Error(`${status} is no error`);
};

const made = Object.entries({ ...errors, ...iamErrors }).flatMap(([name, make]) => {
  if (name === 'AwsError' || name === 'restApiException' || typeof make !== 'function') return [];
  return [[name, (make as (text: string, limit: number) => errors.AwsError)('Words.', 1)] as const];
});

test.each([
  ...made,
  ...(await Promise.all(
    [302, 400, 404, 499, 500, 599, 999].map(
      async (status) => [`Airflow's ${status}`, await thrown(status)] as const,
    ),
  )),
  ['no answer', airflowSilent(new NoRestAnswer('failed', 'Nothing.'))] as const,
  ['not yet', airflowStarting('demo')] as const,
])('%s', (_name, error) => {
  for (const render of [renderError, renderJsonError]) {
    const body = JSON.parse(render(error, 'id').body) as Record<string, unknown>;
    expect(body['message'] ?? body['Message']).toMatch(/\w/);
  }
  expect(renderQueryError(iamService.xmlNamespace, error, 'id').body).toMatch(/<Message>[^<]*\w/);
});

test('none was left out', () => {
  expect(made.length).toBeGreaterThan(20);
});
