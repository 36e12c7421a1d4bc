import { hash } from 'node:crypto';

/** A request exactly as it arrived. Strings hold one byte a character (latin1), as Node's parser gives them. */
export interface ReceivedRequest {
  readonly method: string;
  /** The request target: raw path and query. */
  readonly target: string;
  /** Names and values in turn, as received. */
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
}

/** The same before its body is read. */
export type ReceivedHead = Omit<ReceivedRequest, 'body'>;

/**
 * How the path enters the signature. `normalized`: dot segments and empty segments removed, then every byte
 * encoded once more (all services but S3). `verbatim`: the same without removing anything.
 * `single-encoded`: S3, where the wire's own encoding counts.
 */
export type PathStyle = 'normalized' | 'verbatim' | 'single-encoded';

/** Lower-case header names with their values in the order of arrival. */
export type Headers = ReadonlyMap<string, readonly string[]>;

export interface QueryParameter {
  readonly name: string;
  readonly value: string;
}

export const sha256Hex = (data: string | Uint8Array): string => hash('sha256', data, 'hex');

export const headersOf = (rawHeaders: readonly string[]): Headers => {
  const headers = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const values = headers.get(name);
    if (values) values.push(rawHeaders[i + 1] ?? '');
    else headers.set(name, [rawHeaders[i + 1] ?? '']);
  }
  return headers;
};

/** Path and query of a target, both raw; the query without its question mark. */
export const splitTarget = (target: string): { readonly path: string; readonly query: string } => {
  const mark = target.indexOf('?');
  return mark < 0
    ? { path: target, query: '' }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
};

/** The head of a request, taken apart once. */
export interface Parts {
  readonly path: string;
  readonly query: readonly QueryParameter[];
  readonly headers: Headers;
}

export const partsOf = ({ target, rawHeaders }: ReceivedHead): Parts => {
  const { path, query } = splitTarget(target);
  return { path, query: queryParameters(query), headers: headersOf(rawHeaders) };
};

/** Bytes (one a character) of a percent-encoded text; a `%` without two hex digits stands for itself. */
const percentDecode = (text: string): string =>
  text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

const encodeByte = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;

/** RFC 3986: everything but the unreserved characters is encoded, with upper-case hex. */
const percentEncode = (bytes: string): string => bytes.replace(/[^A-Za-z0-9\-._~]/g, encodeByte);

/** The parameters of a raw query, decoded to bytes; `+` is a plus (RFC 3986), as every AWS signer has it. */
export const queryParameters = (query: string): readonly QueryParameter[] =>
  query
    .split('&')
    .filter((piece) => piece !== '')
    .map((piece) => {
      const equals = piece.indexOf('=');
      const name = equals < 0 ? piece : piece.slice(0, equals);
      const value = equals < 0 ? '' : piece.slice(equals + 1);
      return { name: percentDecode(name), value: percentDecode(value) };
    });

const removeDotSegments = (path: string): string => {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  const trailing = kept.length > 0 && path.endsWith('/') ? '/' : '';
  return `/${kept.join('/')}${trailing}`;
};

const encodeSegments = (path: string): string => path.split('/').map(percentEncode).join('/');

const canonicalPath = (path: string, style: PathStyle): string => {
  if (style === 'single-encoded') return encodeSegments(percentDecode(path));
  return encodeSegments(style === 'normalized' ? removeDotSegments(path) : path);
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const canonicalQuery = (parameters: readonly QueryParameter[]): string =>
  parameters
    .map(({ name, value }) => ({ name: percentEncode(name), value: percentEncode(value) }))
    .sort((a, b) => compare(a.name, b.name) || compare(a.value, b.value))
    .map(({ name, value }) => `${name}=${value}`)
    .join('&');

const canonicalValue = (values: readonly string[]): string =>
  values.map((value) => value.trim().replace(/[ \t\r\n]{2,}|[\t\r\n]/g, ' ')).join(',');

/** What of a request the signature covers. */
interface CanonicalParts {
  readonly method: string;
  readonly path: string;
  readonly pathStyle: PathStyle;
  /** Without X-Amz-Signature. */
  readonly query: readonly QueryParameter[];
  readonly headers: Headers;
  readonly signedHeaders: readonly string[];
  readonly bodyHash: string;
}

/** The canonical request of the IAM User Guide, "Create a signed AWS API request", step 1. */
export const canonicalRequest = (parts: CanonicalParts): Buffer =>
  Buffer.from(
    [
      parts.method,
      canonicalPath(parts.path, parts.pathStyle),
      canonicalQuery(parts.query),
      ...parts.signedHeaders.map((name) => `${name}:${canonicalValue(parts.headers.get(name) ?? [])}`),
      '',
      parts.signedHeaders.join(';'),
      parts.bodyHash,
    ].join('\n'),
    'latin1',
  );
