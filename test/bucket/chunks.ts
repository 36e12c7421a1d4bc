import { rootKey } from '../harness/mwaa.ts';
import type { Place } from '../harness/server.ts';
import { amzDate, hmac, scopeKey, sha, signedBytes } from '../harness/sign.ts';
import { exchangePlain } from '../harness/socket.ts';

/** The three ways of chunks that are served (Signature Version 4, "Transferring payload in multiple chunks"). */
export type Kind = 'signed' | 'signed-trailer' | 'unsigned-trailer';

const payloads = {
  signed: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'signed-trailer': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  'unsigned-trailer': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
} as const;

export interface Upload {
  readonly kind: Kind;
  readonly path: string;
  /** What each chunk holds, without the last, empty one. */
  readonly chunks: readonly string[];
  /** `x-amz-checksum-crc32:…`, for those with a trailer. */
  readonly trailer?: string;
  /** What is said of the length; else the true one. */
  readonly decodedLength?: number;
  /** Changes the lines of the body: a size line, then its data, for every chunk, then the trailer's. */
  readonly edit?: (lines: string[]) => string[];
  readonly headers?: readonly (readonly [string, string])[];
}

/** A head that is signed, and the chunks with their signatures, each made of the one before. */
const build = (place: Place, o: Upload): { readonly head: string; readonly lines: string[] } => {
  const date = amzDate();
  const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const key = rootKey(place);
  const payload = payloads[o.kind];
  const name = o.trailer?.split(':')[0];
  const length = o.decodedLength ?? o.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const head = signedBytes(
    {
      ...{ method: 'PUT', target: o.path, host: `localhost:${place.ports.api}`, key, scope, date, payload },
      headers: [
        ['X-Amz-Content-Sha256', payload],
        ['X-Amz-Decoded-Content-Length', String(length)],
        ['Content-Encoding', 'aws-chunked'],
        ...(name === undefined ? [] : [['X-Amz-Trailer', name] as const]),
        ...(o.headers ?? []),
      ],
    },
    (lines) => [...lines, 'Content-Length: LENGTH'],
  );
  let before = /Signature=([0-9a-f]+)/.exec(head)?.[1] ?? '';
  const signs = (algorithm: string, ...parts: readonly string[]) => {
    const text = [`AWS4-HMAC-SHA256-${algorithm}`, date, scope, before, ...parts].join('\n');
    before = hmac(scopeKey(key, scope), text).toString('hex');
    return before;
  };
  const sizeLine = (chunk: string) => {
    const size = chunk.length.toString(16);
    return o.kind === 'unsigned-trailer'
      ? size
      : `${size};chunk-signature=${signs('PAYLOAD', sha(''), sha(chunk))}`;
  };
  const lines = o.chunks.flatMap((chunk) => [sizeLine(chunk), chunk]);
  lines.push(sizeLine(''));
  if (o.trailer !== undefined) lines.push(o.trailer);
  if (o.kind === 'signed-trailer')
    lines.push(`x-amz-trailer-signature:${signs('TRAILER', sha(`${o.trailer}\n`))}`);
  return { head, lines: [...lines, '', ''] };
};

/** The bytes of the whole request. */
const uploadBytes = (place: Place, o: Upload): string => {
  const { head, lines } = build(place, o);
  const body = (o.edit?.(lines) ?? lines).join('\r\n');
  return `${head.replace('LENGTH', String(Buffer.byteLength(body)))}${body}`;
};

/** Sends it; gives the answer. */
export const sendUpload = (place: Place, o: Upload): Promise<string> =>
  exchangePlain(`127.0.0.1:${place.ports.api}`, uploadBytes(place, o), 10);
