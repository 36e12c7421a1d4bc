// Every condition operator, with each modifier and with the key absent, once and several times (IAM User Guide, "IAM
// JSON policy elements: Condition operators"; cases I35 to I38).
import { describe, expect, test } from 'vitest';
import { evaluate } from './evaluate.ts';
import { allow, identity, request } from './testing.ts';

type Values = string | readonly string[];

const holds = (operator: string, wanted: unknown, given: Values | undefined, key = 'aws:x'): boolean =>
  evaluate(
    request({ context: given === undefined ? {} : { 'aws:x': given } }),
    identity(allow('*', '*', { Condition: { [operator]: { [key]: wanted } } })),
  ).allowed;

/** Operator, its opposite, the policy's value, values that compare, and values that do not. */
const families: readonly [string, string | undefined, unknown, readonly string[], readonly string[]][] = [
  ['StringEquals', 'StringNotEquals', 'a', ['a'], ['A', 'b', '', 'a ']],
  ['StringEquals', 'StringNotEquals', ['a', 'b'], ['a', 'b'], ['c']],
  ['StringEquals', 'StringNotEquals', 'a*', ['a*'], ['ab']],
  ['StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', 'aB', ['ab', 'AB'], ['a']],
  ['StringLike', 'StringNotLike', 'a*c?', ['acd', 'abbcd'], ['ac', 'Acd']],
  ['StringLike', 'StringNotLike', 'a', ['a'], ['b']],
  ['NumericEquals', 'NumericNotEquals', '10', ['10', '10.0', '1e1'], ['11', 'ten', '']],
  ['NumericEquals', 'NumericNotEquals', 10, ['10'], ['11']],
  ['NumericLessThan', undefined, '10', ['9', '-1', '9.99'], ['10', '11', 'x']],
  ['NumericLessThanEquals', undefined, '10', ['10', '9'], ['10.1', 'x']],
  ['NumericGreaterThan', undefined, '10', ['11'], ['10', 'x']],
  ['NumericGreaterThanEquals', undefined, '10', ['10'], ['9', 'x']],
  [
    'DateEquals',
    'DateNotEquals',
    '2026-01-01T00:00:00Z',
    ['2026-01-01T00:00:00Z', '1767225600', '2026-01-01'],
    ['2026-01-02', 'soon'],
  ],
  ['DateLessThan', undefined, '2026-01-02', ['2026-01-01T23:59:59Z'], ['2026-01-02T00:00:00Z', 'soon']],
  ['DateLessThanEquals', undefined, '2026-01-02', ['2026-01-02T00:00:00Z'], ['2026-01-02T00:00:01Z']],
  ['DateGreaterThan', undefined, '2026-01-02', ['2026-01-02T00:00:01Z'], ['2026-01-02T00:00:00Z']],
  ['DateGreaterThanEquals', undefined, '1767225600', ['2026-01-01T00:00:00Z'], ['2025-12-31T23:59:59Z']],
  ['Bool', undefined, 'true', ['true', 'True'], ['false', '1', '']],
  ['Bool', undefined, false, ['false'], ['true']],
  ['BinaryEquals', undefined, 'QmFzZTY0', ['QmFzZTY0'], ['QmFzZTY1']],
  ['IpAddress', 'NotIpAddress', '10.0.0.0/8', ['10.1.2.3'], ['11.0.0.1', '::1', 'x']],
  ['IpAddress', 'NotIpAddress', '10.0.0.1', ['10.0.0.1'], ['10.0.0.2']],
  ['IpAddress', 'NotIpAddress', '2001:db8::/32', ['2001:db8::1'], ['2001:db9::1', '10.0.0.1']],
  [
    'ArnEquals',
    'ArnNotEquals',
    'arn:aws:iam::*:role/x*',
    ['arn:aws:iam::1:role/xy'],
    ['arn:aws:iam:a:b:1:role/x', 'arn:aws:iam::1:user/x', 'x'],
  ],
  ['ArnLike', 'ArnNotLike', 'arn:aws:*:*:*:role/*', ['arn:aws:iam::1:role/a:b'], ['arn:aws:iam::1:user/a']],
];

