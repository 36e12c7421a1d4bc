import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AwsError } from '../contract/errors.ts';
import { pathFault } from '../lib/file-path.ts';
import { checkBucketName, checkFolderSize, checkKey, checkWritableKey } from './names.ts';

const outcome = (check: () => void): string => {
  try {
    check();
    return 'good';
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return `${error.httpStatus} ${error.code}: ${error.publicText}`;
  }
};

describe('the name of a bucket', () => {
  test.each(['abc', 'a-b.c', '1a2', 'a'.repeat(63), 'environments', 'a--b', '1.2.3.x', 'dags-an-x'])(
    '%s is good',
    (name) => expect(outcome(() => checkBucketName(name))).toBe('good'),
  );

  test.each([
    ...['', 'ab', 'a'.repeat(64), 'Abc', 'a_b', '-abc', 'abc-', '.abc', 'abc.', 'a..b', '192.168.5.4'],
    ...['abc\n', 'a/b', 'äbc', 'xn--abc', 'sthree-abc', 'amzn-s3-demo-abc', 'abc-s3alias', 'abc--ol-s3'],
    ...['abc.mrap', 'abc--x-s3', 'abc--table-s3'],
  ])('%j is refused', (name) => {
    expect(outcome(() => checkBucketName(name))).toBe(
      '400 InvalidBucketName: The specified bucket is not valid.',
    );
  });
});

describe('A58 a key', () => {
  test.each(['a', 'dags/a.py', '.hidden', '..a/b..', 'a b/ü/€', 'x'.repeat(255), 'con', 'a\\b', 'a:b'])(
    '%s can be a file',
    (key) => expect(outcome(() => checkWritableKey(key))).toBe('good'),
  );

  test.each(['a/', 'a/b/'])('%s can be a folder without bytes', (key) => {
    expect(outcome(() => checkWritableKey(key))).toBe('good');
    expect(outcome(() => checkFolderSize(key, 0))).toBe('good');
    expect(outcome(() => checkFolderSize(key, 1))).toMatch(/^400 InvalidArgument: .*folder/);
    expect(outcome(() => checkFolderSize('a', 1))).toBe('good');
  });

  test.each([
    ['../x', /"\."/],
    ['/etc/x', /begins or ends/],
    ['a//b', /"\/\/"/],
    ['a//', /"\/\/"/],
    ['/', /begins or ends/],
    ['a/./b', /"\.\."/],
    ['./', /"\.\."/],
    [`a/${'x'.repeat(256)}`, /255 bytes/],
    ['ü'.repeat(128), /255 bytes/],
    ['a/.windsock-tmp-1', /\.windsock-tmp-/],
    ['.windsock-tmp-1/a', /\.windsock-tmp-/],
    ['.windsock-tmp-/', /\.windsock-tmp-/],
  ])('%s can be looked for, but be no file', (key, why) => {
    expect(outcome(() => checkKey(key))).toBe('good');
    const text = outcome(() => checkWritableKey(key));
    expect(text).toMatch(/^400 InvalidArgument: This key cannot be the path of a file, as every object/);
    expect(text).toMatch(why);
  });

  test.each([
    ['', '400 InvalidArgument: A key must have at least one character.'],
    ['a\0', '400 InvalidArgument: A key must not have a NUL in it.'],
    ['\ud800', '400 InvalidArgument: A key must be well-formed UTF-8.'],
    ['ab/'.repeat(342).slice(0, 1025), '400 KeyTooLongError: Your key is too long'],
    ['ü'.repeat(513), '400 KeyTooLongError: Your key is too long'],
  ])('%.20j is none', (key, text) => {
    expect(outcome(() => checkKey(key))).toBe(text);
    expect(outcome(() => checkWritableKey(key))).toBe(text);
  });

  test('may have 1,024 bytes', () => {
    expect(outcome(() => checkWritableKey(`${'ab/'.repeat(341)}a`))).toBe('good');
  });

  test('that can be a file stays below its folder', () => {
    const segment = fc.oneof(fc.constantFrom('', '.', '..', 'a', '\0'), fc.string({ maxLength: 5 }));
    const path = fc.array(segment, { minLength: 1, maxLength: 5 }).map((some) => some.join('/'));
    const property = fc.property(path, (key) => {
      if (pathFault(key) !== undefined) return;
      const { pathname } = new URL(key.split('/').map(encodeURIComponent).join('/'), 'file:///folder/');
      expect(pathname.split('/').map(decodeURIComponent)).toEqual(['', 'folder', ...key.split('/')]);
    });
    fc.assert(property, { seed: 1, numRuns: 500 });
  });
});
