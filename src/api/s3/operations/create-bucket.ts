import { checkBucketName } from '../../../bucket/names.ts';
import { readCreateBucket } from '../../../bucket/read-bucket-settings.ts';
import { s3Error } from '../../../contract/s3-errors.ts';
import { bucketArn, onBucket } from '../asked.ts';
import { bodyHeaders, readSmallBody } from '../body.ts';
import { notImplemented } from '../errors.ts';
import type { S3Operation, Work } from '../operation.ts';
import { header } from '../request.ts';

const ownHeaders = ['x-amz-acl', 'x-amz-object-ownership', 'x-amz-bucket-object-lock-enabled'];

const checkHeaders = ({ request }: Work): void => {
  const usual = { 'x-amz-acl': 'private', 'x-amz-object-ownership': 'BucketOwnerEnforced' };
  for (const [name, value] of Object.entries({ ...usual, 'x-amz-bucket-object-lock-enabled': 'false' }))
    if ((header(request, name) ?? value).toLowerCase() !== value.toLowerCase())
      throw notImplemented(`The header ${name}`);
};

/** There is one Region: whoever names another one would look for the bucket there. */
const checkConfiguration = async (work: Work): Promise<void> => {
  const location = (await readCreateBucket(await readSmallBody(work))) ?? '';
  if (location !== '' && location !== work.deps.region)
    throw s3Error(
      'IllegalLocationConstraintException',
      `The ${location.slice(0, 60)} location constraint is incompatible for the region specific endpoint this request was sent to: this is ${work.deps.region}.`,
    );
};

/** CreateBucket (Amazon S3 API reference). */
export const createBucket: S3Operation = {
  name: 'CreateBucket',
  binding: { method: 'PUT', level: 'bucket' },
  headers: [...ownHeaders, ...bodyHeaders],
  readOnly: false,
  isDataEvent: false,
  checks: (asked) => [onBucket(asked, 's3:CreateBucket')],
  execute: async (work) => {
    checkBucketName(work.request.bucket);
    checkHeaders(work);
    await checkConfiguration(work);
    const { name } = await work.buckets.create(work.request.bucket, work.record);
    return { headers: { location: `/${name}`, 'x-amz-bucket-arn': bucketArn(name) } };
  },
};
