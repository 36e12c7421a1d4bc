import { environmentArn } from '../../contract/arn.ts';
import { validationException } from '../../contract/errors.ts';
import { operations } from '../../contract/operations.ts';
import { type Operation, stringMember } from '../operation.ts';

/** Withdrawn by AWS, and answered so: whoever sends metrics must not believe that they are kept. */
export const publishMetrics: Operation = {
  name: 'PublishMetrics',
  input: operations.PublishMetrics.input,
  action: 'airflow:PublishMetrics',
  resources: (input, scope) => [environmentArn(scope, stringMember(input, 'EnvironmentName'))],
  auditsSuccess: false,
  execute: () => Promise.reject(validationException(operations.PublishMetrics.deprecated)),
};
