import { expect, test } from 'vitest';
import { PathsInUse } from './paths-in-use.ts';

test.each([
  ['a', 'a/b'],
  ['a/b', 'a'],
  ['a/b', 'a/b/c/d'],
  ['a/b/c/d', 'a/b'],
  ['a', 'a/'],
])('while %j is written, %j is not, and is afterwards', (first, second) => {
  const paths = new PathsInUse();
  const end = paths.use('one', first);
  expect(paths.use('one', second)).toBeUndefined();
  end?.();
  expect(paths.use('one', second)).toBeDefined();
});

test.each([
  ['a/b', 'a/c'],
  ['a', 'ab/c'],
  ['a/', 'a/b'],
  ['a/b', 'a/b'],
])('%j and %j can be written at once', (first, second) => {
  const paths = new PathsInUse();
  expect([paths.use('one', first), paths.use('one', second)]).not.toContain(undefined);
});

test('of another bucket nothing is in the way', () => {
  const paths = new PathsInUse();
  expect([paths.use('one', 'a'), paths.use('two', 'a/b')]).not.toContain(undefined);
});

test('a folder stays in use until its last write ends', () => {
  const paths = new PathsInUse();
  const [first, second] = [paths.use('one', 'a/b'), paths.use('one', 'a/c')];
  first?.();
  expect(paths.use('one', 'a')).toBeUndefined();
  second?.();
  expect(paths.use('one', 'a')).toBeDefined();
});
