import { hash, timingSafeEqual } from 'node:crypto';
import type { ChunkChain } from '../contract/chunk-chain.ts';
import { s3Error } from '../contract/s3-errors.ts';

/** Verifies signatures in their order, each made over the one before. @throws SignatureDoesNotMatch */
export interface ChunkSignatures {
  /** Takes the SHA-256 of the chunk's bytes in hex. */
  chunk(sha256: string, signature: string): void;
  /** Takes all trailers, each as `name:value` and a line feed. */
  trailer(lines: string, signature: string): void;
}

const nothingHashed = hash('sha256', '', 'hex');

const isSame = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

/**
 * "Signature calculations for the Authorization header: transferring payload in multiple chunks" and "Signature
 * calculations for trailing headers" (Amazon S3 API reference).
 */
export const createChunkSignatures = (chain: ChunkChain): ChunkSignatures => {
  let previous = chain.seedSignature;
  const check = (kind: string, hashes: readonly string[], given: string): void => {
    const text = [`AWS4-HMAC-SHA256-${kind}`, chain.timestamp, chain.scope, previous, ...hashes].join('\n');
    if (!isSame(chain.sign(text), given))
      throw s3Error(
        'SignatureDoesNotMatch',
        `The signature of a ${kind === 'PAYLOAD' ? 'chunk' : 'trailer'} does not match what we calculated. Check your key and signing method.`,
      );
    previous = given;
  };
  return {
    chunk: (sha256, signature) => check('PAYLOAD', [nothingHashed, sha256], signature),
    trailer: (lines, signature) => check('TRAILER', [hash('sha256', lines, 'hex')], signature),
  };
};
