import type { AwsError } from '../../contract/errors.ts';
import { element } from '../../lib/xml.ts';
import type { ApiResponse } from '../restjson.ts';
import type { RequestHead } from '../signing-name.ts';
import { headersOfError } from './errors.ts';

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
const xmlns = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** An element with a text; nothing where there is none. */
export const text = (name: string, value: string | number | boolean | undefined): string =>
  value === undefined ? '' : element(name, String(value));

/** An element of elements. */
export const group = (name: string, ...parts: readonly string[]): string =>
  element(name, { xml: parts.join('') });

/** A whole answer of S3. */
export const xmlDocument = (name: string, ...parts: readonly string[]): string =>
  declaration + element(name, { xml: parts.join('') }, { xmlns });

/** A time as S3 writes it in XML; milliseconds from 1970. */
export const xmlTime = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** As `encoding-type=url` has keys: percent-encoded but for slashes. */
export const urlEncoded = (key: string): string =>
  encodeURIComponent(key.toWellFormed())
    .replaceAll('%2F', '/')
    .replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** What S3 calls the errors that all services have, and their status there. */
const codes: Readonly<Record<string, readonly [code: string, status: number]>> = {
  AccessDeniedException: ['AccessDenied', 403],
  MissingAuthenticationTokenException: ['AccessDenied', 403],
  InvalidSignatureException: ['SignatureDoesNotMatch', 403],
  IncompleteSignatureException: ['AuthorizationHeaderMalformed', 400],
  UnrecognizedClientException: ['InvalidAccessKeyId', 403],
  ExpiredTokenException: ['ExpiredToken', 400],
  ThrottlingException: ['SlowDown', 503],
  TooManyRequestsException: ['SlowDown', 503],
  ServiceUnavailableException: ['ServiceUnavailable', 503],
  InternalServerException: ['InternalError', 500],
};

/** Told in words of its own. */
const texts = new Set(['message', 'Message']);

/** Ids of every answer; the second one names nothing here, but clients print it. */
export const idsOf = (requestId: string): Readonly<Record<string, string>> => ({
  'x-amz-request-id': requestId,
  'x-amz-id-2': requestId,
});

const bodyOf = (error: AwsError, code: string, requestId: string): string => {
  const members = Object.entries(error.members).filter(([name]) => !texts.has(name));
  return (
    declaration +
    group(
      'Error',
      text('Code', code),
      text('Message', error.publicText),
      ...members.map(([name, value]) => text(name, String(value))),
      text('RequestId', requestId),
      text('HostId', requestId),
    )
  );
};

/** Errors of S3; one of a HEAD request has a status and no body. */
export const s3ErrorWriter =
  ({ method }: RequestHead) =>
  (error: AwsError, requestId: string): ApiResponse => {
    const [code, status] = codes[error.code] ?? [error.code, error.httpStatus];
    const isBare = method === 'HEAD' || status === 304;
    return {
      status,
      headers: {
        ...idsOf(requestId),
        ...(isBare ? {} : { 'content-type': 'application/xml' }),
        ...headersOfError(error),
      },
      body: isBare ? '' : bodyOf(error, code, requestId),
    };
  };
