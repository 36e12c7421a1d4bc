import { invalidSignatureException, unrecognizedClientException } from '../../contract/errors.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Caller } from '../principal.ts';
import {
  canonicalRequest,
  type Headers,
  type Parts,
  type PathStyle,
  partsOf,
  type QueryParameter,
  type ReceivedRequest,
  sha256Hex,
} from './canonical.ts';
import { createSignatureCheck } from './check-signature.ts';
import type { KeyLookup } from './credential.ts';
import { type Authentication, amzDate, parseAuthentication } from './parse.ts';

export interface VerifierOptions {
  readonly region: string;
  /** Another Region whose scope is accepted: global services are signed for us-east-1, wherever they are called. */
  readonly alsoRegion?: string | undefined;
  /** The signing name, `airflow` for MWAA. */
  readonly service: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly lookup: KeyLookup;
  /** `normalized` unless said otherwise. */
  readonly pathStyle?: PathStyle;
  /** True for services whose clients add the session token after signing. */
  readonly sessionTokenUnsigned?: boolean;
}

/** Resolves to the caller; throws an AwsError that says why the request is not believed. */
export type Verifier = (request: ReceivedRequest) => Promise<Caller>;

const allowedSkew = 5 * 60_000;
const sessionTokenHeader = 'x-amz-security-token';

const mismatch =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';

const checkTime = (a: Authentication, now: number): void => {
  const { timestamp } = a;
  const lifetime = a.expires === undefined ? allowedSkew : a.expires * 1000;
  const lifetimeText = a.expires === undefined ? '5 min.' : `${a.expires} sec.`;
  if (a.signedAt < now - lifetime) {
    throw invalidSignatureException(
      `Signature expired: ${timestamp} is now earlier than ${amzDate(now - lifetime)} (${amzDate(now)} - ${lifetimeText})`,
    );
  }
  if (a.signedAt > now + allowedSkew) {
    throw invalidSignatureException(
      `Signature not yet current: ${timestamp} is still later than ${amzDate(now + allowedSkew)} (${amzDate(now)} + 5 min.)`,
    );
  }
};

const checkScope = (a: Authentication, o: VerifierOptions): void => {
  const { date, region, service } = a.scope;
  const faults: string[] = [];
  if (region !== o.region && region !== o.alsoRegion)
    faults.push(`Credential should be scoped to a valid region, not '${region}'.`);
  if (service !== o.service) faults.push(`Credential should be scoped to correct service: '${o.service}'.`);
  if (a.terminator !== 'aws4_request') {
    faults.push(
      `Credential should be scoped with a valid terminator: 'aws4_request', not '${a.terminator}'.`,
    );
  }
  const day = a.timestamp.slice(0, 8);
  if (date !== day) {
    faults.push(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date}' != '${day}', from '${a.timestamp}'.`,
    );
  }
  if (faults.length > 0) throw invalidSignatureException(faults.join(' '));
};

const checkSignedHeaders = (a: Authentication, headers: Headers, o: VerifierOptions): void => {
  const signed = new Set(a.signedHeaders);
  if (!signed.has('host')) {
    throw invalidSignatureException(
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    );
  }
  const exempt = o.sessionTokenUnsigned ? sessionTokenHeader : undefined;
  const unsigned = [...headers.keys()].find(
    (name) => name.startsWith('x-amz-') && !signed.has(name) && name !== exempt,
  );
  if (unsigned !== undefined) {
    throw invalidSignatureException(`'${unsigned}' must be a 'SignedHeader' in the AWS Authorization.`);
  }
  const absent = a.signedHeaders.find((name) => !headers.has(name));
  if (absent !== undefined) {
    throw invalidSignatureException(`The signed header '${absent}' is not present in the request.`);
  }
};

/** The hash is always computed from the body that came; a stated one must be the same. */
const checkedBodyHash = (headers: Headers, body: Uint8Array): string => {
  const computed = sha256Hex(body);
  const stated = headers.get('x-amz-content-sha256')?.[0];
  if (stated === undefined) return computed;
  // no secret: whoever sent the body knows its hash
  if (stated.trim() !== computed) {
    throw invalidSignatureException(
      `The header x-amz-content-sha256 is not the SHA-256 of the request body. ${mismatch}`,
    );
  }
  return computed;
};

/** Of a presigned request's query the signature itself is not signed, nor a session token that is added after it. */
const signedQuery = ({ query }: Parts, a: Authentication, o: VerifierOptions): readonly QueryParameter[] =>
  a.form === 'header'
    ? query
    : query.filter(
        ({ name }) =>
          name !== 'X-Amz-Signature' && !(o.sessionTokenUnsigned && name === 'X-Amz-Security-Token'),
      );

const canonicalOf = (r: ReceivedRequest, parts: Parts, a: Authentication, o: VerifierOptions): Buffer =>
  canonicalRequest({
    method: r.method,
    path: parts.path,
    pathStyle: o.pathStyle ?? 'normalized',
    query: signedQuery(parts, a, o),
    headers: parts.headers,
    signedHeaders: a.signedHeaders,
    bodyHash: checkedBodyHash(parts.headers, r.body),
  });

/**
 * Builds a verifier of AWS Signature Version 4 (IAM User Guide, "AWS Signature Version 4 for API requests"),
 * header and presigned form, over the bytes as received. Strict as AWS: host and every x-amz-* header must be
 * signed, five minutes of skew, and no payload that is not hashed.
 */
export const createVerifier = (o: VerifierOptions): Verifier => {
  const check = createSignatureCheck(o.lookup);
  return async (request) => {
    const parts = partsOf(request);
    const authentication = parseAuthentication(parts.headers, parts.query);
    checkScope(authentication, o);
    checkTime(authentication, o.clock.now());
    checkSignedHeaders(authentication, parts.headers, o);
    const canonical = canonicalOf(request, parts, authentication, o);
    const { credential, matches } = await check(authentication, canonical);
    if (!credential) throw unrecognizedClientException();
    if (!matches) throw invalidSignatureException(mismatch);
    if (credential.refused) throw credential.refused;
    return credential.caller;
  };
};
