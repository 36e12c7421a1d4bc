import { createHash } from 'node:crypto';
import { incompleteSignatureException, missingAuthenticationTokenException } from '../../contract/errors.ts';
import type { Headers, QueryParameter } from './canonical.ts';
import { algorithm, type CredentialScope } from './signature.ts';

/** What a signed request says of its own signature; nothing of it is believed yet. */
export interface Authentication {
  readonly form: 'header' | 'query';
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  readonly terminator: string;
  readonly signedHeaders: readonly string[];
  /** 64 lower-case hex digits. */
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly timestamp: string;
  /** The same in epoch milliseconds. */
  readonly signedAt: number;
  /** Seconds a presigned URL is good for. */
  readonly expires?: number;
  readonly sessionToken?: string;
}

const maxAuthorizationLength = 16_384;
const maxSignedHeaders = 100;
const maxExpires = 604_800;

/** Headers whose doubles would let two readers see two requests. */
const singleHeaders = [
  'authorization',
  'host',
  'date',
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-security-token',
];

const queryNames = {
  algorithm: 'X-Amz-Algorithm',
  credential: 'X-Amz-Credential',
  date: 'X-Amz-Date',
  expires: 'X-Amz-Expires',
  signedHeaders: 'X-Amz-SignedHeaders',
  signature: 'X-Amz-Signature',
} as const;
const sessionTokenName = 'X-Amz-Security-Token';
const authenticationNames = new Set(
  [...Object.values(queryNames), sessionTokenName].map((name) => name.toLowerCase()),
);

const incomplete = incompleteSignatureException;

const hex = (value: string, length: number): boolean => value.length === length && /^[0-9a-f]+$/.test(value);

/** `YYYYMMDDTHHMMSSZ` of a moment in epoch milliseconds. */
export const amzDate = (ms: number): string => new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, '');

const parseTimestamp = (text: string): { timestamp: string; signedAt: number } => {
  const m = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  const signedAt = m ? Date.parse(`${m[1]}-${m[2]}-${m[3]}T${m[4]}:${m[5]}:${m[6]}Z`) : Number.NaN;
  // 30 February and 24 o'clock are read as a day that follows
  if (Number.isNaN(signedAt) || new Date(signedAt).getUTCDate() !== Number(m?.[3])) {
    throw incomplete(`Date must be in ISO-8601 'basic format'. Got '${text.slice(0, 64)}'.`);
  }
  return { timestamp: text, signedAt };
};

const parseCredential = (text: string) => {
  const parts = text.split('/');
  const [accessKeyId, date, region, service, terminator] = parts;
  if (parts.length !== 5 || !accessKeyId || !date || !region || !service || terminator === undefined) {
    throw incomplete(
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${text.slice(0, 256)}'`,
    );
  }
  return { accessKeyId, scope: { date, region, service }, terminator };
};

