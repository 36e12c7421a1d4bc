import { validationException } from '../../contract/errors.ts';
import { operations } from '../../contract/operations.ts';
import type { Operation } from '../operation.ts';
import { onEnvironment } from './rights.ts';

/** Withdrawn by AWS, and answered so: whoever sends metrics must not believe that they are kept. */
export const publishMetrics: Operation = {
  name: 'PublishMetrics',
  input: operations.PublishMetrics.input,
  action: 'airflow:PublishMetrics',
  checks: onEnvironment('airflow:PublishMetrics', 'EnvironmentName'),
  auditsSuccess: false,
  execute: () => Promise.reject(validationException(operations.PublishMetrics.deprecated)),
};
