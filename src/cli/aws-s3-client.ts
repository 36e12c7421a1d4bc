import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { S3Client as Sdk } from '@aws-sdk/client-s3';
import { answerOf, faultText } from '../aws/s3-error.ts';
import { ApiError } from './api-client.ts';
import { CliError } from './errors.ts';
import type { ObjectHead, S3Client } from './s3-client.ts';

/** An object of a listing. */
export interface ListedObject {
  readonly key: string;
  /** Without quotation marks. */
  readonly etag: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Objects of AWS, or of another server of S3. */
export interface AwsS3Client extends S3Client {
  /** The latest version when none is named. */
  head(bucket: string, key: string, versionId?: string): Promise<ObjectHead | undefined>;
  /** Every object whose key begins so. @throws ApiError, CliError */
  list(bucket: string, prefix: string): Promise<readonly ListedObject[]>;
}

/** Bytes that are held in memory, so that a request that fails can be sent again. */
const mostInMemory = 16 * 2 ** 20;

/** What S3 says of bytes that are not those of the stated hash. */
const isOtherFile = (code: string): boolean =>
  /^(?:BadDigest|XAmzContentSHA256Mismatch|XAmzContentChecksumMismatch|IncompleteBody)$/.test(code);

/** From Base64; a checksum of parts, with their number behind it, is none of the bytes. */
const sha256Of = (checksum: string | undefined): string | undefined =>
  checksum === undefined || checksum.includes('-')
    ? undefined
    : Buffer.from(checksum, 'base64').toString('hex');

/** The error of the SDK as one of the command line. */
const failed = (error: unknown, bucket: string, signal: AbortSignal): Error => {
  signal.throwIfAborted();
  const answer = answerOf(error);
  if (answer !== undefined) return new ApiError(answer.code, answer.status, `${bucket}: ${faultText(error)}`);
  return new CliError(`The bucket ${bucket} cannot be used.`, {
    why: `${faultText(error)}.`,
    todo: 'Try the credentials with: aws s3 ls, or name others with --profile NAME.',
    cause: error,
  });
};

/** The AWS SDK as a client of buckets. */
export const createAwsS3Client = (sdk: () => Promise<Sdk>, abortSignal: AbortSignal): AwsS3Client => {
  const send = async <T>(
    bucket: string,
    work: (commands: typeof import('@aws-sdk/client-s3'), client: Sdk) => Promise<T>,
  ): Promise<T> => {
    try {
      return await work(await import('@aws-sdk/client-s3'), await sdk());
    } catch (error) {
      throw failed(error, bucket, abortSignal);
    }
  };
  return {
    put: async (bucket, key, file, sha256) => {
      const { size } = await stat(file);
      const inMemory = size <= mostInMemory;
      const Body = inMemory ? await readFile(file) : createReadStream(file, { end: size - 1 });
      const object = {
        ...{ Bucket: bucket, Key: key, Body, ContentLength: inMemory ? (Body as Buffer).length : size },
        ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
      };
      try {
        const { VersionId } = await send(bucket, ({ PutObjectCommand }, client) =>
          client.send(new PutObjectCommand(object), { abortSignal }),
        );
        return { versionId: VersionId };
      } catch (error) {
        if (error instanceof ApiError && isOtherFile(error.code)) return undefined;
        throw error;
      }
    },
    head: async (bucket, key, versionId) => {
      try {
        const asked = { Bucket: bucket, Key: key, VersionId: versionId, ChecksumMode: 'ENABLED' } as const;
        const head = await send(bucket, ({ HeadObjectCommand }, client) =>
          client.send(new HeadObjectCommand(asked), { abortSignal }),
        );
        const { ContentLength: size = 0, ETag = '', ChecksumSHA256: checksum } = head;
        return { size, etag: ETag.replaceAll('"', ''), sha256: sha256Of(checksum) };
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      }
    },
    remove: async (bucket, key) => {
      await send(bucket, ({ DeleteObjectCommand }, client) =>
        client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }), { abortSignal }),
      );
    },
    list: (bucket, prefix) =>
      send(bucket, async ({ paginateListObjectsV2 }, client) => {
        const objects: ListedObject[] = [];
        for await (const { Contents = [] } of paginateListObjectsV2(
          { client },
          { Bucket: bucket, Prefix: prefix },
          { abortSignal },
        ))
          for (const { Key = '', ETag = '', LastModified } of Contents) {
            abortSignal.throwIfAborted();
            objects.push({ key: Key, etag: ETag.replaceAll('"', ''), at: LastModified?.getTime() ?? 0 });
          }
        return objects;
      }),
    close: async () => {
      (await sdk().catch(() => undefined))?.destroy();
    },
  };
};
