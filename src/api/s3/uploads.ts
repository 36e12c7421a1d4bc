import type { Upload } from '../../bucket/objects.ts';
import { bucketOf } from './asked.ts';
import { invalidArgument } from './errors.ts';
import type { Work } from './operation.ts';
import type { S3Request } from './request.ts';

const mostParts = 10_000;

/** The upload that a request is about. Throws NoSuchBucket, NoSuchUpload. */
export const uploadOf = async (work: Work): Promise<Upload> => {
  await bucketOf(work);
  const { bucket, key, query } = work.request;
  return work.buckets.upload(bucket, key, query.get('uploadId') ?? '');
};

/** Throws InvalidArgument. */
export const partNumberOf = ({ query }: S3Request): number => {
  const value = query.get('partNumber') ?? '';
  const number = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (number >= 1 && number <= mostParts) return number;
  throw invalidArgument(
    `Part number must be an integer between 1 and ${mostParts}, inclusive`,
    'partNumber',
    value,
  );
};
