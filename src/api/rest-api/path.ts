import { validationException } from '../../contract/errors.ts';
import { pathFault } from '../../upstream/plain-path.ts';

/** The API that InvokeRestApi reaches; callers name paths below it. */
export const restApiRoot = (airflowVersion: string): '/api/v1' | '/api/v2' =>
  airflowVersion.startsWith('2.') ? '/api/v1' : '/api/v2';

const bad = (why: string) => validationException(`Invalid request provided: Path is not valid. ${why}`);

const decode = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw bad('It is not percent-encoded UTF-8; a percent sign itself is written %25.');
  }
};

const encode = (segment: string): string => {
  try {
    return encodeURIComponent(segment);
  } catch {
    throw bad('It holds half of a surrogate pair.');
  }
};

/** Logins and sessions are the door's and Windsock's own. */
const isClosed = (segments: readonly string[]): boolean => segments[1]?.toLowerCase() === 'auth';

/**
 * A path of Airflow's REST API as it goes on the wire: below the API's root, every segment decoded once and encoded
 * again, so that `:` and `+` of run ids may be given as they are. Throws ValidationException for whatever could lead
 * out of the API's tree or be read in two ways.
 */
export const restApiPath = (root: string, path: string): string => {
  if (!path.startsWith('/')) throw bad('It must begin with a slash, for instance /dags.');
  if (/[?#]/.test(path)) throw bad('It must not hold ? or #; parameters belong in QueryParameters.');
  const segments = path.split('/').map(decode);
  if (segments.some((segment) => segment.includes('/'))) throw bad('It holds an encoded slash.');
  const fault = pathFault(segments.join('/'));
  if (fault !== undefined) throw bad(fault);
  if (isClosed(segments)) throw bad('The paths below /auth are not served: the caller is signed in already.');
  return `${root}${segments.map(encode).join('/')}`;
};
