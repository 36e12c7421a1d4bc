import { AwsError } from '../../contract/errors.ts';
import { s3Error } from '../../contract/s3-errors.ts';
import type { Headers, Parts, QueryParameter } from './canonical.ts';
import { type Authentication, parseAuthentication } from './parse.ts';
import { algorithm } from './signature.ts';

const onlyVersion4 =
  'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256: only Signature Version 4 is accepted. For the aws cli run "aws configure set default.s3.signature_version s3v4"; in boto3 give Config(signature_version="s3v4"); in other clients set signature_version = s3v4.';

const isVersion2Query = (query: readonly QueryParameter[]): boolean => {
  const names = new Set(query.map(({ name }) => name));
  return names.has('AWSAccessKeyId') || (names.has('Signature') && names.has('Expires'));
};

const authorizationOf = (headers: Headers): string | undefined => headers.get('authorization')?.[0]?.trim();

/** Signature Version 2, 4A and whatever else there is. */
const checkMechanism = ({ headers, query }: Parts): void => {
  const authorization = authorizationOf(headers);
  const isOther = authorization !== undefined && !authorization.startsWith(`${algorithm} `);
  if (isOther || isVersion2Query(query)) throw s3Error('InvalidRequest', onlyVersion4);
};

/** S3's codes for what the parser of signatures says. */
const inWordsOfS3 = (error: AwsError, { headers }: Parts): AwsError => {
  if (error.code === 'MissingAuthenticationTokenException') return s3Error('AccessDenied', 'Access Denied');
  if (error.code !== 'IncompleteSignatureException') return error;
  return authorizationOf(headers) === undefined
    ? s3Error('AuthorizationQueryParametersError', error.publicText)
    : s3Error('AuthorizationHeaderMalformed', `The authorization header is malformed; ${error.publicText}`);
};

/**
 * Finds the one signature of a request to S3.
 * @throws AccessDenied when there is none, InvalidRequest when it is none of version 4, AuthorizationHeaderMalformed or
 * AuthorizationQueryParametersError when it cannot be read or is there twice
 */
export const parseS3Authentication = (parts: Parts): Authentication => {
  checkMechanism(parts);
  try {
    return parseAuthentication(parts.headers, parts.query);
  } catch (error) {
    throw error instanceof AwsError ? inWordsOfS3(error, parts) : error;
  }
};
