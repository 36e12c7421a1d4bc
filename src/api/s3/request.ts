import { checkKey } from '../../bucket/names.ts';
import { canBeVersionId } from '../../bucket/version-ids.ts';
import { s3Error } from '../../contract/s3-errors.ts';
import { type Headers, headersOf, queryParameters, splitTarget } from '../../identity/sigv4/canonical.ts';
import type { ApiRequest } from '../api-request.ts';

/** Where a request goes: the list of buckets, a bucket, or an object. */
export type Level = 'service' | 'bucket' | 'object';

/** A request of S3, path style, taken apart. */
export interface S3Request {
  readonly method: string;
  readonly level: Level;
  /** Empty at the level of the service. */
  readonly bucket: string;
  /** Empty but at the level of an object. */
  readonly key: string;
  /** Parameters by name, without those of the signature. */
  readonly query: ReadonlyMap<string, string>;
  /** By lower-case name, one character a byte; with what a presigned URL has instead of `x-amz-` headers. */
  readonly headers: Headers;
  readonly sourceIp: string;
  readonly requestId: string;
  readonly stream: NonNullable<ApiRequest['stream']>;
  readonly held: ApiRequest['held'];
}

const signatureNames = new Set(
  ['Algorithm', 'Credential', 'Date', 'Expires', 'SignedHeaders', 'Signature', 'Security-Token'].map(
    (name) => `x-amz-${name.toLowerCase()}`,
  ),
);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const badUri = () => s3Error('InvalidURI', "Couldn't parse the specified URI.");

/** Bytes, one a character, as text. Throws InvalidURI. */
const textOfBytes = (bytes: string): string => {
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    throw badUri();
  }
};

/** The text of a percent-encoded one; unlike in a form, a plus is a plus. Throws InvalidURI. */
export const percentDecoded = (text: string): string => {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) throw badUri();
  return textOfBytes(
    text.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  );
};

/** Bucket and key of a raw path that begins with a slash. Throws InvalidURI, and what `checkKey` does. */
export const placeOf = (path: string): Pick<S3Request, 'level' | 'bucket' | 'key'> => {
  if (!path.startsWith('/')) throw badUri();
  if (path === '/') return { level: 'service', bucket: '', key: '' };
  const slash = path.indexOf('/', 1);
  const bucket = percentDecoded(slash < 0 ? path.slice(1) : path.slice(1, slash));
  const key = slash < 0 ? '' : percentDecoded(path.slice(slash + 1));
  if (bucket === '' || /[/\0]/.test(bucket)) throw badUri();
  if (key !== '') checkKey(key);
  return { level: key === '' ? 'bucket' : 'object', bucket, key };
};

const twice = (name: string) =>
  s3Error('InvalidArgument', `The parameter ${name.slice(0, 60)} is given more than once.`, {
    members: { ArgumentName: name.slice(0, 60) },
  });

const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Presigned URLs carry `x-amz-` headers as parameters, for those who open them have no headers to give. */
const splitParameters = (rawQuery: string) => {
  const query = new Map<string, string>();
  const asHeaders = new Map<string, readonly string[]>();
  if (/%(?![0-9a-fA-F]{2})/.test(rawQuery)) throw badUri();
  for (const { name, value } of queryParameters(rawQuery)) {
    const lower = name.toLowerCase();
    if (signatureNames.has(lower)) continue;
    const isHeader = lower.startsWith('x-amz-');
    if (isHeader ? asHeaders.has(lower) : query.has(textOfBytes(name))) throw twice(textOfBytes(name));
    if (isHeader && !headerValue.test(value)) throw badUri();
    if (isHeader) asHeaders.set(lower, [value]);
    else query.set(textOfBytes(name), textOfBytes(value));
  }
  return { query, asHeaders };
};

const joined = (headers: Headers, more: Headers): Headers => {
  for (const name of more.keys()) if (headers.has(name)) throw twice(name);
  return new Map([...headers, ...more]);
};

async function* nothing(): AsyncGenerator<Uint8Array> {
  // a request without a body
}

/** Throws InvalidArgument for what no version is called. */
export const checkVersionId = (versionId: string | undefined): void => {
  if (versionId !== undefined && !canBeVersionId(versionId))
    throw s3Error('InvalidArgument', 'Invalid version id specified', {
      members: { ArgumentName: 'versionId', ArgumentValue: versionId.slice(0, 100) },
    });
};

/** Throws InvalidURI, KeyTooLongError, InvalidArgument. */
export const readRequest = (request: ApiRequest): S3Request => {
  const { path, query: rawQuery } = splitTarget(request.target);
  const { query, asHeaders } = splitParameters(rawQuery);
  const { sourceIp, requestId, method } = request;
  return {
    ...{ method, sourceIp, requestId, query },
    ...placeOf(path),
    headers: joined(headersOf(request.rawHeaders), asHeaders),
    stream: request.stream ?? nothing,
    held: request.held,
  };
};

/** The value of a header, trimmed; undefined when there is none. Throws InvalidArgument when there are two. */
export const header = ({ headers }: Pick<S3Request, 'headers'>, name: string): string | undefined => {
  const values = headers.get(name);
  if (values !== undefined && values.length > 1) throw twice(name);
  return values?.[0]?.trim();
};
