import { s3Error } from '../../contract/s3-errors.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Caller } from '../principal.ts';
import { canonicalRequest, type Parts, partsOf, type ReceivedHead } from './canonical.ts';
import { type CheckedSignature, createSignatureCheck } from './check-signature.ts';
import type { Credential, KeyLookup } from './credential.ts';
import type { Authentication } from './parse.ts';
import { checkS3Scope, checkS3SignedHeaders, checkS3Time } from './s3-checks.ts';
import { parseS3Authentication } from './s3-parse.ts';
import { payloadOf, type StatedPayload, statedHash } from './s3-payload.ts';
import { scopeText } from './signature.ts';

/** Who sent the head of a request, and what its signature says of the body that is yet to come. */
export interface BelievedHead {
  readonly caller: Caller;
  readonly form: 'header' | 'query';
  readonly payload: StatedPayload;
  /** What the signature has in the place of the body's hash, as a header or a parameter states it. */
  readonly contentSha256: string;
  /** Milliseconds since it was signed. */
  readonly signatureAge: number;
}

/** Resolves for a head that is believed; throws an error of S3 that says why it is not. */
export type S3HeadVerifier = (head: ReceivedHead) => Promise<BelievedHead>;

export interface S3HeadVerifierOptions {
  readonly region: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly lookup: KeyLookup;
}

const canonicalOf = (method: string, parts: Parts, a: Authentication, bodyHash: string): Buffer =>
  canonicalRequest({
    method,
    path: parts.path,
    pathStyle: 'single-encoded',
    query: a.form === 'header' ? parts.query : parts.query.filter(({ name }) => name !== 'X-Amz-Signature'),
    headers: parts.headers,
    signedHeaders: a.signedHeaders,
    bodyHash,
  });

const unknownCredential = ({ accessKeyId, sessionToken }: Authentication) =>
  sessionToken === undefined
    ? s3Error('InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.', {
        members: { AWSAccessKeyId: accessKeyId.slice(0, 128) },
      })
    : s3Error('InvalidToken', 'The provided token is malformed or otherwise invalid.');

const believed = (a: Authentication, { credential, matches }: CheckedSignature): Credential => {
  if (!credential) throw unknownCredential(a);
  if (!matches)
    throw s3Error(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    );
  if (credential.refused)
    throw s3Error('ExpiredToken', 'The provided token has expired.', { cause: credential.refused });
  return credential;
};

/**
 * Builds a verifier of Signature Version 4 as Amazon S3 has it ("Authenticating Requests", Amazon S3 API reference),
 * header and presigned form. It believes the head alone, over the hash of the body that it states: whoever reads the body
 * holds it against that. Stricter than S3 in one point: no x-amz-* header may be unsigned.
 */
export const createS3HeadVerifier = (o: S3HeadVerifierOptions): S3HeadVerifier => {
  const check = createSignatureCheck(o.lookup);
  return async (head) => {
    const parts = partsOf(head);
    const a = parseS3Authentication(parts);
    checkS3Scope(a, o.region);
    const now = o.clock.now();
    checkS3Time(a, now);
    const stated = statedHash(parts, a.form);
    checkS3SignedHeaders(a, parts.headers);
    const checked = await check(a, canonicalOf(head.method, parts, a, stated));
    const { caller } = believed(a, checked);
    const { sign } = checked;
    const { timestamp, signature: seedSignature } = a;
    const payload = payloadOf(stated, { sign, timestamp, scope: scopeText(a.scope), seedSignature });
    const signatureAge = Math.max(0, now - a.signedAt);
    return { caller, form: a.form, payload, contentSha256: stated, signatureAge };
  };
};
