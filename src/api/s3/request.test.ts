import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ApiRequest } from '../api-request.ts';
import { copySourceOf } from './copy-source.ts';
import { percentDecoded, placeOf, readRequest } from './request.ts';

const requestOf = (target: string, headers: Readonly<Record<string, string>> = {}): ApiRequest => ({
  ...{ method: 'GET', target, body: new Uint8Array(), sourceIp: '127.0.0.1', requestId: 'id' },
  rawHeaders: Object.entries(headers).flat(),
});

const encoded = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

const code = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test('every key survives its encoding', () => {
  const keys = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 50 })
    .filter((key) => !key.includes('\0'));
  fc.assert(
    fc.property(keys, (key) => {
      expect(percentDecoded(encoded(key))).toBe(key);
      expect(placeOf(`/b/${encoded(key)}`)).toEqual({ level: 'object', bucket: 'b', key });
      const { bucket, key: copied } = copySourceOf(
        readRequest(requestOf('/x/y', { 'x-amz-copy-source': `/bkt/${encoded(key)}` })),
      );
      expect([bucket, copied]).toEqual(['bkt', key]);
    }),
  );
});

test('no target is read in a way that was not foreseen', () => {
  const known = ['InvalidURI', 'KeyTooLongError', 'InvalidArgument'];
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii' }), (text) => {
      const read = code(() => readRequest(requestOf(`/${text}`)));
      if (typeof read === 'string') expect(known).toContain(read);
    }),
  );
});

describe('places', () => {
  test.each([
    ['/', 'service', '', ''],
    ['/b', 'bucket', 'b', ''],
    ['/b/', 'bucket', 'b', ''],
    ['/b/k', 'object', 'b', 'k'],
    ['/b//k', 'object', 'b', '/k'],
    ['/b/../k', 'object', 'b', '../k'],
    ['/b/a%2Fb', 'object', 'b', 'a/b'],
    ['/b/a+b', 'object', 'b', 'a+b'],
  ])('%s', (path, level, bucket, key) => {
    expect(placeOf(path)).toEqual({ level, bucket, key });
  });

  test.each(['', 'b', '//k', '/b/%', '/b/%zz', '/b/%ff', '/%2f/k', '/a%2fb/k', '/b/%ed%a0%80'])(
    'not %s',
    (path) => {
      expect(code(() => placeOf(path))).toBe('InvalidURI');
    },
  );
});

describe('parameters', () => {
  test('are told from those of the signature, and from headers of a presigned URL', () => {
    const read = readRequest(
      requestOf('/b/k?versionId=a%26b&X-Amz-Signature=x&x-amz-meta-a=1&X-Amz-Checksum-Mode=ENABLED&tagging'),
    );
    expect([...read.query]).toEqual([
      ['versionId', 'a&b'],
      ['tagging', ''],
    ]);
    expect([...read.headers]).toEqual([
      ['x-amz-meta-a', ['1']],
      ['x-amz-checksum-mode', ['ENABLED']],
    ]);
  });

  test.each([
    ['/b?prefix=a&prefix=b', {}],
    ['/b?x-amz-meta-a=1&X-Amz-Meta-A=2', {}],
    ['/b?x-amz-meta-a=1', { 'x-amz-meta-a': '1' }],
  ])('are given once: %s', (target, headers) => {
    expect(code(() => readRequest(requestOf(target, headers as Record<string, string>)))).toBe(
      'InvalidArgument',
    );
  });
});
