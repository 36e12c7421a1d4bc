import type { AwsError } from '../../contract/errors.ts';
import { s3Error } from '../../contract/s3-errors.ts';
import type { Headers } from './canonical.ts';
import type { Authentication } from './parse.ts';

/** "Authenticating Requests" (Amazon S3 API reference): within 15 minutes of the server's time. */
const allowedSkew = 15 * 60_000;

const malformed = (
  form: Authentication['form'],
  text: string,
  members: Readonly<Record<string, string>> = {},
): AwsError =>
  form === 'header'
    ? s3Error('AuthorizationHeaderMalformed', `The authorization header is malformed; ${text}`, { members })
    : s3Error('AuthorizationQueryParametersError', `Error parsing the X-Amz-Credential parameter; ${text}`, {
        members,
      });

/** Region, service, end and day of the scope. @throws AuthorizationHeaderMalformed, AuthorizationQueryParametersError */
export const checkS3Scope = (a: Authentication, region: string): void => {
  const { date, region: given, service } = a.scope;
  const day = a.timestamp.slice(0, 8);
  if (given !== region)
    throw malformed(a.form, `the region '${given}' is wrong; expecting '${region}'`, { Region: region });
  if (service !== 's3')
    throw malformed(a.form, `incorrect service "${service}". This endpoint belongs to "s3".`);
  if (a.terminator !== 'aws4_request')
    throw malformed(a.form, `incorrect terminal "${a.terminator}". This endpoint uses "aws4_request".`);
  if (date !== day)
    throw malformed(
      a.form,
      `Invalid credential date "${date}". This date is not the same as X-Amz-Date: "${day}".`,
    );
};

const isoTime = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}/, '');

const checkPresigned = (a: Authentication, expires: number, now: number): void => {
  const end = a.signedAt + expires * 1000;
  if (a.signedAt > now + allowedSkew) throw s3Error('AccessDenied', 'Request is not valid yet');
  if (now > end)
    throw s3Error('AccessDenied', 'Request has expired', {
      members: { 'X-Amz-Expires': `${expires}`, Expires: isoTime(end), ServerTime: isoTime(now) },
    });
};

const checkHeaderForm = (a: Authentication, now: number): void => {
  if (Math.abs(a.signedAt - now) <= allowedSkew) return;
  throw s3Error(
    'RequestTimeTooSkewed',
    'The difference between the request time and the current time is too large.',
    {
      members: {
        RequestTime: a.timestamp,
        ServerTime: isoTime(now),
        MaxAllowedSkewMilliseconds: `${allowedSkew}`,
      },
    },
  );
};

/** @throws RequestTimeTooSkewed; AccessDenied for a presigned request before or after its time */
export const checkS3Time = (a: Authentication, now: number): void => {
  if (a.expires === undefined) checkHeaderForm(a, now);
  else checkPresigned(a, a.expires, now);
};

/**
 * The host and every x-amz-* header are signed, and what is signed is there.
 * @throws AccessDenied, AuthorizationHeaderMalformed, AuthorizationQueryParametersError
 */
export const checkS3SignedHeaders = (a: Authentication, headers: Headers): void => {
  const signed = new Set(a.signedHeaders);
  const unsigned = ['host', ...headers.keys()].filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !signed.has(name),
  );
  if (unsigned.length > 0)
    throw s3Error('AccessDenied', 'There were headers present in the request which were not signed', {
      members: { HeadersNotSigned: [...new Set(unsigned)].join(', ').slice(0, 1024) },
    });
  const absent = a.signedHeaders.find((name) => !headers.has(name));
  if (absent === undefined) return;
  const text = `The signed header '${absent}' is not present in the request.`;
  throw s3Error(
    a.form === 'header' ? 'AuthorizationHeaderMalformed' : 'AuthorizationQueryParametersError',
    text,
  );
};
