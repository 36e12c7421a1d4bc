import { validationException } from '../../contract/errors.ts';
import { numberText } from '../../lib/exact-json.ts';

const bad = (why: string) =>
  validationException(`Invalid request provided: QueryParameters is not valid. ${why}`);

const textOf = (name: string, value: unknown): string => {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  const digits = numberText(value);
  if (digits !== undefined) return digits;
  throw bad(`${name} must be text, a number, true, false, or a list of those.`);
};

const encode = (text: string): string => {
  try {
    return encodeURIComponent(text);
  } catch {
    throw bad('It holds half of a surrogate pair.');
  }
};

const pairs = (name: string, value: unknown): string[] => {
  if (value === null) return [];
  const values = Array.isArray(value) ? value : [value];
  return values.map((v) => `${encode(name)}=${encode(textOf(name.slice(0, 100), v))}`);
};

/**
 * QueryParameters as a query string: names and values encoded, a list as a repeated name, null left out. Throws
 * ValidationException for anything that is no object, and for values that a query cannot hold.
 */
export const restApiQuery = (given: unknown): string => {
  if (given === undefined) return '';
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw bad('It must be an object.');
  if (numberText(given) !== undefined) throw bad('It must be an object.');
  return Object.entries(given)
    .flatMap(([name, value]) => pairs(name, value))
    .join('&');
};
