import type { S3Operation } from './operation.ts';
import { abortMultipartUpload } from './operations/abort-multipart-upload.ts';
import { completeMultipartUpload } from './operations/complete-multipart-upload.ts';
import { copyObject } from './operations/copy-object.ts';
import { createBucket } from './operations/create-bucket.ts';
import { createMultipartUpload } from './operations/create-multipart-upload.ts';
import { deleteBucket } from './operations/delete-bucket.ts';
import { deleteBucketPolicy } from './operations/delete-bucket-policy.ts';
import { deleteObject } from './operations/delete-object.ts';
import { deleteObjectTagging } from './operations/delete-object-tagging.ts';
import { deleteObjects } from './operations/delete-objects.ts';
import { deletePublicAccessBlock } from './operations/delete-public-access-block.ts';
import { getBucketLocation } from './operations/get-bucket-location.ts';
import { getBucketPolicy } from './operations/get-bucket-policy.ts';
import { getBucketVersioning } from './operations/get-bucket-versioning.ts';
import { getObject } from './operations/get-object.ts';
import { getObjectTagging } from './operations/get-object-tagging.ts';
import { getPublicAccessBlock } from './operations/get-public-access-block.ts';
import { headBucket } from './operations/head-bucket.ts';
import { headObject } from './operations/head-object.ts';
import { listBuckets } from './operations/list-buckets.ts';
import { listMultipartUploads } from './operations/list-multipart-uploads.ts';
import { listObjectVersions } from './operations/list-object-versions.ts';
import { listObjects } from './operations/list-objects.ts';
import { listObjectsV2 } from './operations/list-objects-v2.ts';
import { listParts } from './operations/list-parts.ts';
import { putBucketPolicy } from './operations/put-bucket-policy.ts';
import { putBucketVersioning } from './operations/put-bucket-versioning.ts';
import { putObject } from './operations/put-object.ts';
import { putObjectTagging } from './operations/put-object-tagging.ts';
import { putPublicAccessBlock } from './operations/put-public-access-block.ts';
import { uploadPart } from './operations/upload-part.ts';
import { uploadPartCopy } from './operations/upload-part-copy.ts';

/** Every operation of S3 that is served here. */
export const servedByS3: readonly S3Operation[] = [
  ...[listBuckets, createBucket, headBucket, deleteBucket, getBucketLocation],
  ...[getBucketVersioning, putBucketVersioning],
  ...[getPublicAccessBlock, putPublicAccessBlock, deletePublicAccessBlock],
  ...[getBucketPolicy, putBucketPolicy, deleteBucketPolicy],
  ...[getObject, headObject, putObject, copyObject, deleteObject, deleteObjects],
  ...[listObjectsV2, listObjects, listObjectVersions],
  ...[createMultipartUpload, uploadPart, uploadPartCopy, completeMultipartUpload, abortMultipartUpload],
  ...[listParts, listMultipartUploads],
  ...[getObjectTagging, putObjectTagging, deleteObjectTagging],
];
