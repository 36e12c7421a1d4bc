import { request } from 'node:http';
import aws4 from 'aws4';
import { rootKey } from './mwaa.ts';
import type { Place } from './server.ts';

/** Long-lived, or temporary with a session token. */
export interface Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface RawAnswer {
  readonly status: number;
  readonly requestId: string;
  readonly errorType: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RawOptions {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly region?: string;
  readonly service?: string;
  /** The root user's when left out. */
  readonly key?: Key;
  /** How the request is changed after it was signed. */
  readonly tamper?: (headers: Record<string, string | number>) => void;
}

const parsed = (text: string): Readonly<Record<string, unknown>> => {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { text };
  }
};

/** Sends a request as it is; `headers` are the whole of them. */
export const send = (
  place: Place,
  o: { method: string; path: string; headers: Record<string, string | number>; body?: string | undefined },
): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const target = { host: '127.0.0.1', port: place.ports.api, agent: false, timeout: 30_000 };
    const sent = request({ ...target, method: o.method, path: o.path, headers: o.headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => {
        const type = answer.headers['x-amzn-errortype'];
        resolve({
          status: answer.statusCode ?? 0,
          requestId: String(answer.headers['x-amzn-requestid'] ?? ''),
          errorType: Array.isArray(type) ? type[0] : type,
          body: parsed(text),
        });
      });
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', reject);
    sent.end(o.body);
  });

/** Signs a request as another implementation of Signature Version 4 does it, and sends it. */
export const signed = (place: Place, o: RawOptions): Promise<RawAnswer> => {
  const { accessKeyId, secretAccessKey, sessionToken }: Key = o.key ?? rootKey(place);
  const { headers } = aws4.sign(
    {
      method: o.method ?? 'GET',
      host: `localhost:${place.ports.api}`,
      path: o.path,
      service: o.service ?? 'airflow',
      region: o.region ?? 'us-east-1',
      headers: { ...(o.body === undefined ? {} : { 'content-type': 'application/json' }), ...o.headers },
      ...(o.body === undefined ? {} : { body: o.body }),
    },
    { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
  );
  o.tamper?.(headers);
  return send(place, { method: o.method ?? 'GET', path: o.path, headers, body: o.body });
};