const parseSignedHeaders = (text: string): readonly string[] => {
  const names = text.split(';');
  if (names.length > maxSignedHeaders) {
    throw incomplete(`SignedHeaders names ${names.length} headers; at most ${maxSignedHeaders} are allowed.`);
  }
  if (
    new Set(names).size !== names.length ||
    !names.every((name) => /^[a-z0-9!#$%&'*+\-.^_`|~]+$/.test(name))
  ) {
    throw incomplete('SignedHeaders must name each header once, in lower case, separated by semicolons.');
  }
  return names;
};

const parseSignature = (text: string): string => {
  if (!hex(text, 64)) throw incomplete('Signature must be 64 lower-case hexadecimal digits.');
  return text;
};

/** AWS shows a hash where it once showed the header: enough to recognise it, nothing to steal. */
const hashed = (authorization: string): string =>
  `(Hashed with SHA-256 and encoded with Base64) Authorization=${createHash('sha256').update(authorization).digest('base64')}`;

const authorizationFields = (authorization: string): ReadonlyMap<string, string> => {
  const fields = new Map<string, string>();
  if (!authorization.startsWith(`${algorithm} `)) return fields;
  const pieces = authorization.slice(algorithm.length + 1).split(',');
  for (const piece of pieces) {
    const equals = piece.indexOf('=');
    const name = piece.slice(0, Math.max(equals, 0)).trim();
    if (equals < 0 || fields.has(name) || !['Credential', 'SignedHeaders', 'Signature'].includes(name)) {
      throw incomplete(
        `Invalid key=value pair in Authorization header: each of Credential, SignedHeaders and Signature once. ${hashed(authorization)}`,
      );
    }
    fields.set(name, piece.slice(equals + 1).trim());
  }
  return fields;
};

const fromHeader = (authorization: string, headers: Headers): Authentication => {
  if (authorization.length > maxAuthorizationLength) {
    throw incomplete(`The Authorization header is longer than ${maxAuthorizationLength} bytes.`);
  }
  const fields = authorizationFields(authorization);
  const date = headers.get('x-amz-date')?.[0];
  const missing = ['Credential', 'Signature', 'SignedHeaders']
    .filter((name) => !fields.get(name))
    .map((name) => `Authorization header requires '${name}' parameter.`);
  if (date === undefined) missing.push("Authorization header requires existence of a 'X-Amz-Date' header.");
  if (missing.length > 0 || date === undefined)
    throw incomplete([...missing, hashed(authorization)].join(' '));
  const sessionToken = headers.get('x-amz-security-token')?.[0];
  return {
    form: 'header',
    ...parseCredential(fields.get('Credential') ?? ''),
    signedHeaders: parseSignedHeaders(fields.get('SignedHeaders') ?? ''),
    signature: parseSignature(fields.get('Signature') ?? ''),
    ...parseTimestamp(date.trim()),
    ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.trim() }),
  };
};

const parseExpires = (text: string): number => {
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > maxExpires) {
    throw incomplete(`X-Amz-Expires must be a number of seconds from 1 to ${maxExpires}.`);
  }
  return seconds;
};

const fromQuery = (query: readonly QueryParameter[]): Authentication => {
  const given = new Map<string, string>();
  for (const { name, value } of query) {
    if (!authenticationNames.has(name.toLowerCase())) continue;
    if (given.has(name)) throw incomplete(`The query parameter '${name}' is given more than once.`);
    given.set(name, value);
  }
  const missing = Object.values(queryNames).filter((name) => !given.get(name));
  if (missing.length > 0) {
    const texts = missing.map((name) => `AWS query-string parameters must include '${name}'.`);
    throw incomplete(`${texts.join(' ')} Re-examine the query-string parameters.`);
  }
  const value = (name: keyof typeof queryNames): string => given.get(queryNames[name]) ?? '';
  if (value('algorithm') !== algorithm) {
    throw incomplete(`Unsupported AWS 'algorithm': '${value('algorithm').slice(0, 64)}'.`);
  }
  const sessionToken = given.get(sessionTokenName);
  return {
    form: 'query',
    ...parseCredential(value('credential')),
    signedHeaders: parseSignedHeaders(value('signedHeaders')),
    signature: parseSignature(value('signature')),
    ...parseTimestamp(value('date')),
    expires: parseExpires(value('expires')),
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
};

/**
 * Finds the one signature of a request, in the Authorization header or in the query.
 * Throws MissingAuthenticationTokenException when there is none and IncompleteSignatureException when it
 * cannot be read, is there twice, or is beyond every bound.
 */
export const parseAuthentication = (headers: Headers, query: readonly QueryParameter[]): Authentication => {
  const doubled = singleHeaders.find((name) => (headers.get(name)?.length ?? 0) > 1);
  if (doubled !== undefined) throw incomplete(`The header '${doubled}' is given more than once.`);
  const authorization = headers.get('authorization')?.[0]?.trim();
  const inQuery = query.some(({ name }) => authenticationNames.has(name.toLowerCase()));
  if (inQuery && (authorization !== undefined || headers.has('x-amz-security-token'))) {
    throw incomplete('Only one way to authenticate is allowed: headers or the query string.');
  }
  if (authorization) return fromHeader(authorization, headers);
  if (inQuery) return fromQuery(query);
  throw missingAuthenticationTokenException();
};
