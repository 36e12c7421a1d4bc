import { expect, test } from 'vitest';
import { decode } from './decode.ts';
import { logicalLines } from './lines.ts';
import { Unfit } from './refused.ts';

const linesOf = (text: string) => logicalLines(text).lines.map(({ line, text: said }) => [line, said]);

test('lines keep the number of the first, whatever ends them', () => {
  expect(linesOf('a\r\n\r\nb\rc\n  d  \n')).toEqual([
    [1, 'a'],
    [3, 'b'],
    [4, 'c'],
    [5, 'd'],
  ]);
});

test('a backslash at the end continues a line', () => {
  expect(linesOf('a==1 \\\n  --hash=x \\\n  --hash=y\nb')).toEqual([
    [1, 'a==1   --hash=x   --hash=y'],
    [4, 'b'],
  ]);
  expect(linesOf('a==1 \\\n')).toEqual([[1, 'a==1']]);
});

test('a line that is only a comment ends what was continued', () => {
  expect(linesOf('a==1 \\\n# why\nb')).toEqual([
    [1, 'a==1'],
    [3, 'b'],
  ]);
});

test('as in pip, a comment behind a requirement is continued too', () => {
  expect(linesOf('a # why \\\nb\nc')).toEqual([
    [1, 'a'],
    [3, 'c'],
  ]);
});

test('a comment begins with a # behind white space', () => {
  expect(linesOf('# all\na#b\na #b\n\t#c\nx @ https://h/x.zip#egg=x # why')).toEqual([
    [2, 'a#b'],
    [3, 'a'],
    [5, 'x @ https://h/x.zip#egg=x'],
  ]);
});

test.each([
  ['#--constraint https://h/x', [1]],
  ['a\n# -c x.txt', [2]],
  ['#-c x', [1]],
  ['a # --constraint=x', [1]],
  ['# built with psycopg2-c bindings', []],
  ['-c x.txt', []],
  ['# no constraints', []],
])('%j has constraints in comments on lines %j', (text, lines) => {
  expect(logicalLines(text).commentedConstraints).toEqual(lines);
});

test('a line that is too long is told, and nothing behind it is given', () => {
  const found = logicalLines(`a\n${'b'.repeat(20_000)}\\\n${'b'.repeat(20_000)}\nc`);
  expect(found.tooLong).toBe(2);
  expect(found.lines).toHaveLength(1);
});

const bytes = (...parts: (string | readonly number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

test('text is read by its byte order mark, by what it says, or as UTF-8', () => {
  expect(decode(bytes('é'))).toBe('é');
  expect(decode(bytes([0xef, 0xbb, 0xbf], 'é'))).toBe('é');
  expect(decode(bytes([0xff, 0xfe], [0xe9, 0]))).toBe('é');
  expect(decode(bytes([0xfe, 0xff], [0, 0xe9]))).toBe('é');
  expect(decode(bytes('# -*- coding: latin-1 -*-\n# ', [0xe9]))).toContain('é');
});

test.each([
  ['no UTF-8', bytes([0xe9, 0x20]), /not UTF-8/],
  ['UTF-16 without a mark', bytes([0x61, 0, 0x62, 0]), /NUL/],
  ['half of a character', bytes([0xff, 0xfe], [0x61]), /not UTF-16LE/],
  ['an encoding that nobody knows', bytes('# coding: klingon\n'), /encoding/],
  ['more than a mebibyte', new Uint8Array(1024 * 1024 + 1), /1 MiB/],
])('%s is refused', (_, given, reason) => {
  expect(() => decode(given)).toThrow(Unfit);
  expect(() => decode(given)).toThrow(reason);
});
