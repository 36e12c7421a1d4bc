import { expect, test } from 'vitest';
import { numberText, parseExact } from './exact-json.ts';

test.each([
  '{"id":1234567890123456789,"half":0.5,"one":1.0,"big":1e400,"zero":-0}',
  '[1,2.50,"1.0",null,true,{"__proto__":1.0}]',
  '12345678901234567890',
])('%s comes out as it went in', (text) => {
  expect(JSON.stringify(parseExact(text))).toBe(text);
});

test('the text of numbers, exact or not', () => {
  expect(parseExact('[7, 7.0, 12345678901234567890, "7", null, {}]')).toSatisfy((list: unknown[]) => {
    expect(list.map(numberText)).toEqual([
      '7',
      '7.0',
      '12345678901234567890',
      undefined,
      undefined,
      undefined,
    ]);
    return true;
  });
  expect(parseExact('7')).toBe(7);
});
