import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { sha256Hex } from './canonical.ts';

export const algorithm = 'AWS4-HMAC-SHA256';

/** Day, region and service that a signing key is good for. */
export interface CredentialScope {
  /** `YYYYMMDD`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** A scope as it is signed. */
export const scopeText = ({ date, region, service }: CredentialScope): string =>
  `${date}/${region}/${service}/aws4_request`;

const hmac = (key: string | Buffer | KeyObject, data: string): Buffer =>
  createHmac('sha256', key).update(data).digest();

/** A key object: a buffer would be made ready anew for each signature, which takes longer than the signature. */
const deriveSigningKey = (secret: string, scope: CredentialScope): KeyObject => {
  const day = hmac(`AWS4${secret}`, scope.date);
  return createSecretKey(hmac(hmac(hmac(day, scope.region), scope.service), 'aws4_request'));
};

const maxCachedKeys = 256;

/** Gives signing keys; the latest 256 stay in memory. */
export type SigningKeys = (accessKeyId: string, secret: string, scope: CredentialScope) => KeyObject;

export const createSigningKeys = (): SigningKeys => {
  const cache = new Map<string, { readonly secret: string; readonly key: KeyObject }>();
  return (accessKeyId, secret, scope) => {
    const name = `${accessKeyId}/${scope.date}/${scope.region}/${scope.service}`;
    const cached = cache.get(name);
    if (cached && cached.secret === secret) return cached.key;
    const key = deriveSigningKey(secret, scope);
    cache.delete(name);
    cache.set(name, { secret, key });
    const oldest = cache.size > maxCachedKeys ? cache.keys().next().value : undefined;
    if (oldest !== undefined) cache.delete(oldest);
    return key;
  };
};

/** The string to sign: IAM User Guide, "Create a signed AWS API request", step 3. */
export const stringToSign = (timestamp: string, scope: CredentialScope, canonical: Buffer): string =>
  [algorithm, timestamp, scopeText(scope), sha256Hex(canonical)].join('\n');

/** 64 lower-case hex digits. */
export const signatureOf = (key: KeyObject, text: string): string => hmac(key, text).toString('hex');

/** Compares in constant time; `given` is 64 lower-case hex digits. */
export const signatureMatches = (key: KeyObject, text: string, given: string): boolean => {
  const expected = hmac(key, text);
  const actual = Buffer.from(given, 'hex');
  return actual.length === expected.length && timingSafeEqual(actual, expected);
};
