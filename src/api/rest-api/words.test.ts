import { expect, test } from 'vitest';
import { wordsOf } from './words.ts';

const notFound = 'The DAG with dag_id: x was not found';
const finding = (input: string, loc: unknown = ['body', 'conf']) => ({
  ...{ type: 'dict_type', loc, msg: 'Input should be a valid dictionary', input },
});

test.each([
  [{ title: 'DAG not found', detail: notFound, status: 404 }, `DAG not found. ${notFound}`],
  [{ title: 'Bad Request', detail: null, status: 400 }, 'Bad Request'],
  [{ title: 'Forbidden', detail: 'Forbidden to you' }, 'Forbidden to you'],
  [{ detail: 'Method Not Allowed' }, 'Method Not Allowed'],
  [{ detail: [finding('a-secret')] }, 'body.conf: Input should be a valid dictionary'],
  [
    { detail: [finding('a-secret', null), finding('b', [])] },
    'Input should be a valid dictionary; Input should be a valid dictionary',
  ],
  [
    { detail: { reason: 'Unique constraint violation', statement: 'INSERT …' } },
    'Unique constraint violation',
  ],
  [{ detail: { message: 'No', exc_class: 'X' } }, 'No'],
  [{ detail: [1, null, {}] }, ''],
  [{ title: 7, detail: 8 }, ''],
  [{}, ''],
  [[], ''],
  [null, ''],
  ['<h1>oh</h1>', ''],
  [{ detail: 'two\nlines\u001b[31m and \u202ea trick' }, 'two lines [31m and a trick'],
])('%j', (answer, words) => {
  expect(wordsOf(answer)).toBe(words);
});

test('they are as many as people read', () => {
  const words = wordsOf({ title: 'Long', detail: 'x'.repeat(100_000) });
  expect(words).toHaveLength(500);
  expect(words).toMatch(/^Long\. x+…$/);
});
