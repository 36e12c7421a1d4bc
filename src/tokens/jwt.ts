import { hash } from 'node:crypto';
import { compactVerify, SignJWT } from 'jose';
import { cliToken } from './cli-token.ts';
import type { SigningKey, SigningKeys } from './signing-keys.ts';
import type { TokenKind } from './token-kind.ts';
import { webLoginToken } from './web-login-token.ts';

const kinds: readonly TokenKind[] = [webLoginToken, cliToken];
const maxLength = 1024;

/** A token whose signature and form are right. Whether it may be used is another question. */
export interface ReadToken {
  readonly kind: TokenKind;
  readonly jti: string;
  readonly environmentId: string;
  readonly environmentName: string;
  readonly user: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** Signs claims as a compact JWT with EdDSA (RFC 8037). */
export const signJwt = (key: SigningKey, typ: string, claims: Record<string, unknown>): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', kid: key.kid, typ }).sign(key.privateKey);

/** The hash under which a token is kept. */
export const hashOf = (secret: string): Buffer => hash('sha256', secret, 'buffer');

/** RFC 4648 3.5: one text for one value, or a signature has several spellings. */
const isCanonical = (text: string): boolean =>
  text.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);

const asText = (value: unknown): string | undefined =>
  typeof value === 'string' && value ? value : undefined;

const readClaims = (typ: unknown, claims: Record<string, unknown>, issuer: string): ReadToken | undefined => {
  const kind = kinds.find((k) => k.typ === typ);
  const [audienceKind, environmentId] = (asText(claims['aud']) ?? '').split(':');
  const jti = asText(claims['jti']);
  const user = asText(claims['user']);
  const environmentName = asText(claims['env']);
  const exp = claims['exp'];
  if (!kind || audienceKind !== kind.kind || !environmentId || claims['iss'] !== issuer) return undefined;
  if (!jti || !user || !environmentName || typeof exp !== 'number') return undefined;
  return { kind, jti, environmentId, environmentName, user, expiresAt: exp * 1000 };
};

/**
 * Verifies algorithm, key id, signature, `typ`, issuer and form; undefined for anything that is not a token
 * of ours. Only a key of ours is ever tried, by its id: `kid` is no path, and `jku`, `x5u` and `jwk` of the header lead nowhere.
 */
export const readToken = async (
  text: string,
  keys: Pick<SigningKeys, 'tokenKey'>,
  issuer: string,
): Promise<ReadToken | undefined> => {
  if (text.length > maxLength || !isCanonical(text)) return undefined;
  try {
    const verified = await compactVerify(
      text,
      (header) => {
        const key = keys.tokenKey(header.kid ?? '');
        if (!key) throw new Error('unknown key');
        return key.publicKey;
      },
      { algorithms: ['EdDSA'] },
    );
    const claims: unknown = JSON.parse(Buffer.from(verified.payload).toString('utf8'));
    if (typeof claims !== 'object' || claims === null) return undefined;
    return readClaims(verified.protectedHeader.typ, claims as Record<string, unknown>, issuer);
  } catch {
    return undefined;
  }
};
