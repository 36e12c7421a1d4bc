import { STATUS_CODES } from 'node:http';
import { type AwsError, restApiException } from '../../contract/errors.ts';
import { RawJson, scanJson } from '../../lib/json-scan.ts';
import type { NoRestAnswer, RestAnswer } from '../../upstream/rest-call.ts';
import type { Output } from '../operation.ts';
import { wordsOf } from './words.ts';

/** Any JSON as it came, other text as a string, nothing as an empty object: clients look into it. */
const documentOf = async (body: Buffer): Promise<unknown> => {
  if (body.length === 0) return {};
  const text = body.toString('utf8');
  return (await scanJson(text)) ? new RawJson(text) : text;
};

/** Bytes of an answer that are read for their words in one turn; an error of Airflow has a few hundred. */
const mostForWords = 64 * 1024;

/** What an error of Airflow says for people; nothing where it is no JSON, or larger than errors are. */
const errorWords = (body: Buffer): string => {
  if (body.length > mostForWords) return '';
  try {
    return wordsOf(JSON.parse(body.toString('utf8')));
  } catch {
    return '';
  }
};

const answered = (status: number): string => `Airflow answered ${status}`;

/** With the reason, for people: `Airflow answered 404 Not Found: …`. */
const answeredInFull = (status: number, words: string): string => {
  const reason = STATUS_CODES[status];
  const head = reason === undefined ? answered(status) : `${answered(status)} ${reason}`;
  return words === '' ? head : `${head}: ${words}`;
};

/** In the form in which Airflow's own API tells its errors, for what Airflow did not say itself. */
const problem = (status: number, title: string, detail: string) => ({ title, detail, status });

/** Where Airflow sends the caller, as a Path of InvokeRestApi; undefined when that is outside of its API. */
const pathInside = (root: string, location: string | undefined): string | undefined => {
  if (location === undefined || !URL.canParse(location, 'http://airflow.invalid')) return undefined;
  const { pathname } = new URL(location, 'http://airflow.invalid');
  return pathname.startsWith(`${root}/`) ? pathname.slice(root.length) : undefined;
};

const redirected = (answer: RestAnswer, root: string): AwsError => {
  const there = pathInside(root, answer.location);
  const hint = there === undefined ? '' : ` Call ${there} instead.`;
  const detail = `Airflow redirects this request, and redirects are not followed.${hint}`;
  return restApiException(
    'RestApiClientException',
    { RestApiStatusCode: answer.status, RestApiResponse: problem(answer.status, 'Redirect', detail) },
    { text: answered(answer.status), message: answeredInFull(answer.status, detail) },
  );
};

/**
 * What Airflow answered as the answer of InvokeRestApi. Throws RestApiClientException for 4xx and for redirects,
 * RestApiServerException for 5xx.
 */
export const restApiOutput = async (answer: RestAnswer, root: string): Promise<Output> => {
  const { status } = answer;
  if (status >= 300 && status < 400) throw redirected(answer, root);
  const output = { RestApiStatusCode: status, RestApiResponse: await documentOf(answer.body) };
  if (status < 400) return output;
  const name = status < 500 ? 'RestApiClientException' : 'RestApiServerException';
  throw restApiException(name, output, {
    text: answered(status),
    message: answeredInFull(status, errorWords(answer.body)),
  });
};

const unanswered = (status: number, title: string, detail: string): AwsError =>
  restApiException(
    'RestApiServerException',
    { RestApiStatusCode: status, RestApiResponse: problem(status, title, detail) },
    { text: detail, message: detail },
  );

/** The web server is there and not to be used yet. */
export const airflowStarting = (name: string): AwsError =>
  unanswered(503, 'Starting', `Airflow of environment ${name} is starting. Try again in a few seconds.`);

/** Airflow was asked, and there is no answer to give: 504 after the time is over, else 502. */
export const airflowSilent = (error: NoRestAnswer): AwsError => {
  if (error.why === 'timed-out') {
    const more = 'It may still act on the request. Ask for less, or for smaller pages (limit).';
    return unanswered(504, 'Timeout', `${error.publicText} ${more}`);
  }
  if (error.why === 'too-large') {
    return unanswered(502, 'Answer too large', `${error.publicText} Ask for smaller pages (limit).`);
  }
  return unanswered(502, 'No answer', error.publicText);
};
