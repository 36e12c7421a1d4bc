import { Readable } from 'node:stream';
import { text as textOfStream } from 'node:stream/consumers';
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '../../lib/sha256.ts';
import { handleCall } from '../pipeline.ts';
import { type Credentials, query } from '../test-query.ts';
import { fakeWorld, region, root, type World } from '../testing.ts';
import { testBuckets } from './test-buckets.ts';

/** For tests of this room only: a client of S3 that signs. */

/** The world with buckets in it. */
export const s3World = () => {
  const world = fakeWorld();
  const buckets = testBuckets();
  return { ...world, buckets, deps: { ...world.deps, buckets } };
};

export type S3World = ReturnType<typeof s3World>;

export interface Given {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly credentials?: Credentials;
  readonly sourceIp?: string;
}

const encoded = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** The head of a signed request; `target` is a path that is encoded, and parameters that are not. */
export const signed = async (method: string, target: string, given: Given = {}) => {
  const { headers = {}, body = '', credentials = root } = given;
  const [path = '', parameters = ''] = target.split('?', 2);
  const query = Object.fromEntries(
    parameters
      .split('&')
      .filter((pair) => pair !== '')
      .map((pair) => [pair.split('=')[0] ?? '', pair.split('=').slice(1).join('=')]),
  );
  const signer = new SignatureV4({
    service: 's3',
    region,
    credentials,
    sha256: Sha256,
    uriEscapePath: false,
  });
  const signedRequest = await signer.sign({
    ...{ method, protocol: 'http:', hostname: 'localhost', path, query, body },
    headers: {
      host: 'localhost',
      ...(body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      ...headers,
    },
  });
  const pairs = Object.entries(query).map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  return {
    target: pairs.length === 0 ? path : `${path}?${pairs.join('&')}`,
    headers: signedRequest.headers,
  };
};

const member = (xml: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];

/** Sends a head with a body as they are; `bodyRead` tells whether anybody asked for the body. */
export const sendRaw = async (
  world: Pick<World, 'deps'>,
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
  { body = '', sourceIp = '127.0.0.1' }: Given = {},
) => {
  let bodyRead = false;
  const response = await handleCall(
    {
      ...{ method, target, sourceIp, body: new Uint8Array() },
      rawHeaders: Object.entries(headers).flat(),
      requestId: '7a3c3f0e-0000-4000-8000-000000000000',
      stream: () => {
        bodyRead = true;
        return Readable.from(body === '' ? [] : [Buffer.from(body)]);
      },
    },
    world.deps,
  );
  const text = response.stream ? await textOfStream(response.stream) : response.body;
  return {
    ...{ status: response.status, headers: response.headers, text, bodyRead },
    code: member(text, 'Code'),
    message: member(text, 'Message'),
    member: (name: string) => member(text, name),
  };
};

/** Sends a signed request; the root user does, unless credentials are given. */
export const s3 = async (world: Pick<World, 'deps'>, method: string, target: string, given: Given = {}) => {
  const { target: whole, headers } = await signed(method, target, given);
  return sendRaw(world, method, whole, headers, given);
};

/** A user with one policy, and his key. */
export const userWith = async (
  world: World,
  statements: readonly object[],
  name = 'ann',
): Promise<Credentials> => {
  await query(world, 'CreateUser', { UserName: name });
  const PolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.length === 0 ? [allow('iam:Nothing', '*')] : statements,
  });
  await query(world, 'PutUserPolicy', { UserName: name, PolicyName: 'own', PolicyDocument });
  const { result } = await query(world, 'CreateAccessKey', { UserName: name });
  const { AccessKeyId, SecretAccessKey } = (result as { AccessKey: Record<string, string> }).AccessKey;
  return { accessKeyId: AccessKeyId ?? '', secretAccessKey: SecretAccessKey ?? '' };
};

export const allow = (Action: string | readonly string[], Resource: string, Condition?: object) => ({
  ...{ Effect: 'Allow', Action, Resource },
  ...(Condition ? { Condition } : {}),
});

export const deny = (Action: string, Resource: string) => ({ Effect: 'Deny', Action, Resource });
