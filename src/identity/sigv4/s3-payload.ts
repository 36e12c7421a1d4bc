import type { ChunkChain } from '../../contract/chunk-chain.ts';
import { s3Error } from '../../contract/s3-errors.ts';
import type { Parts } from './canonical.ts';

/** How the signature covers the body. */
export type StatedPayload =
  | { readonly kind: 'hashed' /** Hex. */; readonly sha256: string }
  | { readonly kind: 'unsigned' }
  /** In aws-chunked encoding; its chunks are signed when there is a chain. */
  | { readonly kind: 'chunked'; readonly hasTrailer: boolean; readonly chain: ChunkChain | undefined };

const unsignedPayload = 'UNSIGNED-PAYLOAD';

/** Values of x-amz-content-sha256 for chunked bodies that are spoken here ("Common Request Headers", S3 API reference). */
const streaming: Readonly<Record<string, { readonly isSigned: boolean; readonly hasTrailer: boolean }>> = {
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { isSigned: false, hasTrailer: true },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { isSigned: true, hasTrailer: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { isSigned: true, hasTrailer: true },
};

const headerName = 'x-amz-content-sha256';
/** The JavaScript SDK moves the header into the query of what it presigns. */
const queryName = 'X-Amz-Content-Sha256';

const isSha256 = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

const invalid = (value: string) =>
  s3Error(
    'InvalidArgument',
    `${headerName} must be ${[unsignedPayload, ...Object.keys(streaming)].join(', ')} or a valid sha256 value.`,
    { members: { ArgumentName: headerName, ArgumentValue: value.slice(0, 128) } },
  );

const inHeaders = ({ headers }: Parts): string | undefined => headers.get(headerName)?.[0]?.trim();

/** The word or hash that stands in the place of the body's hash when a request is signed in its headers. */
const ofHeaderForm = (parts: Parts): string => {
  const stated = inHeaders(parts);
  if (stated === undefined)
    throw s3Error('InvalidRequest', `Missing required header for this request: ${headerName}`);
  if (stated !== unsignedPayload && !Object.hasOwn(streaming, stated) && !isSha256(stated))
    throw invalid(stated);
  return stated;
};

/** The same of a presigned request, which never has a chunked body. */
const ofQueryForm = (parts: Parts): string => {
  const inQuery = parts.query.filter(({ name }) => name === queryName).map(({ value }) => value);
  const inHeader = inHeaders(parts);
  const all = inHeader === undefined ? inQuery : [...inQuery, inHeader];
  const [stated = unsignedPayload] = all;
  if (new Set(all).size > 1)
    throw s3Error('InvalidRequest', `${headerName} is stated more than once, with different values.`);
  if (stated !== unsignedPayload && !isSha256(stated)) throw invalid(stated);
  return stated;
};

/**
 * What the signature has in the place of the body's hash. @throws InvalidRequest when it is missing, InvalidArgument
 */
export const statedHash = (parts: Parts, form: 'header' | 'query'): string =>
  form === 'header' ? ofHeaderForm(parts) : ofQueryForm(parts);

/** What a stated hash says of the body. */
export const payloadOf = (stated: string, chain: ChunkChain): StatedPayload => {
  const chunked = Object.hasOwn(streaming, stated) ? streaming[stated] : undefined;
  if (chunked)
    return {
      kind: 'chunked',
      hasTrailer: chunked.hasTrailer,
      chain: chunked.isSigned ? chain : undefined,
    };
  return stated === unsignedPayload ? { kind: 'unsigned' } : { kind: 'hashed', sha256: stated };
};
