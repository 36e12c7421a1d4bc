import type { ServerResponse } from 'node:http';
import { WindsockError } from '../lib/errors.ts';

/** A request that the door answers itself, with a status and a text for whoever sent it. */
export class Refusal extends WindsockError {
  readonly status: number;

  constructor(status: number, publicText: string, code = 'Refused') {
    super(code, publicText);
    this.status = status;
  }
}

/** On every answer that is the door's own. */
export const ownHeaders = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body: string;
  /** The same for people, with the id by which an administrator finds the request. */
  readonly bodyFor?: (requestId: string) => string;
}

/** Sends an answer of the door's own, with the id of the request once that has one; a HEAD request gets no body. */
export const send = (res: ServerResponse, answer: Answer, requestId?: string): void => {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const body = requestId === undefined ? answer.body : (answer.bodyFor?.(requestId) ?? answer.body);
  res.writeHead(answer.status, {
    ...ownHeaders,
    ...(requestId === undefined ? {} : { 'x-request-id': requestId }),
    ...answer.headers,
    'content-length': Buffer.byteLength(body),
  });
  res.end(res.req.method === 'HEAD' ? '' : body);
};

export const json = (status: number, body: unknown, headers: Answer['headers'] = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: `${JSON.stringify(body)}\n`,
});

/** The JSON of a refusal: `title`/`detail` as Airflow's REST API says it, `message` as AWS says it. */
export const problem = (status: number, text: string, code?: string): Answer =>
  json(
    status,
    { ...(code ? { error: code } : {}), title: text, detail: text, message: text, status },
    challenge(status),
  );

const challenge = (status: number): Record<string, string> => {
  if (status === 401) return { 'www-authenticate': 'Bearer realm="windsock"' };
  return status === 429 ? { 'retry-after': '1' } : {};
};
