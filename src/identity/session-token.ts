import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { SecretBox } from '../lib/secret-box.ts';
import type { Principal, SessionFacts } from './principal.ts';
import { randomText, temporaryKeyId } from './random-keys.ts';

/** Temporary credentials, as STS hands them out. */
export interface TemporaryCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** What a session token says; nobody but this installation can make one. */
export interface SessionToken {
  readonly secretAccessKey: string;
  readonly principal: Principal;
  readonly session: SessionFacts;
  readonly expiresAt: number;
}

const longest = 16_384;
const largest = 65_536;

/** Makes credentials that carry everything in their session token; nothing is kept here. */
export const issueCredentials = (
  box: SecretBox,
  who: { readonly principal: Omit<Principal, 'accessKeyId'>; readonly session: SessionFacts },
  expiresAt: number,
): TemporaryCredentials => {
  const accessKeyId = temporaryKeyId();
  const secretAccessKey = randomText('base64', 40);
  const token: SessionToken = {
    secretAccessKey,
    principal: { ...who.principal, accessKeyId },
    session: who.session,
    expiresAt,
  };
  const text = deflateRawSync(JSON.stringify(token)).toString('base64');
  return { accessKeyId, secretAccessKey, sessionToken: box.seal(text, accessKeyId), expiresAt };
};

/** What the session token of this access key says; undefined when it is not one of this key's. Expiry is not looked at. */
export const openSessionToken = (
  box: SecretBox,
  accessKeyId: string,
  token: string,
): SessionToken | undefined => {
  if (token.length > longest) return undefined;
  const text = box.open(token, accessKeyId);
  if (text === undefined) return undefined;
  const json = inflateRawSync(Buffer.from(text, 'base64'), { maxOutputLength: largest }).toString('utf8');
  return JSON.parse(json) as SessionToken;
};
