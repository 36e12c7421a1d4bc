import { validationException } from '../../contract/errors.ts';
import { RawJson } from '../../lib/json-scan.ts';

const isEmptyObject = ({ text }: RawJson): boolean => /^\{\s*\}$/.test(text);

/**
 * The body to send. GET and DELETE have none: the empty object that Airflow's own client sends with them is dropped.
 * Throws ValidationException for a GET with another body.
 */
export const restApiBody = (method: string, given: unknown): string | undefined => {
  if (!(given instanceof RawJson)) return undefined;
  if ((method === 'GET' || method === 'DELETE') && isEmptyObject(given)) return undefined;
  if (method === 'GET') {
    throw validationException('Invalid request provided: a GET has no Body. Leave it out or send {}.');
  }
  return given.text;
};
