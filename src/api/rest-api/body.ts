import { validationException } from '../../contract/errors.ts';
import { numberText } from '../../lib/exact-json.ts';

const isEmptyObject = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  numberText(value) === undefined &&
  Object.keys(value).length === 0;

/**
 * The body to send. GET and DELETE have none: the empty object that Airflow's own client sends with them is dropped.
 * Throws ValidationException for a GET with another body, and for one that is nested too deeply.
 */
export const restApiBody = (method: string, given: unknown): string | undefined => {
  if (given === undefined) return undefined;
  if ((method === 'GET' || method === 'DELETE') && isEmptyObject(given)) return undefined;
  if (method === 'GET') {
    throw validationException('Invalid request provided: a GET has no Body. Leave it out or send {}.');
  }
  try {
    return JSON.stringify(given);
  } catch {
    throw validationException('Invalid request provided: Body is nested too deeply.');
  }
};
