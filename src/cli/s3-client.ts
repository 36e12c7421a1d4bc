import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { SignatureV4 } from '@smithy/signature-v4';
import { type Agent, request } from 'undici';
import { ownVersion } from '../lib/own-version.ts';
import { Sha256 } from '../lib/sha256.ts';
import { ApiError, agentFor, unreachable } from './api-client.ts';
import { xmlTexts } from './query-protocol.ts';
import type { Connection } from './server.ts';

/** What was put. */
export interface Put {
  /** Undefined when the bucket keeps no versions, and never did. */
  readonly versionId: string | undefined;
}

/** What is known of an object without its bytes. */
export interface ObjectHead {
  readonly size: number;
  /** Without quotation marks: the MD5 of its bytes in hex, unless it came in parts or is encrypted with a key of KMS. */
  readonly etag: string;
  /** Of its bytes, in hex; undefined where S3 does not know it. */
  readonly sha256?: string | undefined;
}

/** Writes, looks at and deletes objects over S3, signed as for any other client. */
export interface S3Client {
  /** Undefined, and nothing is there, when the file has other bytes than those of this SHA-256. @throws ApiError */
  put(bucket: string, key: string, file: string, sha256: string): Promise<Put | undefined>;
  /** Undefined when that version is not there. @throws ApiError, whose code is only an HTTP status: there is no body */
  head(bucket: string, key: string, versionId: string): Promise<ObjectHead | undefined>;
  /** @throws ApiError */
  remove(bucket: string, key: string): Promise<void>;
  close(): Promise<void>;
}

/** RFC 3986: all but the unreserved characters, as the signature has it. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const pathOf = (to: Connection, bucket: string, key: string): string =>
  [to.endpoint.pathname.replace(/\/$/, ''), bucket, ...key.split('/').map(encoded)].join('/');

/** Nothing at all, as a hash. */
const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const signedHeaders = async (
  to: Connection,
  { method, path, query, sha256 }: Pick<Sent, 'method' | 'path' | 'query' | 'sha256'>,
): Promise<Record<string, string>> => {
  const signer = new SignatureV4({
    ...{ credentials: to.credentials, region: to.region, service: 's3', sha256: Sha256 },
    ...{ uriEscapePath: false },
  });
  const { headers } = await signer.sign({
    ...{ method, path, query: { ...query }, protocol: to.endpoint.protocol, hostname: to.endpoint.hostname },
    headers: {
      host: to.endpoint.host,
      'user-agent': `windsock/${ownVersion()}`,
      'x-amz-content-sha256': sha256,
    },
  });
  return headers;
};

/** A file that was written to while it was sent is another one. */
const isOtherFile = ({ code }: ApiError): boolean =>
  ['XAmzContentSHA256Mismatch', 'IncompleteBody', 'EntityTooLarge'].includes(code);

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const textOf = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

interface Sent {
  readonly method: 'PUT' | 'HEAD' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly sha256: string;
  readonly body?: { readonly stream: Readable; readonly size: number };
}

/** Gives the headers of the answer. */
const send = async (to: Connection, agent: Agent, o: Sent, signal: AbortSignal): Promise<Headers> => {
  const headers = await signedHeaders(to, o);
  const query = Object.entries(o.query ?? {}).map(([name, value]) => `?${name}=${encoded(value)}`);
  try {
    const answer = await request(`${to.endpoint.origin}${o.path}${query.join('')}`, {
      ...{ method: o.method, dispatcher: agent, signal, body: o.body?.stream ?? null },
      headers: { ...headers, 'content-length': String(o.body?.size ?? 0) },
    });
    const text = await answer.body.text();
    if (answer.statusCode < 300) return answer.headers;
    const { Code = `HTTP ${answer.statusCode}`, Message = '' } = xmlTexts(text);
    throw new ApiError(Code, answer.statusCode, Message);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof ApiError ? error : unreachable(to.endpoint, error);
  } finally {
    o.body?.stream.destroy();
  }
};

/** A client of the S3 endpoint at the API's port. */
export const createS3Client = (to: Connection, signal: AbortSignal): S3Client => {
  const agent = agentFor(to);
  return {
    put: async (bucket, key, file, sha256) => {
      const { size } = await stat(file);
      const body = { size, stream: createReadStream(file, { end: Math.max(size - 1, 0) }) };
      try {
        const path = pathOf(to, bucket, key);
        const headers = await send(to, agent, { method: 'PUT', path, sha256, body }, signal);
        return { versionId: textOf(headers['x-amz-version-id']) };
      } catch (error) {
        if (error instanceof ApiError && isOtherFile(error)) return undefined;
        throw error;
      }
    },
    head: async (bucket, key, versionId) => {
      const asked = { method: 'HEAD', path: pathOf(to, bucket, key), query: { versionId } } as const;
      try {
        const headers = await send(to, agent, { ...asked, sha256: emptySha256 }, signal);
        const etag = (textOf(headers['etag']) ?? '').replaceAll('"', '');
        return { size: Number(textOf(headers['content-length'])), etag };
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      }
    },
    remove: async (bucket, key) => {
      const asked = { method: 'DELETE', path: pathOf(to, bucket, key), sha256: emptySha256 } as const;
      await send(to, agent, asked, signal);
    },
    close: () => agent.destroy(),
  };
};
