import { createHash, createPrivateKey, createPublicKey, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { DoorAnswer } from './door.ts';
import type { Place } from './server.ts';

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const secret = ({ data }: Place, file: string): string => readFileSync(join(data, 'secrets', file), 'utf8');

/** An assertion as the door signs it, for any role: which roles a policy gives is not the question here. */
export const assertionFor = (
  place: Place,
  environmentId: string,
  who: { readonly user: string; readonly roles: readonly string[] },
): string => {
  const kept = JSON.parse(secret(place, 'signing-keys.json')) as {
    assertion: { pem: string; from: number }[];
  };
  const signing = kept.assertion.findLast(({ from }) => from <= Date.now());
  const key = createPrivateKey(signing?.pem ?? '');
  const { crv, x } = createPublicKey(key).export({ format: 'jwk' });
  // RFC 7638: the members in the order of the alphabet
  const kid = createHash('sha256')
    .update(JSON.stringify({ crv, kty: 'OKP', x }))
    .digest('base64url');
  const iat = Math.floor(Date.now() / 1000);
  const claims = {
    iss: secret(place, 'installation-id').trim(),
    aud: environmentId,
    sub: who.user,
    name: who.user,
    roles: who.roles,
    iat,
    nbf: iat,
    exp: iat + 60,
    jti: randomUUID(),
  };
  const text = `${base64({ alg: 'EdDSA', kid, typ: 'assertion+jwt' })}.${base64(claims)}`;
  return `${text}.${sign(null, Buffer.from(text), key).toString('base64url')}`;
};

/** Asks an environment's web server itself, past the door. */
export const askAirflow = (
  webPort: number,
  path: string,
  o: { readonly assertion?: string; readonly method?: string; readonly body?: object } = {},
): Promise<DoorAnswer> =>
  new Promise((resolve, reject) => {
    const body = o.body === undefined ? undefined : JSON.stringify(o.body);
    const headers = {
      ...(o.assertion === undefined ? {} : { authorization: `Bearer ${o.assertion}` }),
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
    };
    const sent = request(
      { host: '127.0.0.1', port: webPort, path, method: o.method ?? 'GET', headers, agent: false },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
        answer.on('error', reject);
      },
    );
    sent.setTimeout(60_000, () => sent.destroy(new Error(`No answer from Airflow at ${path}`)));
    sent.on('error', reject);
    sent.end(body);
  });
