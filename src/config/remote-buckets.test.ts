import { describe, expect, test } from 'vitest';
import { remoteBucketFor, remoteBuckets } from './remote-buckets.ts';

const usual = { region: undefined, credentials: 'machine', owner: undefined };
const faultOf = (given: unknown): string | undefined =>
  remoteBuckets.safeParse(given).error?.issues[0]?.message;

test('text names buckets of AWS, and others with their endpoint', () => {
  expect(remoteBuckets.parse('dags, team-*=https://S3.example.com:9000/,')).toEqual([
    { ...usual, name: 'dags', endpoint: undefined, pathStyle: false },
    { ...usual, name: 'team-*', endpoint: 'https://s3.example.com:9000', pathStyle: true },
  ]);
});

test('an endpoint may be all that is said of a bucket, with the port that is usual', () => {
  for (const given of [{ a: 'https://minio:443' }, 'a=https://minio', { a: { endpoint: 'https://MINIO/' } }])
    expect(remoteBuckets.parse(given)).toMatchObject([
      { name: 'a', endpoint: 'https://minio', pathStyle: true },
    ]);
});

test('an object says more', () => {
  const more = { region: 'eu-west-1', credentials: 'profile:prod', owner: '123456789012' };
  expect(
    remoteBuckets.parse({ dags: more, '*': { endpoint: 'http://minio:9000', pathStyle: false } }),
  ).toEqual([
    { ...more, name: 'dags', endpoint: undefined, pathStyle: false },
    { ...usual, name: '*', endpoint: 'http://minio:9000', pathStyle: false },
  ]);
});

describe('what cannot be meant is refused', () => {
  test.each([
    ['Dags', /"Dags", which is no bucket/],
    ['a*b', /no bucket/],
    ['__proto__', /no bucket/],
    ['a=minio:9000', /endpoints like/],
    ['a=https://user:word@minio', /endpoints like/],
    ['a=https://minio/path', /endpoints like/],
    ['a=https://minio?x', /endpoints like/],
    ['a,a=https://minio', /twice/],
    ['a=ftp://minio', /endpoints like/],
    [{ a: { credentials: 'keys' } }, /credentials that are/],
    [{ a: { owner: '12' } }, /12 digits/],
    [{ a: { secretAccessKey: 'x' } }, /secretAccessKey/],
    [{ a: 1 }, /./],
    [7, /./],
  ])('%j', (given, expected) => {
    expect(faultOf(given)).toMatch(expected);
  });
});

test('the name itself goes before the longest beginning', () => {
  const all = [{ name: '*' }, { name: 'team-*' }, { name: 'team-a-*' }, { name: 'team-a' }];
  const found = (bucket: string) => remoteBucketFor(all, bucket)?.name;
  expect(['team-a', 'team-a-b', 'team-b', 'x'].map(found)).toEqual(['team-a', 'team-a-*', 'team-*', '*']);
  expect(remoteBucketFor([{ name: 'a' }], 'ab')).toBeUndefined();
});
