import { randomSecret } from '../../lib/ids.ts';
import type { Credential, KeyLookup } from './credential.ts';
import type { Authentication } from './parse.ts';
import { createSigningKeys, signatureMatches, signatureOf, stringToSign } from './signature.ts';

/** Whose key it is, and whether it made the signature. */
export interface CheckedSignature {
  /** Undefined when nobody has that key. */
  readonly credential: Credential | undefined;
  readonly matches: boolean;
  /** Signs more with the same signing key: 64 lower-case hex digits. */
  readonly sign: (text: string) => string;
}

export type SignatureCheck = (a: Authentication, canonical: Buffer) => Promise<CheckedSignature>;

/** Builds what compares a request's signature with the one that its key makes of the canonical request. */
export const createSignatureCheck = (lookup: KeyLookup): SignatureCheck => {
  const signingKeys = createSigningKeys();
  const nobodysSecret = randomSecret();
  return async ({ accessKeyId, scope, sessionToken, timestamp, signature }, canonical) => {
    const text = stringToSign(timestamp, scope, canonical);
    const credential = await lookup(accessKeyId, sessionToken);
    // An unknown key costs the same work, so that time does not tell which keys exist.
    const key = credential
      ? signingKeys(accessKeyId, credential.secretAccessKey, scope)
      : signingKeys('', nobodysSecret, scope);
    return {
      credential,
      matches: signatureMatches(key, text, signature),
      sign: (more) => signatureOf(key, more),
    };
  };
};
