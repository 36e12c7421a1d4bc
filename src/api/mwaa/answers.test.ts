// What is answered has the form that the contract gives, and what is asked for is the contract's.
import { expect, test } from 'vitest';
import { validate } from '../../contract/constraints.ts';
import { type OperationName, operations } from '../../contract/operations.ts';
import type { Operation } from '../operation.ts';
import { available, call, createInput, fakeWorld } from '../testing.ts';
import { servedOperations } from './served.ts';

test.each(Object.entries(servedOperations) as [OperationName, Operation][])(
  '%s takes the input of the contract',
  (name, operation) => {
    expect(operation.name).toBe(name);
    expect(operation.input).toBe(operations[name].input);
    expect(operation.action).toBe(`airflow:${name}`);
  },
);

const arn = encodeURIComponent('arn:aws:airflow:us-east-1:123456789012:environment/demo');
const full = {
  ...createInput,
  Tags: { a: 'b' },
  AirflowConfigurationOptions: { 'core.x': 'y' },
  KmsKey: 'alias/mine',
};

/** Answers in which the product is not the model, and meant not to be: clients get host names with a port. */
const meant: Partial<Record<OperationName, RegExp>> = {
  GetEnvironment: /^1 validation error detected: Value 'localhost:7443' at 'environment.webserverUrl'/,
  CreateWebLoginToken: /^1 validation error detected: Value 'localhost:7443' at 'webServerHostname'/,
  CreateCliToken: /^1 validation error detected: Value 'localhost:7443' at 'webServerHostname'/,
};

const fault = (name: OperationName, answer: unknown): string => {
  try {
    expect(validate(operations[name].output, answer)).toEqual(answer);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

test.each([
  ['CreateEnvironment', 'PUT', '/environments/other', full],
  ['GetEnvironment', 'GET', '/environments/demo', undefined],
  ['ListEnvironments', 'GET', '/environments?MaxResults=1', undefined],
  ['CreateCliToken', 'POST', '/clitoken/demo', undefined],
  ['CreateWebLoginToken', 'POST', '/webtoken/demo', undefined],
  ['TagResource', 'POST', `/tags/${arn}`, { Tags: { c: 'd' } }],
  ['ListTagsForResource', 'GET', `/tags/${arn}`, undefined],
  ['UntagResource', 'DELETE', `/tags/${arn}?tagKeys=c`, undefined],
  ['DeleteEnvironment', 'DELETE', '/environments/demo', undefined],
] as const)('%s answers in the form of the contract', async (name, method, path, input) => {
  const world = fakeWorld();
  await available(world, 'demo', full);
  const answer = await call(world, method, path, input);
  expect(answer.status).toBe(200);
  expect(fault(name, answer.json)).toMatch(meant[name] ?? /^$/);
});
