import { createHash, createHmac } from 'node:crypto';

/** A request as the bytes of a socket, signed by hand, so that every fault can be built in. */
export interface SignedBytes {
  readonly method?: string;
  readonly target?: string;
  /** What the signature covers instead of the target; path and query as AWS's canonical request has them. */
  readonly canonical?: { readonly path?: string; readonly query?: string };
  /** Besides Host and X-Amz-Date, in this order; the same name may be there twice. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Names of the signed headers; Host, X-Amz-Date and every x-amz header when left out. */
  readonly signed?: readonly string[];
  readonly body?: string;
  /** What the signature covers instead of the body's SHA-256, as `x-amz-content-sha256` has it for S3. */
  readonly payload?: string;
  readonly host: string;
  readonly key: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** `DATE/REGION/SERVICE/aws4_request` when left out for airflow in us-east-1. */
  readonly scope?: string;
  /** `YYYYMMDDTHHMMSSZ`, now when left out. */
  readonly date?: string;
}

export const amzDate = (at = Date.now()): string =>
  new Date(at).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');

export const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
export const sha = (text: string) => createHash('sha256').update(text).digest('hex');

/** The key of a scope, `DATE/REGION/SERVICE/aws4_request`. */
export const scopeKey = (key: SignedBytes['key'], scope: string): Buffer => {
  const [day = '', region = '', service = '', end = ''] = scope.split('/');
  return [region, service, end].reduce(hmac, hmac(`AWS4${key.secretAccessKey}`, day));
};

/** The Authorization header of the request (IAM User Guide, "Create a signed AWS API request"). */
const authorization = (o: SignedBytes, date: string, headers: SignedBytes['headers'] = []): string => {
  const { target = '/environments', scope = `${date.slice(0, 8)}/us-east-1/airflow/aws4_request` } = o;
  const automatic = headers
    .map(([name]) => name.toLowerCase())
    .filter((name) => /^(host$|x-amz-)/.test(name));
  const names = [...(o.signed ?? new Set(automatic))].sort();
  const sent = (name: string) =>
    headers.flatMap(([other, value]) => (other.toLowerCase() === name ? [value.trim()] : [])).join(',');
  const [path = '/', query = ''] = target.split('?');
  const canonical = [
    o.method ?? 'GET',
    o.canonical?.path ?? path,
    o.canonical?.query ?? query,
    ...names.map((name) => `${name}:${sent(name)}`),
    '',
    names.join(';'),
    o.payload ?? sha(o.body ?? ''),
  ].join('\n');
  const signature = hmac(
    scopeKey(o.key, scope),
    ['AWS4-HMAC-SHA256', date, scope, sha(canonical)].join('\n'),
  ).toString('hex');
  return `AWS4-HMAC-SHA256 Credential=${o.key.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
};

/** The whole request, with `Connection: close`; `edit` changes the lines of its head after they were signed. */
export const signedBytes = (
  o: SignedBytes,
  edit: (lines: string[]) => string[] = (lines) => lines,
): string => {
  const date = o.date ?? amzDate();
  const headers = [['Host', o.host] as const, ['X-Amz-Date', date] as const, ...(o.headers ?? [])];
  const lines = [
    `${o.method ?? 'GET'} ${o.target ?? '/environments'} HTTP/1.1`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `Authorization: ${authorization(o, date, headers)}`,
    ...(o.body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(o.body)}`]),
    'Connection: close',
  ];
  return `${edit(lines).join('\r\n')}\r\n\r\n${o.body ?? ''}`;
};
