import { expect, test } from 'vitest';
import { mostFaults, resultMark, trialResultIn } from './trial-result.ts';

const result = { conflicts: ['a needs b'], plugins: { 'p.py': 'no p' }, dags: { 'd.py': 'no d' } };
const line = (value: unknown): string => `${resultMark}${JSON.stringify(value)}`;
const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}.py`, 'no']));

test('finds the last result among what else is printed', () => {
  const stdout = `hello\n${line({ ...result, dags: {} })}\nmore ${line({})}\n${line(result)}\nbye\n`;
  expect(trialResultIn(stdout)).toEqual(result);
});

test.each([
  ['nothing', ''],
  ['no mark', JSON.stringify(result)],
  ['no JSON', `${resultMark}{"conflicts": [`],
  ['no object', line(null)],
  ['a member too few', line({ conflicts: [], plugins: {} })],
  ['a text that is none', line({ ...result, dags: { 'd.py': { toString: 1 } } })],
  ['a list in the place of names', line({ ...result, plugins: [['p.py', 'no p']] })],
  ['a text that is too long', line({ ...result, dags: { 'd.py': 'x'.repeat(1_001) } })],
  ['a name that is too long', line({ ...result, dags: { ['d'.repeat(1_001)]: 'no d' } })],
  ['too many faults', line({ ...result, dags: many(mostFaults + 1) })],
  ['too many conflicts', line({ ...result, conflicts: Array(mostFaults + 1).fill('a') })],
])('takes no result with %s', (_, stdout) => {
  expect(trialResultIn(stdout)).toBeUndefined();
});

test('takes as many faults as the trial tells', () => {
  expect(trialResultIn(line({ ...result, dags: many(mostFaults) }))?.dags).toEqual(many(mostFaults));
});