describe.each(families)('%s and %s of %j', (operator, opposite, wanted, equal, different) => {
  test('one value', () => {
    for (const value of equal) expect(holds(operator, wanted, value), value).toBe(true);
    for (const value of different) expect(holds(operator, wanted, value), value).toBe(false);
    if (opposite === undefined) return;
    for (const value of equal) expect(holds(opposite, wanted, value), value).toBe(false);
    for (const value of different) expect(holds(opposite, wanted, value), value).toBe(true);
  });

  test('the key is absent', () => {
    expect(holds(operator, wanted, undefined)).toBe(false);
    expect(holds(`${operator}IfExists`, wanted, undefined)).toBe(true);
    expect(holds(`ForAllValues:${operator}`, wanted, undefined)).toBe(true);
    expect(holds(`ForAnyValue:${operator}`, wanted, undefined)).toBe(false);
    if (opposite === undefined) return;
    expect(holds(opposite, wanted, undefined)).toBe(true);
    expect(holds(`ForAnyValue:${opposite}`, wanted, undefined)).toBe(false);
  });

  test('IfExists changes nothing where the key is there', () => {
    for (const value of [...equal, ...different])
      expect(holds(`${operator}IfExists`, wanted, value), value).toBe(holds(operator, wanted, value));
  });

  test('several values', () => {
    const [good = '', bad = ''] = [equal[0], different[0]];
    expect(holds(`ForAllValues:${operator}`, wanted, [good, good])).toBe(true);
    expect(holds(`ForAllValues:${operator}`, wanted, [good, bad])).toBe(false);
    expect(holds(`ForAnyValue:${operator}`, wanted, [bad, good])).toBe(true);
    expect(holds(`ForAnyValue:${operator}`, wanted, [bad, bad])).toBe(false);
    if (opposite === undefined) return;
    expect(holds(`ForAllValues:${opposite}`, wanted, [bad, bad])).toBe(true);
    expect(holds(`ForAllValues:${opposite}`, wanted, [good, bad])).toBe(false);
    expect(holds(`ForAnyValue:${opposite}`, wanted, [good, bad])).toBe(true);
  });
});

test.each([
  ['true', undefined, true],
  ['true', 'v', false],
  ['false', undefined, false],
  ['false', 'v', true],
  [true, undefined, true],
  [['true', 'false'], 'v', true],
] as const)('Null %j, given %j', (wanted, given, expected) => {
  expect(holds('Null', wanted, given)).toBe(expected);
});

test('I35 operators and keys are the same in any spelling', () => {
  expect(holds('stringEQUALS', 'a', 'a', 'AWS:X')).toBe(true);
  expect(holds('forallvalues:stringlikeifexists', 'a', undefined)).toBe(true);
});

test('all keys of a block and all blocks must hold', () => {
  const condition = (Condition: object, context: Record<string, string>) =>
    evaluate(request({ context }), identity(allow('*', '*', { Condition }))).allowed;
  const both = { StringEquals: { 'aws:a': '1', 'aws:b': '2' }, Bool: { 'aws:c': 'true' } };
  expect(condition(both, { 'aws:a': '1', 'aws:b': '2', 'aws:c': 'true' })).toBe(true);
  expect(condition(both, { 'aws:a': '1', 'aws:b': '3', 'aws:c': 'true' })).toBe(false);
  expect(condition(both, { 'aws:a': '1', 'aws:b': '2', 'aws:c': 'false' })).toBe(false);
  expect(condition({}, {})).toBe(true);
});

test('a variable in a value', () => {
  const owns = (context: Record<string, string>) =>
    evaluate(
      request({ context }),
      identity(
        allow('*', '*', { Condition: { StringEquals: { 'aws:ResourceTag/owner': '${aws:username}' } } }),
      ),
    ).allowed;
  expect(owns({ 'aws:ResourceTag/owner': 'ann', 'aws:username': 'ann' })).toBe(true);
  expect(owns({ 'aws:ResourceTag/owner': 'ann', 'aws:username': 'bob' })).toBe(false);
  expect(owns({ 'aws:ResourceTag/owner': 'ann' })).toBe(false);
  expect(owns({ 'aws:ResourceTag/owner': '${aws:username}' })).toBe(false);
});
