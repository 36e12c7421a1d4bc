// The client-side tests of another S3 server, which nobody here wrote, against the operations that Windsock has. Those
// that do not pass are in versitygw-differences.json, each under the reason.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { hasGo } from '../harness/go.ts';
import { rootKey } from '../harness/mwaa.ts';
import { s3Client } from '../harness/s3.ts';
import { repository } from '../harness/tools.ts';
import { useServer } from '../harness/use-server.ts';
import { buildVersitygw, removeBuckets, runVersitygw, versitygwGroups } from '../harness/versitygw.ts';

/** Those of its groups that are about operations of Windsock. */
const groups = [
  ...['Authentication', 'PresignedAuthentication', 'Router', 'Server', 'Posix'],
  ...['CreateBucket', 'HeadBucket', 'ListBuckets', 'DeleteBucket', 'GetBucketLocation'],
  ...['PutObject', 'HeadObject', 'GetObject', 'DeleteObject', 'DeleteObjects', 'CopyObject'],
  ...['ListObjects', 'ListObjectsV2', 'ListObjectVersions_VD', 'Versioning'],
  ...['PutObjectTagging', 'GetObjectTagging', 'DeleteObjectTagging'],
  ...['CreateMultipartUpload', 'UploadPart', 'UploadPartCopy', 'ListParts', 'ListMultipartUploads'],
  ...['AbortMultipartUpload', 'CompleteMultipartUpload'],
  ...['PutBucketPolicy', 'GetBucketPolicy', 'DeleteBucketPolicy'],
  ...['UnsignedStreaminPayloadTrailer', 'SignedStreaminPayload', 'SignedStreaminPayloadTrailer'],
];

const differences = JSON.parse(
  readFileSync(join(import.meta.dirname, 'versitygw-differences.json'), 'utf8'),
) as Readonly<Record<string, readonly string[]>>;
const reasonOf = new Map(
  Object.entries(differences).flatMap(([reason, names]) => names.map((name) => [name, reason] as const)),
);

describe.runIf(hasGo)('versitygw test', () => {
  const used = useServer({ args: ['--requests-per-second', '2000'] });
  const counts = { all: 0, passed: 0 };
  let program: string;
  let names: ReadonlyMap<string, readonly string[]>;
  beforeAll(async () => {
    program = await buildVersitygw();
    names = versitygwGroups();
  }, 900_000);

  test.each(groups)('%s', { timeout: 600_000 }, async (group) => {
    const all = names.get(`Test${group}`) ?? expect.unreachable(`no group ${group}`);
    const failed = new Map<string, string>();
    const s3 = s3Client(used.place);
    for (const name of all) {
      const endpoint = `http://127.0.0.1:${used.place.ports.api}`;
      const { passed, said } = await runVersitygw(program, endpoint, rootKey(used.place), name);
      if (!passed) failed.set(name, said);
      await removeBuckets(s3);
    }
    counts.all += all.length;
    counts.passed += all.length - failed.size;
    const unexplained = [...failed].filter(([name]) => !reasonOf.has(name));
    expect(unexplained.map(([name, said]) => `${name}: ${said.slice(0, 600)}`)).toEqual([]);
    expect(
      all.filter((name) => reasonOf.has(name) && !failed.has(name)),
      'explained, but passed',
    ).toEqual([]);
  });

  test('no difference is told of a test that there is not, and the page for people has these numbers', () => {
    const known = new Set(groups.flatMap((group) => names.get(`Test${group}`) ?? []));
    expect([...reasonOf.keys()].filter((name) => !known.has(name))).toEqual([]);
    const page = readFileSync(join(repository, 'docs/buckets.md'), 'utf8').replaceAll(/\s+/g, ' ');
    expect(page).toContain(`${counts.passed} of ${counts.all} pass`);
  });
});
