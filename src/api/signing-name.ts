import {
  headersOf,
  queryParameters,
  type ReceivedRequest,
  splitTarget,
} from '../identity/sigv4/canonical.ts';

/** A request without its body. */
export type RequestHead = Omit<ReceivedRequest, 'body'>;

/** The service that an Authorization header says it was signed for; whether that is so is checked with the signature. */
export const signedFor = ({ rawHeaders }: RequestHead): string | undefined =>
  /Credential=[^/,]+\/\d+\/[^/,]+\/([^/,]+)\//.exec(
    headersOf(rawHeaders).get('authorization')?.[0] ?? '',
  )?.[1];

/** The same of a presigned URL. */
export const presignedFor = ({ target }: RequestHead): string | undefined =>
  queryParameters(splitTarget(target).query)
    .find(({ name }) => name === 'X-Amz-Credential')
    ?.value.split('/')[3];
